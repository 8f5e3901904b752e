#!/usr/bin/env bash
# Everything that bench_cuda measures beside the same in PyTorch, in turn (A B A B ...) on the same
# GPU, as one table with the ratios, what was aimed at, and the machine.
#
#   benchmarks/compare_cuda.sh [BUILD_FOLDER [ROUNDS [TEXT]]]
#
# TEXT: only what has it in its name ("train/mobilenetv2", "head"). PYTHON is the interpreter with
# PyTorch (python3); COMPILE=0 leaves torch.compile out, which takes minutes; it runs once, in the
# first round. Ends with 77 and a reason where there is no GPU.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-build/release}
rounds=${2:-3}
only=${3:-}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

peer() {
    "${PYTHON:-python3}" "$here/peer_torch_cuda.py" "$@" ${only:+"$only"} >>"$log" ||
        echo "# PyTorch ends with $?: $*" >>"$log"
}

if [ ! -x "$build/bin/bench_cuda" ]; then
    echo "no GPU to measure on: $build was built without CUDA (-DEEX_CUDA=ON)"
    exit 77
fi
for ((i = 0; i < rounds; i++)); do
    status=0
    "$build/bin/bench_cuda" ${only:+"$only"} >"$log.ours" || status=$?
    if [ "$status" != 0 ]; then
        cat "$log.ours"
        rm -f "$log.ours"
        exit "$status"
    fi
    sed 's/^\([^#]\)/ours \1/' "$log.ours" >>"$log"
    rm -f "$log.ours"
    peer
    if [ "$i" = 0 ] && [ "${COMPILE:-1}" != 0 ]; then
        peer --compile
    fi
    echo "round $((i + 1)) of $rounds done" >&2
done
awk -f "$here/compare_cuda.awk" "$log"
