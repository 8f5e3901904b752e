# A whole run by the program: its table, its JSON, its folder, and running it again.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua

expect 0 "$EEX" run tiny.lua --threads 1
for word in base "early exit" speed-up "end of the backbone" ADA_MACs "Pareto front" "20 trials"; do
    out_has "$word"
done
awk 'length($0) > 80 { print; bad = 1 } END { exit bad }' out || fail "wider than 80 columns"
grep -qE '^early exit .* [0-9.]+x \([0-9.]+ to [0-9.]+\)$' out || fail "the speed-up has no interval"
out_has "lower quartile of 11 rounds"

# Again: shown, not redone.
before=$(stat -c %i runs/tiny/result.h5)
cp out first
expect 0 "$EEX" run tiny.lua --threads 1
err_has "is finished"
[ "$(stat -c %i runs/tiny/result.h5)" = "$before" ] || fail "a finished run was redone"
cmp -s out first || fail "the second table differs"
expect 0 "$EEX" show runs/tiny
cmp -s out first || fail "eex show has another table"

# JSON, to the agreed keys.
expect 0 "$EEX" show runs/tiny --json
cp out json
expect 0 "$EEX" run tiny.lua --threads 1 --json
cmp -s out json || fail "run --json and show --json differ"
if command -v python3 >/dev/null; then
    python3 - json <<'PY' || fail "the JSON lacks something"
import json, sys
run = json.load(open(sys.argv[1]))
for key in "name device dataset seed base best pareto trials seconds".split():
    assert key in run, key
for key in "accuracy macs latency_ms latency_p50_ms latency_p95_ms latency_p99_ms".split():
    assert isinstance(run["base"][key], (int, float)), key
for key in "accuracy ada_macs ada_macs_cumulative latency_ms speedup".split():
    assert isinstance(run["best"][key], (int, float)), key
best = run["best"]
assert abs(best["speedup"] - run["base"]["latency_ms"] / best["latency_ms"]) < 1e-9
assert 0 < best["speedup_low"] <= best["speedup"] <= best["speedup_high"]
assert best["speedup_rounds"] == 11 and isinstance(best["speedup_disturbed"], bool)
for network in run["base"], best, run["full"]:
    p50, p95, p99, most = (network["latency_%s_ms" % key] for key in "p50 p95 p99 max".split())
    assert 0 < p50 <= p95 <= p99 <= most and 0 < network["latency_ms"] <= most
for exit in run["best"]["exits"]:
    for key in "position node blocks utilisation accuracy macs".split():
        assert key in exit, key
assert abs(sum(e["utilisation"] for e in run["best"]["exits"]) - 1) < 1e-9
assert 0 <= run["base"]["accuracy"] <= 1 and run["trials"] == 20 and len(run["pareto"]) > 0
PY
fi

# Another experiment in the same folder is refused, with what differs and the remedy.
expect 2 "$EEX" run tiny.lua --threads 1 --seed 5
err_has "seed = 5"
err_has "--fresh"
expect 2 "$EEX" run tiny.lua --threads 1 --set search.trials=21
err_has "search.trials = 21"
expect 0 "$EEX" run tiny.lua --threads 1 --seed 5 --out other
expect 0 "$EEX" run tiny.lua --threads 1 --seed 5 --fresh
results runs/tiny >a
results other >b
cmp -s a b || fail "the same seed gave another result"

# Standard tools read it.
if command -v h5dump >/dev/null; then
    for file in runs/tiny/*.h5; do
        expect 0 h5dump -H "$file"
    done
fi

# A target that no thresholds reach is said, as a warning with what they do reach, and stays said.
# unmet START: the last run has warned of it, and every report has it.
unmet() {
    err_has "warning: $1"
    expect 0 "$EEX" show unmet --json
    out_has '"unmet": ['
    out_has "    \"$1"
    expect 0 "$EEX" show unmet
    out_has "Not met: ${1%% *} "
    expect 0 "$EEX" show unmet runs/tiny
    out_has "unmet does not meet: $1"
}
expect 0 "$EEX" run tiny.lua --out unmet --set policy.tune=accuracy --set policy.target=0.999
unmet "policy.target: no thresholds of the chosen network reach an accuracy of 0.999"
expect 0 "$EEX" run tiny.lua --out unmet --fresh --set policy.tune=macs --set policy.target=1
unmet "policy.target: no thresholds of the chosen network keep one input within 1 MACs"
expect 0 "$EEX" run tiny.lua --out unmet --fresh --set search.min_accuracy=1
unmet "no candidate reaches search.min_accuracy = 1: taking the most accurate"
expect 0 "$EEX" run tiny.lua --out unmet --fresh --set policy.kind=confidence --set policy.b=1
unmet "policy.b: the chosen network rejects 100.0 % of the validation split, which counts as wrong: a lower one"
expect 0 "$EEX" run tiny.lua --out met --set policy.tune=accuracy --set policy.target=-0.5
grep -q "policy.target" err && fail "a target that is met is warned of"
expect 0 "$EEX" show met --json
grep -q '"unmet": *\[\]' out || fail "a target that is met is said not to be"
exit 0
