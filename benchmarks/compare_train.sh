#!/usr/bin/env bash
# Training throughput of eex and of eager PyTorch, in turn (A B A B ...) on the same machine, so that
# both see the same other load: a table of medians with their ratios.
#
#   benchmarks/compare_train.sh [BUILD_FOLDER [ROUNDS [NETWORK...]]]
#
# PYTHON is the interpreter with PyTorch (python3); BATCH (128), THREADS (all processors),
# SECONDS_A_WINDOW (2), WINDOWS a round (3) and PRECISION (float32; bfloat16-products, beside which PyTorch
# runs under autocast to bfloat16) say how. CPU=1 compares processor time on one thread:
# for machines that do other things too.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-build/release}
rounds=${2:-5}
shift $(($# < 2 ? $# : 2))
networks=${*:-mobilenetv2 mobilenetv2+gates resnet50}
how=(--batch "${BATCH:-128}" --threads "${THREADS:-$(nproc)}" --windows "${WINDOWS:-3}"
    --seconds "${SECONDS_A_WINDOW:-2}" --precision "${PRECISION:-float32}")
if [ -n "${CPU:-}" ]; then
    how+=(--cpu)
    export OMP_NUM_THREADS=1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT

for ((i = 0; i < rounds; i++)); do
    for network in $networks; do
        "$build/bin/bench_train" "${how[@]}" "$network" | sed 's/^/ours /' >>"$log"
        "${PYTHON:-python3}" "$here/peer_torch_train.py" "${how[@]}" "$network" 2>/dev/null |
            sed 's/^/peer /' >>"$log"
    done
    echo "round $((i + 1)) of $rounds done" >&2
done

grep -m1 PyTorch "$log" | sed 's/^peer //'
awk -f "$here/compare.awk" -v unit=images/s -v better=more "$log"
