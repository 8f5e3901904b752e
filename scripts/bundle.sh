#!/usr/bin/env bash
# Makes a folder that runs where nothing is installed, and an archive of it: the program, the Lua
# library, experiments, and every shared library they need but glibc, NVIDIA's driver, CUDA and
# cuDNN, which have to be those of the machine.
#
#   scripts/bundle.sh BUILD_FOLDER [OUT_FOLDER]      (build/bundle); "make bundle" calls it
#
# BUNDLE_TESTS=1 adds the test programs, for a GPU machine without packages; configure the build with
# -DEEX_TEST_ROOT=. then, so that they look for their files where they are run (make bundle does).
set -euo pipefail
build=${1:?usage: scripts/bundle.sh BUILD_FOLDER [OUT_FOLDER]}
out=${2:-build/bundle}
source=$(cd "$(dirname "$0")/.." && pwd)
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$build/CMakeCache.txt")
name=eex-$version-linux-$(uname -m)
folder=$out/$name

# What comes with glibc, and what belongs to the machine's driver and CUDA.
own='^(linux-vdso|ld-linux|lib(c|m|dl|rt|pthread|util|resolv|mvec|anl|nss_.*|BrokenLocale)\.so)'
own+='|^lib(cuda|cudart|cublas|cublasLt|cudnn.*|nvidia-.*|nvrtc.*|nvJitLink)\.so'

# The libraries a program needs, one path a line; those that are not found end everything.
needs() {
    local table
    table=$(ldd "$1")
    if grep 'not found' <<<"$table" >&2; then
        echo "bundle: $1 needs what is not here" >&2
        exit 1
    fi
    awk '$2 == "=>" && $3 ~ /^\// {print $3}' <<<"$table" | while read -r path; do
        [[ ${path##*/} =~ $own ]] || echo "$path"
    done
}

add_libraries() {
    local path
    needs "$1" | while read -r path; do
        [ -e "$folder/lib/${path##*/}" ] || install -m 755 "$path" "$folder/lib/${path##*/}"
    done
}

# The terms under which each library may be passed on, where the system's packages say them.
add_licences() {
    local path package
    mkdir -p "$folder/share/doc/eex/licences"
    cp "$source/LICENSE" "$folder/share/doc/eex/"
    command -v dpkg-query >/dev/null || return 0
    for path in "$folder"/lib/*; do
        package=$(dpkg-query -S "*/${path##*/}" 2>/dev/null | sed -n '1s/:.*//p')
        if [ -n "$package" ] && [ -f "/usr/share/doc/$package/copyright" ]; then
            cp -L "/usr/share/doc/$package/copyright" "$folder/share/doc/eex/licences/$package"
        fi
    done
}

# The tests for GPUs and what they read: tests/run.sh runs them on the machine's first one.
add_tests() {
    local program
    mkdir -p "$folder/tests/bin" "$folder/tests/tests"
    for program in "$build"/bin/gpu_*; do
        [ -x "$program" ] || continue
        strip -o "$folder/tests/bin/${program##*/}" "$program"
        add_libraries "$program"
    done
    if [ -x "$build/bin/bench_cuda" ]; then
        strip -o "$folder/bin/bench_cuda" "$build/bin/bench_cuda"
        cp "$source"/benchmarks/{first_hour.sh,compare_cuda.*,peer_torch_cuda.py,peer_networks.py} "$folder/bin/"
    fi
    cp -r "$source"/tests/{fixtures,cli} "$folder/tests/tests/"
    for program in lua experiments datasets export; do
        cp -r "$source/$program" "$folder/tests/"
    done
    cp "$source/scripts/run_tests.sh" "$folder/tests/run.sh"
}

write_readme() {
    cat >"$folder/README" <<TEXT
eex $version: finds, trains, calibrates and runs early-exit neural networks.

    bin/eex devices                                  what it can run on
    bin/eex run share/eex/experiments/quickstart.lua a first experiment, about a minute

The folder can be anywhere. It needs Linux with glibc $glibc or newer, nothing else for "--device cpu".

GPUs ("--device cuda") need NVIDIA's driver, cuBLAS and cuDNN (8.9 or 9) of the machine. Where the
two libraries are not in the system's library path, name their folders:

    export EEX_CUBLAS_DIR=/path/to/the/folder/of/libcublas.so.*
    export EEX_CUDNN_DIR=/path/to/the/folder/of/libcudnn.so.*

"bin/eex devices" says what is found and what is missing.
TEXT
    [ -d "$folder/tests" ] && cat >>"$folder/README" <<'TEXT'

    bash tests/run.sh              the tests on this machine's GPU
    bash bin/first_hour.sh .       the first look at a machine: tests, figures, and what failures mean
    bash bin/compare_cuda.sh .     what bench_cuda measures, beside PyTorch
TEXT
    return 0
}

rm -rf "$folder" "$folder.tar.xz"
mkdir -p "$folder/lib"
cmake --install "$build" --prefix "$folder" --component program --strip >/dev/null
add_libraries "$folder/bin/eex"
[ -z "${BUNDLE_TESTS:-}" ] || add_tests
# The newest version of glibc that anything in it asks for.
glibc=$({ find "$folder" -type f \( -name '*.so*' -o -perm -u+x \) -exec objdump -T {} + 2>/dev/null ||
    true; } | # which does not like scripts
    grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -1 | sed 's/GLIBC_//')
add_licences
write_readme
packing=(-6 -T0)
# Each test holds all kernels, the same bytes again and again, tens of megabytes apart.
[ -z "${BUNDLE_TESTS:-}" ] || packing=(-T1 --lzma2=preset=0,dict=128MiB)
tar -C "$out" -cf - "$name" | xz "${packing[@]}" >"$folder.tar.xz"
du -sh "$folder" "$folder.tar.xz" | sed 's/^/bundle: /'
