#!/usr/bin/env bash
# The tests of a bundle (tests/run.sh there): every program, one after the other, with its verdict.
#
#   bash tests/run.sh [TEXT]     only those whose name contains TEXT
set -u
cd "$(dirname "$0")" || exit 1
root=$(cd .. && pwd)
export LD_LIBRARY_PATH="$root/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export EEX="$root/bin/eex" EEX_SOURCE_DIR=$PWD
export EEX_CACHE_DIR=${EEX_CACHE_DIR:-$root/tests/cache}
passed=0 failed=()

verdict() {
    local name=$1 status=$2
    if [ "$status" = 0 ] && grep -q 'Tested: 0 ' "$log"; then
        echo "skipped  $name: $(sed -n 's/^\[SKIP\] //p' "$log" | head -1)"
    elif [ "$status" = 0 ]; then
        passed=$((passed + 1))
        echo "passed   $name"
    elif [ "$status" = 77 ]; then
        echo "skipped  $name: $(tail -1 "$log")"
    else
        failed+=("$name")
        echo "FAILED   $name (status $status)"
        tail -40 "$log"
    fi
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for program in bin/*; do
    [[ $program == *${1:-}* ]] || continue
    "$program" --verbose=1 >"$log" 2>&1
    verdict "${program#bin/}" $?
done
for script in tests/cli/test_*.sh; do
    [[ $script == *${1:-}* ]] || continue
    bash "$script" >"$log" 2>&1
    verdict "${script#tests/}" $?
done
echo "$passed passed, ${#failed[@]} failed: ${failed[*]:-none}"
[ ${#failed[@]} = 0 ]
