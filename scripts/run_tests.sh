#!/usr/bin/env bash
# The tests of a bundle (tests/run.sh there): every program, one after the other, with its verdict.
#
#   bash tests/run.sh [--variants] [--sanitize] [TEXT]
#
# TEXT: only those whose name contains it. --variants runs the tests of convolutions and of whole
# networks also with other choices than the default: patches and cuBLAS, cuDNN wherever it can, our own
# kernel wherever that can, and without determinism. --sanitize runs every program under compute-sanitizer instead (memcheck,
# racecheck, initcheck), with the longest tests left out.
set -u
shopt -s extglob
cd "$(dirname "$0")" || exit 1
root=$(cd .. && pwd)
export LD_LIBRARY_PATH="$root/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export EEX="$root/bin/eex" EEX_SOURCE_DIR=$PWD
export EEX_CACHE_DIR=${EEX_CACHE_DIR:-$root/tests/cache}
passed=0 failed=() variants= sanitize=
while [[ ${1:-} == --* ]]; do
    case $1 in
    --variants) variants=1 ;;
    --sanitize) sanitize=1 ;;
    *)
        echo "run.sh: $1: there are --variants and --sanitize" >&2
        exit 2
        ;;
    esac
    shift
done
text=${1:-}

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
# run NAME COMMAND...
run() {
    local name=$1
    shift
    "$@" >"$log" 2>&1
    verdict "$name" $?
}

sanitized() {
    local program=$1 tool
    for tool in memcheck racecheck initcheck; do
        run "$tool ${program#bin/}" env EEX_TESTS_QUICK=2 compute-sanitizer --tool "$tool" \
            --error-exitcode 99 --target-processes all "$program" --verbose=1
    done
}

varied() {
    local program=$1
    run "patches ${program#bin/}" env EEX_CUDA_CONV=patches "$program" --verbose=1
    run "library ${program#bin/}" env EEX_CUDA_CONV=library "$program" --verbose=1
    run "channels first ${program#bin/}" env EEX_CUDA_CONV=first "$program" --verbose=1
    run "own ${program#bin/}" env EEX_CUDA_CONV=own "$program" --verbose=1
    run "fast ${program#bin/}" env EEX_TESTS_FAST=1 "$program" --verbose=1
}

if [ -n "$sanitize" ] && ! command -v compute-sanitizer >/dev/null; then
    echo "run.sh: compute-sanitizer is not in the path (it comes with the CUDA toolkit)" >&2
    exit 1
fi
for program in bin/*; do
    [[ $program == *$text* ]] || continue
    if [ -n "$sanitize" ]; then
        sanitized "$program"
        continue
    fi
    run "${program#bin/}" "$program" --verbose=1
    [[ -n $variants && $program == *@(conv|plan|plan_gradient|training_step|engine) ]] &&
        varied "$program"
done
for script in tests/cli/test_*.sh; do
    [[ -z $sanitize && $script == *$text* ]] || continue
    run "${script#tests/}" bash "$script"
done
echo "$passed passed, ${#failed[@]} failed: ${failed[*]:-none}"
[ ${#failed[@]} = 0 ]
