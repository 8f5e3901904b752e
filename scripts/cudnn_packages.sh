#!/usr/bin/env bash
# Fetches cuDNN 8 and 9, with the cuBLAS that both open, from Python's packages into FOLDER, and prints where their
# libraries lie, for EEX_CUDNN_FOLDERS of tests/cuda/emulated_cudnn.sh. 2.6 GB on disk; what is there stays, and is not
# fetched again. Where they cannot be had in time (SECONDS, 240 without) it says why on stderr, prints those that are
# there and ends with 77.
set -u
[ $# -ge 1 ] || { echo "cudnn_packages.sh FOLDER [SECONDS]" >&2; exit 2; }
folder=$1
end=$((SECONDS + ${2:-240}))
mkdir -p "$folder" || exit 77
folder=$(cd "$folder" && pwd)
failed=0

# fetch NAME PACKAGE...: whole or not at all.
fetch() {
    local name=$1 left=$((end - SECONDS))
    shift
    [ -d "$folder/$name" ] || [ $failed != 0 ] && return
    rm -rf "$folder/$name.part"
    if [ $left -gt 0 ] && timeout "$left" python3 -m pip install -q --no-deps --no-cache-dir --no-compile \
        --disable-pip-version-check --root-user-action ignore --target "$folder/$name.part" "$@" >&2; then
        mv "$folder/$name.part" "$folder/$name"
    else
        rm -rf "$folder/$name.part"
        echo "cudnn_packages.sh: $* cannot be had here and now" >&2
        failed=77
    fi
}

fetch cublas nvidia-cublas-cu12==12.6.4.1
for version in 8.9.7.29 9.10.2.21; do
    fetch "cudnn-$version" "nvidia-cudnn-cu12==$version"
    libraries=$folder/cudnn-$version/nvidia/cudnn/lib
    [ -d "$libraries" ] && [ -d "$folder/cublas/nvidia/cublas" ] || continue
    # They look for cuBLAS beside themselves.
    ln -sfn "$folder/cublas/nvidia/cublas" "$folder/cudnn-$version/nvidia/cublas"
    echo "$libraries"
done
exit $failed
