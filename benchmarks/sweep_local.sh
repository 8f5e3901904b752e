#!/usr/bin/env bash
# What it costs to run things side by side: a sweep of eight points at --local 2 against half of what they
# take one after the other, and a search that trains its candidates with two workers against one.
#
#   benchmarks/sweep_local.sh [BUILD_FOLDER [EXPERIMENT]]
#
# EXPERIMENT is experiments/quickstart.lua. Each task has one thread. EPOCHS (10) are those of a point, at least
# the experiment's warm-up, TRAIN (1000) its images, ROUNDS (3) how often all of it is measured, in turns; the
# least counts, since what else the machine does only adds. It wants two processors that nothing else uses.
# The project's aim for sweeps is a ratio of at most 1.1.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:-build/release}" && pwd)
file=$(realpath "${2:-$here/../experiments/quickstart.lua}")
eex=$build/bin/eex epochs=${EPOCHS:-10} train=${TRAIN:-1000}
work=$(mktemp -d "${TMPDIR:-/tmp}/eex-sweep-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
cp "$file" experiment.lua
cat >points.lua <<LUA
return {
  experiment = "experiment.lua",
  set = { ["training.epochs"] = $epochs, ["dataset.train"] = $train },
  grid = { ["training.lr"] = { 0.02, 0.05, 0.1, 0.2 } },
  seeds = 2,
}
LUA

seconds() { # seconds COMMAND...
    local begin
    begin=$(date +%s%N)
    "$@" >log 2>&1 || { cat log >&2; exit 1; }
    echo "$(($(date +%s%N) - begin))" | awk '{ printf "%.2f\n", $1 / 1e9 }'
}
sweep() { # sweep TASKS_AT_A_TIME
    rm -rf swept
    seconds "$eex" sweep points.lua --out swept --local "$1" --threads 1
}
search() { # search WORKERS: all of a run that takes over its base
    rm -rf searched
    seconds "$eex" run experiment.lua --out searched --from base --threads "$1" --set search.evaluator=train \
        --set search.trials=16 --set dataset.train="$train" --set candidate.epochs="$epochs" --set search.workers="$1"
}
least() {
    sort -n "$1" | head -1
}

seconds "$eex" run experiment.lua --out base --set search.evaluator=train --set search.trials=1 \
    --set candidate.epochs=1 --set dataset.train="$train" >/dev/null
for _ in $(seq "${ROUNDS:-3}"); do
    sweep 1 >>one
    sweep 2 >>two
    search 1 >>alone
    search 2 >>both
done
awk -v one="$(least one)" -v two="$(least two)" -v alone="$(least alone)" -v both="$(least both)" 'BEGIN {
    printf "a sweep of 8 points: %.2f s one after the other, %.2f s at --local 2: %.2f times half\n", one, two, 2 * two / one
    printf "a search of 16 trainings: %.2f s with one worker, %.2f s with two: %.2f times half\n", alone, both, 2 * both / alone }'
