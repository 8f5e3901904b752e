#!/usr/bin/env bash
# fuzz_guided.sh wire|server|device|store FOLDER [libFuzzer's options] [FOLDER OF FILES...]: feeds the decoder of
# messages, the server's or the device's end of a conversation, or the reader of the store, with what reaches code
# that nothing before has reached (libFuzzer, under the address and undefined-behaviour sanitizers). FOLDER keeps
# what did, and a later call goes on from there. What crashes, hangs (10 s) or asks for too much memory is written
# to where the script is called and ends it.
#
#   scripts/fuzz_guided.sh wire build/corpus-wire -max_total_time=60
#   scripts/fuzz_guided.sh store build/corpus-store -max_total_time=600 -seed=7 runs/quickstart
#
# 77: there is no clang with libFuzzer here.
set -euo pipefail
shopt -s extglob
here=$(cd "$(dirname "$0")/.." && pwd)
[ $# -ge 2 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
reader=$1 corpus=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

flags=(-std=c17 -g -O1 -D_GNU_SOURCE -DEEX_GUIDED -DEEX_VERSION='""' -I"$here/src" -I"$here/tests"
    -DEEX_FIXTURES="\"$here/tests/fixtures\"" -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined)
if ! echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d && n > 99; }' |
    clang "${flags[@]}" -x c - -o "$work/try" 2>"$work/said"; then
    echo "skipped: clang does not link libFuzzer here (Debian: clang, libclang-rt-14-dev):" >&2
    head -3 "$work/said" >&2
    exit 77
fi

case $reader in
wire)
    sources=("$here"/tests/net/fuzz_wire.c "$here"/src/net/wire.c) libraries=() limits=(-max_len=4098)
    ;;
server)
    sources=("$here"/tests/net/{fuzz_server,talk}.c "$here"/src/net/{session,floods,wire}.c "$here"/src/core/use/histogram.c)
    libraries=(-Wl,--wrap=eex_clock_seconds) limits=(-max_len=1000)
    ;;
device)
    sources=("$here"/tests/net/{fuzz_device,talk}.c "$here"/src/net/{remote,wire}.c)
    libraries=(-Wl,--wrap=eex_clock_seconds,--wrap=poll) limits=(-max_len=1000)
    ;;
store)
    sources=("$here"/tests/core/store/fuzz_store.c "$here"/tests/support/store_digest.c "$here"/src/core/store/*.c)
    # shellcheck disable=SC2046
    libraries=($(pkg-config --cflags --libs hdf5 zlib)
        -Wl,--wrap=eex__h5_lookup3_fits,--wrap=eex__h5_fletcher32_fits,--wrap=eex__reader_check_seal)
    limits=(-max_len=65536)
    set -- "$@" "$here/tests/fixtures"
    ;;
*)
    echo "$reader: wire, server, device or store" >&2
    exit 2
    ;;
esac
# share.c wants to be told where the program lies, which none here asks.
clang "${flags[@]}" "${sources[@]}" "$here"/tests/support/rounds.c "$here"/src/base/!(share).c "${libraries[@]}" -lm \
    -lpthread -o "$work/fuzz"
mkdir -p "$corpus"
"$work/fuzz" -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256 "${limits[@]}" "$corpus" "$@"
