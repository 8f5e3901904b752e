#!/usr/bin/env bash
# What the kernels take of a chip: registers, and what does not fit into them (spills), as ptxas says.
#
#   scripts/kernel_registers.sh [ARCHITECTURES [FILE...]]
#
# ARCHITECTURES are such as "75 80 90", those of this list that nvcc knows by default: 61 75 80 90. Prints
# a line a kernel that spills or has 128 registers or more; ends with 1 where a kernel spills that is not
# in scripts/kernel_registers.txt, or spills more than it says there, and with 77 without nvcc.
set -euo pipefail
cd "$(dirname "$0")/.."
nvcc=${CUDACXX:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
[ -x "$nvcc" ] || { echo "there is no nvcc here"; exit 77; }
known=$("$nvcc" --list-gpu-code)
wanted=${1:-61 75 80 90}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- src/cuda/*.cu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What ptxas says of one file for one chip, as "CHIP FILE SPILLED REGISTERS KERNEL".
kernels() {
    local arch=$1 file=$2 log
    log=$work/$(basename "$file").$arch
    "$nvcc" -std=c++17 -O2 -Isrc -isystem "$(dirname "$nvcc")/../include" -gencode "arch=compute_$arch,code=sm_$arch" \
        -Xptxas -v -c -o "$log.o" "$file" >"$log" 2>&1 || { cat "$log"; return 1; }
    awk -v chip="$arch" -v file="$(basename "$file")" '
        /Compiling entry function/ { split($0, part, "\047"); name = part[2]; spill = 0; wanted = 1 }
        /spill stores/ && wanted { spill = $5 }
        /Used [0-9]+ registers/ && wanted {
            for (i = 1; i < NF; i++) if ($i == "Used") print chip, file, spill, $(i + 1), name
            wanted = 0
        }' "$log" | c++filt
}

for arch in $wanted; do
    if ! grep -qx "sm_$arch" <<<"$known"; then
        echo "# $("$nvcc" --version | grep -oE 'release [0-9.]+') does not know $arch" >&2
        continue
    fi
    for file; do
        kernels "$arch" "$file"
    done
done >"$work/all"

[ -s "$work/all" ] || { echo "nothing was compiled: no chip of $wanted"; exit 77; }
awk '$3 > 0 || $4 >= 128' "$work/all" | sort -k2,2 -k5 -k1,1n
echo "# $(wc -l <"$work/all") kernels"
awk 'NR == FNR { if ($0 !~ /^#/) allowed[$1 " " $2] = $3; next }
    $3 > allowed[$1 " " $2] + 0 { print "new spills:", $0; bad = 1 }
    END { exit bad }' scripts/kernel_registers.txt "$work/all"
