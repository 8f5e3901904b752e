#!/usr/bin/env bash
# Compiles every kernel for compute capability 6.1 (the Tesla P40 and its generation), which CUDA 13
# cannot do any more, and every host file of src/cuda against the headers of CUDA 11.8.
#
#   scripts/check_sm61.sh [FOLDER]     keeps what it installs in FOLDER (build/sm61)
#
# clang translates the kernels with the headers and the device library of CUDA 11.8, and 11.8's own
# ptxas makes machine code of that. Both come as Python packages, 20 MB together. What ptxas says of
# registers is looked through for new spills (kernel_registers.sh). Ends with 77 and a reason where
# something of this cannot be installed. JOBS says how many run at once.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-build/sm61}
jobs=${JOBS:-$(nproc)}
version=11.8.89
toolkit=$folder/toolkit

skip() {
    echo "sm_61: skipped, $*"
    exit 77
}

install() {
    python3 -m pip --version >/dev/null 2>&1 || skip "there is no pip to install CUDA $version with"
    timeout "${PATIENCE:-120}" python3 -m pip install --quiet --no-deps --target "$folder/packages" \
        "nvidia-cuda-nvcc-cu11==$version" "nvidia-cuda-runtime-cu11==$version" \
        nvidia-nvtx-cu11 2>"$folder/pip.log" ||
        skip "CUDA $version cannot be installed: $(tail -1 "$folder/pip.log")"
}

# The folders as a toolkit has them; clang insists on a header for random numbers that nothing here
# uses.
arrange() {
    local packages
    packages=$(cd "$folder/packages/nvidia" && pwd)
    mkdir -p "$toolkit/bin" "$toolkit/nvvm" "$toolkit/lib64" "$toolkit/include"
    ln -sfn "$packages/cuda_nvcc/bin/ptxas" "$toolkit/bin/ptxas"
    ln -sfn "$packages/cuda_nvcc/nvvm/libdevice" "$toolkit/nvvm/libdevice"
    for part in cuda_runtime cuda_nvcc nvtx; do
        cp -rf "$packages/$part/include/." "$toolkit/include/"
    done
    chmod +x "$toolkit/bin/ptxas"
    : >"$toolkit/include/curand_mtgp32_kernel.h"
    echo "CUDA Version $version" >"$toolkit/version.txt"
}

ptxas() {
    local log=$folder/$1.cu.61
    "$toolkit/bin/ptxas" -v -arch=sm_61 "$folder/$1.ptx" -o "$folder/$1.cubin" >"$log" 2>&1 || { cat "$log"; return 1; }
}

# clang takes the tables of host functions for constants that the device may want; they go.
kernel() {
    local name
    name=$(basename "$1" .cu)
    clang++ -std=c++17 -x cuda --cuda-path="$toolkit" --cuda-gpu-arch=sm_61 --cuda-device-only \
        -isystem "$toolkit/include" -Isrc -O2 -Wno-unknown-cuda-version -Wno-unused-function \
        -Wno-pass-failed -S "$1" -o "$folder/$name.ptx" &&
        sed -i -E '/^\.visible \.(global|const).* eex__cuda_[a-z0-9_]+\[[0-9]+\] = /d' \
            "$folder/$name.ptx" &&
        ptxas "$name" &&
        clang++ -std=c++17 -x cuda --cuda-path="$toolkit" --cuda-gpu-arch=sm_61 --cuda-host-only \
            -isystem "$toolkit/include" -Isrc -Wno-unknown-cuda-version -Wno-unused-function \
            -fsyntax-only "$1" || {
        echo "sm_61: $1 does not compile"
        return 1
    }
}

# cuBLAS and cuDNN are too large to install for their headers: those of the toolkit in use serve, with
# two types that 11.8 does not know and nothing here uses.
host() {
    cc -std=c17 -D_GNU_SOURCE -DcudaEmulationSpecialValuesSupport=int \
        -DcudaEmulationMantissaControl=int -isystem "$toolkit/include" -isystem "$libraries" \
        -Isrc -fsyntax-only -Wall -Werror=implicit-function-declaration "$1" || {
        echo "CUDA $version: $1 does not compile"
        return 1
    }
}

command -v clang++ >/dev/null || skip "clang is not installed"
mkdir -p "$folder"
if [ ! -f "$toolkit/version.txt" ]; then
    install
    arrange
fi
libraries=${CUDA_INCLUDE:-$(dirname "$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)")/../include}
export folder toolkit version libraries
export -f kernel ptxas host
rm -f "$folder"/*.cu.61

printf '%s\n' src/cuda/*.cu | xargs -P "$jobs" -I{} bash -c 'kernel {}'
count=$(ls src/cuda/*.cu | wc -l)
echo "sm_61: all $count files of kernels compile"
scripts/kernel_registers.sh --logs "$folder"
if [ -f "$libraries/cudnn.h" ]; then
    printf '%s\n' src/cuda/*.c | xargs -P "$jobs" -I{} bash -c 'host {}'
    echo "CUDA $version: all $(ls src/cuda/*.c | wc -l) host files compile with its headers"
else
    echo "CUDA $version: host files not tried, for there is no cudnn.h"
fi
