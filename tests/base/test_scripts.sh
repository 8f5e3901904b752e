#!/usr/bin/env bash
# Scripts that test the program end at once where they cannot: without the file of checks that they share,
# and without a program. One that went on would run in whatever folder it was started, and might pass.
set -u
cd "$EEX_SOURCE_DIR" || exit 1
lib='. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1'
failed=0
wrong() {
    echo "$*"
    failed=1
}

count=0
for script in tests/*/*.sh; do
    [ "$script" = tests/cli/lib.sh ] && continue
    grep -qE '"\$EEX"|lib\.sh' "$script" || continue
    [ "$script" = tests/base/test_scripts.sh ] && continue
    count=$((count + 1))
    first=$(grep -vm1 -e '^#' -e '^$' "$script")
    [ "$first" = "$lib" ] || wrong "$script: begins with \"$first\", not with: $lib"
    # What stands behind the end is never run.
    ! sed -n '/^exit 0$/,$p' "$script" | sed 1d | grep -q . || wrong "$script: goes on behind \"exit 0\""
done
[ $count -gt 50 ] || wrong "only $count scripts"

# ends TEXT ENVIRONMENT...: a test that would print more ends with the text and without that.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%s\necho went on\n' "$lib" >"$work/test.sh"
ends() {
    local text=$1
    shift
    if (cd "$work" && env "$@" bash test.sh) >"$work/out" 2>&1; then
        wrong "with $*: it passes"
    elif grep -q "went on" "$work/out" || ! grep -qF -- "$text" "$work/out"; then
        wrong "with $*: no \"$text\" alone: $(cat "$work/out")"
    fi
}
ends "EEX: is not set" -u EEX
ends "EEX: is not set" EEX=
ends "EEX=/nowhere/eex: no program" EEX=/nowhere/eex
ends "lib.sh: No such file" -u EEX_SOURCE_DIR
ends "lib.sh: No such file" EEX_SOURCE_DIR="$work"
[ "$(cd "$work" && bash test.sh)" = "went on" ] || wrong "with both it does not go on"
exit $failed
