#!/usr/bin/env bash
# What other processes cost: the latency of one image and the throughput of training beside 0, 1 and 2
# busy processes, with as many threads as eex chooses, with one and with two, and by ONNX Runtime on the
# same networks with the same weights. All of them in turn (A B C A B C ...) on the same machine, at each
# load: tables of medians, with ratios to one thread without load (latency) and to the same without load
# (training).
#
#   benchmarks/compare_load.sh [BUILD_FOLDER [ROUNDS]]
#
# The busy processes are loops of the shell, pinned nowhere; they end with the measurement that they were
# started for. Nothing else should run. LOADS ("0 1 2"), INFER (mobilenetv2@32 resnet50@32) and TRAIN
# (mobilenetv2; "" for none) say what is measured; RUNS a round (500), SECONDS_A_WINDOW (2), WINDOWS a
# round (3) and BATCH of the training (128) how long. BEFORE is the build folder of another version, which
# then has columns too. PYTHON is the interpreter with PyTorch, h5py, onnx and onnxruntime (python3).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-build/release}
rounds=${2:-5}
infer=${INFER-mobilenetv2@32 resnet50@32}
train=${TRAIN-mobilenetv2}
python=${PYTHON:-python3}
folder=$(mktemp -d)
busy=()

relieve() {
    [ ${#busy[@]} = 0 ] || kill "${busy[@]}" 2>/dev/null || true
    [ ${#busy[@]} = 0 ] || wait "${busy[@]}" 2>/dev/null || true
    busy=()
}
trap 'relieve; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

burden() { # processes
    local i
    for ((i = 0; i < $1; i++)); do
        (while :; do :; done) &
        busy+=($!)
    done
}

# Runs a command and keeps what it prints of networks, as "what load who network value".
note() { # what load who command...
    local what=$1 load=$2 who=$3
    shift 3
    "$@" 2>"$folder/err" >"$folder/out" || { tail -1 "$folder/err" >&2; exit 1; }
    awk -v head="$what $load $who" '$3 == "ms" || $3 == "images/s" { print head, $1, $2 }' \
        "$folder/out" >>"$folder/log"
}

infer_all() { # load network
    local how=(--batch 1 --rounds "${RUNS:-500}") threads
    for threads in 0 1 2; do
        note infer "$1" "eex:$threads" "$build/bin/bench_infer" "${how[@]}" --threads $threads "$2"
        [ -z "${BEFORE:-}" ] ||
            note infer "$1" "before:$threads" "$BEFORE/bin/bench_infer" "${how[@]}" \
                --threads $threads "$2"
        [ -z "$peer" ] ||
            note infer "$1" "onnxruntime:$threads" "$python" "$here/peer_infer.py" \
                --models "$folder" --engine onnxruntime "${how[@]}" --threads $threads "$2"
    done
}

train_all() { # load network
    local how=(--batch "${BATCH:-128}" --windows "${WINDOWS:-3}" --seconds "${SECONDS_A_WINDOW:-2}")
    local threads
    for threads in 0 1; do
        note train "$1" "eex:$threads" "$build/bin/bench_train" "${how[@]}" --threads $threads "$2"
        [ -z "${BEFORE:-}" ] ||
            note train "$1" "before:$threads" "$BEFORE/bin/bench_train" "${how[@]}" \
                --threads $threads "$2"
    done
}

peer=onnxruntime
"$python" -c 'import h5py, onnx, onnxruntime, torch' 2>/dev/null || peer=
[ -n "$peer" ] || echo "onnxruntime (or torch, h5py, onnx) is not installed for $python: no peer" >&2
# shellcheck disable=SC2086
[ -z "$peer" ] || "$build/bin/bench_infer" --write "$folder" $infer
touch "$folder/log"
for ((i = 0; i < rounds; i++)); do
    for load in ${LOADS:-0 1 2}; do
        burden "$load"
        for network in $infer; do
            infer_all "$load" "$network"
        done
        for network in $train; do
            train_all "$load" "$network"
        done
        relieve
    done
    echo "round $((i + 1)) of $rounds done" >&2
done

echo "$(nproc) processors; medians of $rounds rounds; threads 0: as many as are chosen"
awk -f "$here/compare_load.awk" "$folder/log"
