#!/usr/bin/env bash
# Latency of eex, of frozen, optimised TorchScript and of ONNX Runtime, on the same networks with the
# same weights, in turn (A B C A B C ...) on the same machine, so that all see the same other load: a
# table of medians, with ratios to the faster peer.
#
#   benchmarks/compare_infer.sh [BUILD_FOLDER [ROUNDS [NETWORK...]]]
#
# NETWORK is "resnet50@96": its name and the side of its images. PYTHON is the interpreter with PyTorch,
# h5py and onnxruntime (python3; without onnxruntime its column is empty); BATCH (1), THREADS (all
# processors), RUNS a round (500) and PRECISION (float32; bfloat16-products, beside which TorchScript runs in
# bfloat16 as well) say how. CPU=1 compares processor time on one thread: for machines
# that do other things too.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-build/release}
rounds=${2:-5}
shift $(($# < 2 ? $# : 2))
networks=${*:-mobilenetv2@32 mobilenetv2@96 resnet50@32 resnet50@96}
how=(--batch "${BATCH:-1}" --threads "${THREADS:-$(nproc)}" --rounds "${RUNS:-500}")
if [ -n "${CPU:-}" ]; then
    how+=(--cpu)
    export OMP_NUM_THREADS=1
fi
python=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
log=$folder/log

peer() { # engine network
    local engine=${1%-bfloat16}
    "$python" "$here/peer_infer.py" --models "$folder" --engine "$engine" \
        $([ "$engine" = "$1" ] || echo --bfloat16) "${how[@]}" "$2" \
        2>"$folder/err" || { tail -1 "$folder/err" >&2; exit 1; }
}

precision=${PRECISION:-float32}
engines=(torchscript)
[ "$precision" = float32 ] || engines+=(torchscript-bfloat16)
"$python" -c 'import onnxruntime, onnx' 2>/dev/null && engines+=(onnxruntime)
# shellcheck disable=SC2086
"$build/bin/bench_infer" --write "$folder" $networks
for ((i = 0; i < rounds; i++)); do
    for network in $networks; do
        "$build/bin/bench_infer" "${how[@]}" --precision "$precision" "$network" | sed 's/^/eex /' >>"$log"
        for engine in "${engines[@]}"; do
            peer "$engine" "$network" | sed "s/^/$engine /" >>"$log"
        done
    done
    echo "round $((i + 1)) of $rounds done" >&2
done

sed -n 's/^[a-z]* # //p' "$log" | sort -u
echo "batch ${BATCH:-1}, eex in $precision"
awk -f "$here/compare_infer.awk" "$log"
