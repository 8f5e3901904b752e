#!/usr/bin/env bash
# How fast `eex export --c` is beside the engine, and how large: the same frames, one at a time, on one
# thread, to the end of the network, in turns.
#
#     benchmarks/compare_c99.sh EEX MODEL [ROUNDS [CFLAGS]]
#
# MODEL is a run or a model file. Prints a line: bytes of constants and of memory, milliseconds of a
# frame by both (the lower quartile over all rounds), and their ratio. Status 1: the export takes more
# than twice the engine's time.
set -eu
eex=$1 model=$2 rounds=${3:-11} flags=${4:--O3 -march=native -ffp-contract=fast}
frames=200
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$eex" export "$model" --c "$work/c" --policy none >/dev/null
cat >"$work/c/time.c" <<'C'
#define _POSIX_C_SOURCE 199309L
#include "model.h"
#include <stdio.h>
#include <time.h>
static unsigned char image[MODEL_IMAGE];
static float memory[MODEL_MEMORY];
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}
int main(void)
{
    model_result r;
    while (fread(image, 1, sizeof image, stdin) == sizeof image) {
        const double began = now();
        model_run(&r, image, memory);
        printf("%.6f\n", now() - began);
    }
    return 0;
}
C
make -s -C "$work/c" libmodel.a CFLAGS="$flags"
# shellcheck disable=SC2086
${CC:-cc} -std=c99 $flags -o "$work/time" "$work/c/time.c" -I"$work/c" "$work/c/libmodel.a" -lm
constant() { sed -n "s/^#define $1 \([0-9]*\).*/\1/p" "$work/c/model.h"; }
width=$(constant MODEL_WIDTH) height=$(constant MODEL_HEIGHT)
head -c $((frames * width * height * 3)) /dev/urandom >"$work/frames"

for _ in $(seq "$rounds"); do
    "$eex" stream "$model" - --format rgb --size "${width}x$height" --policy none --threads 1 \
        --decisions "$work/said" --force <"$work/frames" >/dev/null 2>&1
    sed -n 's/.*"latency_ms": \([0-9.e-]*\).*/\1/p' "$work/said" >>"$work/engine"
    "$work/time" <"$work/frames" >>"$work/export"
done
quartile() { sort -g "$1" | awk '{ a[NR] = $1 } END { print a[int((NR + 3) / 4)] }'; }
constants=$(constant MODEL_CONSTANTS) memory=$((4 * $(constant MODEL_MEMORY)))
awk -v e="$(quartile "$work/engine")" -v c="$(quartile "$work/export")" -v k="$constants" -v m="$memory" 'BEGIN {
    printf "%.0f kB of constants, %.0f kB of memory; engine %.3f ms, export %.3f ms: %.2f times\n", k / 1e3, m / 1e3, e, c, c / e
    exit c > 2 * e }'
