# Search algorithms of a run: each finds a front, the same one twice, and says what its models are worth.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --out first

# search NAME FOLDER OPTION...
search() {
    local name=$1 folder=$2
    shift 2
    expect 0 "$EEX" run tiny.lua --from first --out "$folder" --set search.algorithm="$name" "$@"
}
for name in random nsga2 surrogate; do
    options=()
    [ $name = surrogate ] && options=(--set search.initial=8 --set search.batch=4)
    search $name $name "${options[@]}"
    err_has "searching: $name, 20 trials"
    [ $name = surrogate ] && err_has 'after 8 trials: accuracy by ' && err_has 'after 16 trials: accuracy by '
    search $name again-$name "${options[@]}"
    [ "$(results $name)" = "$(results again-$name)" ] || fail "$name: another result the second time"
done

# Limits: the choice keeps them; what nothing can keep is said at once, what no candidate keeps at the end.
front() { # the MACs of a run's front, one a line
    "$EEX" show "$1" --json | sed -n '/"pareto"/,/"policies"/s/.*"ada_macs_cumulative": *\([0-9]*\).*/\1/p'
}
middle=$(($(front random | sort -n | head -1) + 1000))
search aging limited --set search.limits.macs=$middle
[ -n "$(front limited)" ] || fail "no front"
for macs in $(front limited); do
    [ "$macs" -le $middle ] || fail "on the front are $macs MACs, at most $middle were wanted"
done
expect 2 "$EEX" run tiny.lua --out refused --set search.limits.macs=10
err_has 'search.limits.macs: 10, but the first way out of the smallest network'
[ ! -e refused ] || fail "a run that cannot begin has left a folder"
least=$(sed -n 's/.*takes \([0-9]*\) MACs.*/\1/p' err)
expect 1 "$EEX" run tiny.lua --from first --out none --set search.limits.macs="$least" --set search.limits.share=1
err_has 'none of 20 candidates keeps search.limits; the nearest, trial '
expect 0 "$EEX" show none
tr '\n' ' ' <out | grep -qF "none of 20 trials keeps search.limits" || fail "show says that the run goes on, which does not help"
tr '\n' ' ' <out | grep -qF "with --out and --from none it takes over" || fail "show does not say what helps"
expect 0 "$EEX" run tiny.lua --from none --out widened --set search.limits.macs=$((10 * least))
expect 2 "$EEX" run tiny.lua --out refused --set search.limits.share=1.5
err_has 'search.limits.share: a number in 0..1, got 1.5'
