#!/usr/bin/env bash
# What the kernels take of a chip: registers, and what does not fit into them (spills), as ptxas says.
#
#   scripts/kernel_registers.sh [ARCHITECTURES [FILE...]]
#   scripts/kernel_registers.sh --logs FOLDER     of what ptxas has said before: FILE.cu.CHIP there
#
# ARCHITECTURES are such as "75 80 90", those of this list that nvcc knows by default: 61 75 80 90. Prints
# a line a kernel that spills or has 128 registers or more; ends with 1 where a kernel spills that is not
# in scripts/kernel_registers.txt, or spills more than it says there, and with 77 without nvcc. JOBS says how
# many compile at once. check_sm61.sh looks at 6.1, which newer toolkits do not know.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the logs of ptxas say, as "CHIP FILE SPILLED REGISTERS KERNEL".
kernels() { # kernels LOG...
    local log name
    for log; do
        name=$(basename "$log")
        awk -v chip="${name##*.}" -v file="${name%.*}" '
            /Compiling entry function/ { split($0, part, "\047"); kernel = part[2]; spill = 0; wanted = 1 }
            /spill stores/ && wanted { spill = $5 }
            /Used [0-9]+ registers/ && wanted {
                for (i = 1; i < NF; i++) if ($i == "Used") print chip, file, spill, $(i + 1), kernel
                wanted = 0
            }' "$log"
    done | c++filt
}

# One file for one chip; its log lies in $work.
compile() { # compile CHIP FILE
    local log
    log=$work/$(basename "$2").$1
    "$nvcc" -std=c++17 -O2 -Isrc -isystem "$(dirname "$nvcc")/../include" -gencode "arch=compute_$1,code=sm_$1" \
        -Xptxas -v -c -o "$log.o" "$2" >"$log" 2>&1 || { cat "$log"; return 1; }
    rm "$log.o"
}

compile_all() { # compile_all CHIPS FILE...
    local chips=$1 chip known
    shift
    nvcc=${CUDACXX:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
    [ -x "$nvcc" ] || { echo "there is no nvcc here"; exit 77; }
    known=$("$nvcc" --list-gpu-code)
    export nvcc work
    export -f compile
    for chip in $chips; do
        if ! grep -qx "sm_$chip" <<<"$known"; then
            echo "# $("$nvcc" --version | grep -oE 'release [0-9.]+') does not know $chip" >&2
            continue
        fi
        printf '%s\n' "$@" | xargs -P "${JOBS:-$(nproc)}" -I{} bash -c 'compile "$1" "$2"' _ "$chip" {}
    done
}

logs=$work
if [ "${1:-}" = --logs ]; then
    logs=$2
else
    wanted=${1:-61 75 80 90}
    [ $# -eq 0 ] || shift
    [ $# -gt 0 ] || set -- src/cuda/*.cu
    compile_all "$wanted" "$@"
fi
ls "$logs"/*.cu.[0-9]* >/dev/null 2>&1 || { echo "nothing was compiled: no chip of ${wanted:-those in $logs}"; exit 77; }
kernels "$logs"/*.cu.[0-9]* >"$work/all"
awk '$3 > 0 || $4 >= 128' "$work/all" | sort -k2,2 -k5 -k1,1n
echo "# $(wc -l <"$work/all") kernels"
awk 'NR == FNR { if ($0 !~ /^#/) allowed[$1 " " $2] = $3; next }
    $3 > allowed[$1 " " $2] + 0 { print "new spills:", $0; bad = 1 }
    END { exit bad }' scripts/kernel_registers.txt "$work/all"
