#!/usr/bin/env bash
# Unpacks a bundle elsewhere and runs it with an empty environment: it must start, take every library
# but the system's own from its folder, and work through a few steps of an experiment.
#
#   scripts/check_bundle.sh [ARCHIVE]      (the one in build/bundle)
set -euo pipefail
cd "$(dirname "$0")/.."
archive=${1:-$(ls build/bundle/eex-*.tar.xz)}
work=$(mktemp -d "${TMPDIR:-/tmp}/eex-bundle-XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
    echo "bundle: $*" >&2
    exit 1
}

size=$(stat -c %s "$archive")
[ "$size" -lt 40000000 ] || fail "$archive is larger than 40 MB: $size bytes"
tar -C "$work" -xf "$archive"
cd "$work"/eex-*/

# Where the loader finds each library: in lib/, or glibc.
strays=$(env -i ldd bin/eex | awk '$2 == "=>" {print $3}' |
    grep -vE "^$work/|/lib(c|m|dl|rt|pthread|resolv)\.so" || true)
[ -z "$strays" ] || fail "libraries from outside: $strays"
if env -i ldd bin/eex | grep -E 'lib(cuda|cudart|cublas|cudnn|nvrtc|nvidia)|not found'; then
    fail "linked to what may not be there"
fi

env -i bin/eex devices | grep '^cpu ' || fail "it does not start"
env -i bin/eex devices --json >/dev/null
env -i HOME="$work" EEX_DATA="$work/data" bin/eex run share/eex/experiments/quickstart.lua \
    --out "$work/run" --set dataset.train=600 --set dataset.calibration=100 \
    --set dataset.validation=100 --set training.epochs=4 --set search.trials=50 \
    >"$work/out" 2>"$work/err" || { cat "$work/err" >&2; fail "the quick start does not run"; }
grep -q 'exit' "$work/out" || fail "the quick start prints no table"
env -i bin/eex show "$work/run" --json >/dev/null
echo "bundle: runs from $(basename "$archive") alone ($((size / 1000000)) MB)"
