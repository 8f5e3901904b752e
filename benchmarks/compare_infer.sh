#!/usr/bin/env bash
# Latency of eex and of frozen, optimised TorchScript, in turn (A B A B ...) on the same machine, so
# that both see the same other load: a table of medians with their ratios.
#
#   benchmarks/compare_infer.sh [BUILD_FOLDER [ROUNDS [NETWORK...]]]
#
# PYTHON is the interpreter with PyTorch (python3); BATCH (1), THREADS (all processors) and RUNS a
# round (500) say how. CPU=1 compares processor time on one thread: for machines that do other things
# too.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-build/release}
rounds=${2:-5}
shift $(($# < 2 ? $# : 2))
networks=${*:-mobilenetv2 resnet50}
how=(--batch "${BATCH:-1}" --threads "${THREADS:-$(nproc)}" --rounds "${RUNS:-500}")
if [ -n "${CPU:-}" ]; then
    how+=(--cpu)
    export OMP_NUM_THREADS=1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT

for ((i = 0; i < rounds; i++)); do
    for network in $networks; do
        "$build/bin/bench_infer" "${how[@]}" "$network" | sed 's/^/ours /' >>"$log"
        "${PYTHON:-python3}" "$here/peer_torch_infer.py" "${how[@]}" "$network" 2>/dev/null |
            sed 's/^/peer /' >>"$log"
    done
    echo "round $((i + 1)) of $rounds done" >&2
done

grep -m1 PyTorch "$log" | sed 's/^peer //'
awk -f "$here/compare.awk" -v unit=ms -v better=less "$log"
