# The front of a run: its table, its JSON, its model files, and runs that have none.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
front="--threads 1 --set search.front=3"
search="--set search.algorithm=surrogate --set search.initial=8 --set search.batch=4 --set final.epochs=1"
expect 0 "$EEX" run tiny.lua $front $search --out r
err_has "networks of the front"
for word in "front: networks of the search's Pareto front" backbone "cut after" thresholds "best, chosen" \
    hypervolume "accuracy by" "8 trials" "20 trials, all"; do
    out_has "$word"
done
awk 'length($0) > 80 { print; bad = 1 } END { exit bad }' out || fail "wider than 80 columns"
cp out table
expect 0 "$EEX" show r
cmp -s out table || fail "eex show has another table"
for columns in 20 40 60; do
    COLUMNS=$columns expect 0 "$EEX" show r
    awk -v most=$columns 'length($0) > most && !/:/ { print; bad = 1 } END { exit bad }' out ||
        fail "wider than $columns columns"
    for word in backbone "cut after" thresholds hypervolume; do
        out_has "$word"
    done
done
expect 0 "$EEX" help terms
out_has "search.front"

# JSON, to its keys; and what the chosen network is here, it is there.
expect 0 "$EEX" show r --json
if command -v python3 >/dev/null; then
    cp out json
    python3 - json <<'PY' || fail "the JSON lacks something"
import json, os, sys
run = json.load(open(sys.argv[1]))
front, best = run["front"], run["best"]
assert len(front) >= 3 and sum(m["spread"] for m in front) == min(3, len(run["pareto"]))
gates = [m["gates"] for m in front if m["best"]]
assert len(set(gates)) == len(gates) and all(1 <= n <= 4 for n in gates)
for m in front:
    assert os.path.exists("r/" + m["file"]) and m["failure"] is None
    assert len(m["exits"]) == m["gates"] + 1 and m["exits"][-1]["blocks"] is None
    assert abs(sum(e["utilisation"] for e in m["exits"]) - 1) < 1e-9
    assert m["ada_macs"] <= m["ada_macs_cumulative"]
    assert m["backbone"] == m["exits"][-1]["alone"]
    for e in m["exits"]:
        assert e["alone"]["macs"] > 0 and 0 <= e["alone"]["accuracy"] <= 1
chosen, = [m for m in front if m["trial"] == run["chosen"]]
for key in "accuracy", "ada_macs", "ada_macs_cumulative", "validation_accuracy":
    assert chosen[key] == best[key], key
assert chosen["backbone"]["accuracy"] == run["full"]["accuracy"]
models = run["models"]
assert [b["trials"] for b in models] == [8, 12, 16] and len(run["reference"]) == 2
assert models[-1]["hypervolume"] <= run["hypervolume"]
PY
    right=$(python3 -c 'import json; print("%.2f" % (100 * json.load(open("json"))["front"][0]["accuracy"]))')
fi

# Each is a model file.
model=r/front-0001.h5
expect 0 "$EEX" show $model
expect 0 "$EEX" infer $model --split test --threads 1
[ -z "${right-}" ] || err_has "$right %"
expect 0 "$EEX" tune $model --accuracy 0 --threads 1
expect 0 "$EEX" prune $model --no-latency --threads 1
expect 0 "$EEX" profile $model --threads 1 --images 5 --batch 1 --rounds 2
expect 0 "$EEX" stream $model simulated --frames 20 --threads 1
expect 2 "$EEX" prune r --exit 1 -o r/front-0001.h5 --force
err_has "belongs to the run"
expect 0 "$EEX" repl r <<'LUA'
for i, m in ipairs(run.front) do
    print(i, m.file, m.gates + 1 == #m.exits, m.backbone.macs == m.exits[#m.exits].alone.macs)
end
print(run.hypervolume > 0)
LUA
out_has "front-0001.h5	true	true"

# A run that goes on makes what is missing again, and nothing else; what is damaged is named.
before=$(stat -c %i r/front-0001.h5)
results r >whole
rm r/result.h5 r/front.h5 r/front-0002.h5
expect 0 "$EEX" show r
out_has "not finished"
expect 0 "$EEX" run tiny.lua $front $search --out r
[ "$(stat -c %i r/front-0001.h5)" = "$before" ] || fail "a network that was there was made again"
results r >again
cmp -s whole again || fail "another front the second time"
head -c 3000 r/front.h5 >short.h5
mv short.h5 r/front.h5
expect 1 "$EEX" show r
err_has "front.h5"

# Trained candidates; and a fresh start takes all of it away.
expect 0 "$EEX" run tiny.lua $front --out t --set search.evaluator=train --set search.trials=4
ls t/candidate* >/dev/null 2>&1 && fail "weights of candidates are left"
[ -e t/front-0001.h5 ] || fail "no network of the front"
expect 0 "$EEX" run tiny.lua --threads 1 --out t --fresh
ls t/front* >/dev/null 2>&1 && fail "a fresh start leaves networks of the front"
grep -q "thresholds  as" out && fail "a front that nobody wants is shown"
expect 2 "$EEX" run tiny.lua --threads 1 --out u --set search.front=-1
err_has "search.front"
exit 0
