#!/usr/bin/env bash
# What the parts of experiments/edanas_beyond_cifar10.lua are worth, each at an equal budget: surrogates
# against searches without, a joint search against exits on the best backbone, batch norm's statistics
# taken anew against those of the largest network, and in-place distillation against labels for all.
#
#   benchmarks/edanas_ablations.sh RUN [BUILD_FOLDER [OUT]]
#
# RUN is a finished run of that experiment, whose supernet is used. Its whole space is judged once (12
# minutes of one core), and searches are tried on that, with SEEDS (10) seeds, TRIALS (160) and INITIAL
# (56). The supernets with and without distillation are trained anew, on TRAIN (10000) images for EPOCHS
# (10), with each seed of TWICE ("0 1"), and RANDOM_TRIALS (64) networks are judged by each, the same ones. THREADS
# (1), and PYTHON, an interpreter with h5py and NumPy (python3). ERROR (28.08 %) and MACS (11050000) are the
# reference point of hypervolumes, DISTILLED_ERROR (50) that of the supernets trained here. Runs stay in OUT
# (runs/ablations): what is there is not done again. No choice is made, so what counts are validation images.
# A RUN of another experiment, or with other fields: FILE is its script, SET its --set arguments ("A=1 B=2").
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '6s/^# *//p' "$0" >&2; exit 2; }
from=$1
build=${2:-build/release}
out=${3:-runs/ablations}
eex=$build/bin/eex
file=${FILE:-$here/../experiments/edanas_beyond_cifar10.lua}
error=${ERROR:-28.08} macs=${MACS:-11050000}
set=()
for one in ${SET:-}; do set+=(--set "$one"); done
mkdir -p "$out"

run() { # folder, arguments
    local folder=$1
    shift
    "$eex" run "$file" --out "$out/$folder" --threads "${THREADS:-1}" ${set[@]+"${set[@]}"} \
        --set search.front=0 --set final.epochs=0 "$@" >"$out/$folder.txt"
}

fronts() { # error, arguments
    local at=$1
    shift
    "${PYTHON:-python3}" "$here/compare_fronts.py" --error "$at" --macs "$macs" "$@"
}

echo "== surrogates against searches without"
run all --from "$from" --set search.algorithm=exhaustive --set search.trials=1000000
"$build/bin/bench_search" "$out/all/search.h5" "${SEEDS:-10}" "${TRIALS:-160}" "${INITIAL:-56}" \
    "$error" "$macs" | grep -v tau

echo "== exits on the best backbone alone, against all networks and exits"
fronts "$error" --backbones "$out/all"

echo "== batch norm's statistics: those of the largest network"
run statistics --from "$from" --set search.statistics=0 --set search.trials="${TRIALS:-160}" \
    --set search.initial="${INITIAL:-56}"
fronts "$error" --truth "$out/all" "$out/statistics"

echo "== in-place distillation against labels"
small=(--set dataset.train="${TRAIN:-10000}" --set training.epochs="${EPOCHS:-10}"
    --set search.algorithm=random --set search.trials="${RANDOM_TRIALS:-64}")
for seed in ${TWICE:-0 1}; do
    run "distilled-$seed" --seed "$seed" "${small[@]}"
    run "labels-$seed" --seed "$seed" --from "$out/distilled-$seed" "${small[@]}" \
        --set training.distill.weight=0
    fronts "${DISTILLED_ERROR:-50}" "$out/distilled-$seed" "$out/labels-$seed"
done
