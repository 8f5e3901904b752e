# What a search or what follows it cannot do is said before anything is trained, and what it would do otherwise
# than one thinks as well; points with a block count each go everywhere that others go.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua

refused() { # MESSAGE OPTION...: before there is anything
    expect 2 "$EEX" run tiny.lua --threads 1 "${@:2}"
    err_has "$1"
    [ ! -e runs/tiny/base.h5 ] || fail "something was trained first: ${*:2}"
}
refused 'search.tau: an integer in 0..1000, got 1001' --set search.tau=1001
refused 'search.tau: 0 where search.evaluator is "train"' --set search.tau=2 --set search.evaluator=train
refused 'policy.target: 0, or policy.tune' --set policy.target=0.9
refused 'policy.a: nothing beside gates.thresholds' --set gates.thresholds='{0.5, 0.9}' --set policy.kind=confidence \
    --set policy.a=0.3
refused 'partition.bits: 1 to 8, or without a bottleneck 32' --set partition.latency=5 --set partition.bits=16
refused 'partition.bits: 1 to 8, or without a bottleneck 32' \
    --set partition.latency=5 --set partition.bits=32 --set partition.epochs=1

expect 2 "$EEX" run tiny.lua --threads 1 --out single --set gates.required=true --set 'gates.blocks={0}' --set search.tau=2
err_has 'search.tau: 0 where the space has a single candidate: there is no order to rank, got 2'
[ ! -e single/base.h5 ] || fail "something was trained before a ranking of one candidate was refused"

# 30 points of two options, or of 20 with two thresholds each.
sed 's/for i = 1, 3 do/for i = 1, 30 do/' tiny.lua >wide.lua
expect 2 "$EEX" run wide.lua --threads 1 --set gates.blocks='{0}' --set search.algorithm=exhaustive
err_has "exhaustive search: the space has 2^30.0 candidates"
[ ! -e runs/tiny/base.h5 ] || fail "the base was trained for a space that cannot be searched"
rm -rf runs

# ---- what is only said ----

little="--threads 1 --set training.epochs=1"
# shellcheck disable=SC2086
expect 0 "$EEX" run tiny.lua $little --set search.algorithm=exhaustive --set search.trials=5 --out corner
err_has "search.trials: 5 of the 27 structures are judged, the first in their order"
# shellcheck disable=SC2086
expect 0 "$EEX" run tiny.lua $little --set search.algorithm=exhaustive --set search.trials=27 --out all
grep -q "search.trials" err && fail "all are judged, and yet a warning"
# shellcheck disable=SC2086
expect 0 "$EEX" run tiny.lua $little --set search.algorithm=surrogate --set search.trials=8 --out few
err_has "search.trials: 8 candidates, but the first 100 are random (search.initial)"
# shellcheck disable=SC2086
expect 0 "$EEX" run tiny.lua $little --out few --set search.algorithm=surrogate --set search.trials=8
grep -q "search.trials" err && fail "said again of a search that is done"

# ---- a block count for each point ----

each="--set gates.each={1,0,2} --set search.limits.macs=1e9"
# shellcheck disable=SC2086
expect 0 "$EEX" cost tiny.lua $each
# shellcheck disable=SC2086
expect 0 "$EEX" run tiny.lua $little $each --set search.algorithm=exhaustive --out each
expect 0 "$EEX" tune each --accuracy -0.5 --threads 1
expect 0 "$EEX" report each -o each.html
# shellcheck disable=SC2086
expect 2 "$EEX" run tiny.lua $little --set gates.each='{1,0,2}' --set search.limits.macs=100 --out not
err_has "search.limits.macs: 100, but the first way out"

# ---- a target in milliseconds tunes all policies, not one ----

policies() { # TARGET: MACs of all of them, on the one network that is looked at
    # shellcheck disable=SC2086
    expect 0 "$EEX" run tiny.lua $little --set search.algorithm=random --set search.trials=1 \
        --set gates.required=true --set search.cost=latency --set policy.tune=macs --set policy.target="$1" \
        --out "budget$1"
    "$EEX" show "budget$1" --json | sed -n '/"policies"/,/\]/p' | grep macs
}
policies 0.000001 >least
policies 1000 >most
[ -s least ] || fail "no policies in the JSON"
cmp -s least most && fail "policies that may take a second are as cheap as those that may take a nanosecond"
echo "searches: refused, warned of, points with a count each, budgets in milliseconds"
