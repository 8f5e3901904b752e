# A run over an elastic backbone: network and exits are searched together, and what comes of it is a
# run and a model as any other.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data

cat >family.lua <<'LUA'
local eex = require "eex"
return {
  name = "family",
  dataset = { name = "tiny", calibration = 50, validation = 50 },
  backbone = eex.families.resnet_small { size = 32, stem_stride = 2, blocks = 2, widths = { 0.5, 1 } },
  saliency = eex.saliency.stage_ends(),
  gates = { blocks = { 0, 1 } },
  training = { epochs = 2, base_epochs = 1, batch = 20, lr = 0.05, from = "base" },
  search = { algorithm = "nsga2", trials = 10, population = 4, statistics = 100 },
}
LUA

expect 0 "$EEX" run family.lua --threads 1 --out one
err_has "training the base: resnet_small, 1 epoch"
err_has 'training.regime: "joint" trains the largest of the backbone'
err_has "training the shared network: 4 genes, 4 gates at 2 points"
out_has "Its network: stage1.depth "
out_has "Pareto front"
err_has "measuring latencies"
out_has "latency ms"
out_has "base, 1 epoch "
tr -s '\n' ' ' <out | grep -q "after 1 epoch by itself, a start for the shared network's 2 and no rival" || fail "a base like a rival"
[ ! -e one/trace-calibration.h5 ] || fail "the shared network was traced"

# No bit depends on threads, on what was taken over, or on starting again.
results one >one.json
found() {
    results "$1" | sed 's/, [0-9]* threads\?,/, 1 thread,/'
}
expect 0 "$EEX" run family.lua --threads 2 --out two
cmp -s <(found two) one.json || fail "another result with two threads"
expect 0 "$EEX" run family.lua --threads 1 --from one --out three --set search.trials=11
err_has "taken over from one: split.h5, base.h5, shared.h5, latency.h5"
grep -q "trains the largest" err && fail "a warning of a training that is not done"
expect 0 "$EEX" run family.lua --threads 1 --fresh --out two
cmp -s <(found two) one.json || fail "another result when started again"

# What was found is told: the network, its exits, their places.
expect 0 "$EEX" show one --json
python3 - out <<'PY' || fail "the front in JSON"
import json, sys
run = json.load(open(sys.argv[1]))
front = run["pareto"]
assert front and run["structures"] == 144 and run["chosen"] >= 0
assert all(one["latency_ms"] > 0 for one in front)
for one in front:
    assert sorted(one["network"]) == ["stage1.depth", "stage2.depth", "stage3.depth", "width"]
    assert one["network"]["width"] in (0.5, 1) and one["network"]["stage2.depth"] in (1, 2)
    assert all("threshold" not in gate for gate in one["gates"])
PY

# The chosen network is a model by itself.
expect 0 "$EEX" infer one --split test --json
expect 0 "$EEX" infer one/final.h5 --split test --json
expect 0 "$EEX" tune one --accuracy 0.05
expect 0 "$EEX" prune one --table
expect 0 "$EEX" rank one --candidates 4 --repeated 2 --trainings 2 --epochs 1 --threads 1
out_has "Kendall's tau"
expect 1 "$EEX" rank one/final.h5
err_has "one/final.h5 is a file, expected the folder of a run"

# Thresholds that the search chooses, of networks and of gates alone.
expect 0 "$EEX" run family.lua --from one --out levels --set 'gates.thresholds={0.05,0.2}' --set policy.kind=margin
expect 0 "$EEX" show levels --json
python3 - out <<'PY' || fail "thresholds in JSON"
import json, sys
run = json.load(open(sys.argv[1]))
gates = [gate for one in run["pareto"] for gate in one["gates"]]
assert run["structures"] == 400
assert all(gate["threshold"] in (0.05, 0.2) for gate in gates)
PY
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --out gates --set 'gates.thresholds={0.05,0.2}' --set policy.kind=margin
expect 2 "$EEX" run tiny.lua --out bad --set 'gates.thresholds={0.2,0.05}'
err_has "gates.thresholds: each threshold once, in ascending order"
expect 2 "$EEX" run tiny.lua --out bad --set 'gates.thresholds={0.2}' --set policy.tune=weighted --set policy.target=0.1
err_has "policy.tune"

# As published: candidates are trained, their backbones start from the shared network.
expect 0 "$EEX" run family.lua --from one --out trained --set search.evaluator=train \
    --set candidate.from=shared --set candidate.epochs=1 --set search.trials=4
err_has "taken over from one: split.h5, base.h5, shared.h5"
expect 0 "$EEX" infer trained --split test --json

# Latencies: of all networks from a few, from a table too, and a limit that nothing keeps ends it before training.
expect 0 "$EEX" profile family.lua --table --threads 1 --structures 2 -o table.h5
out_has "predicted against measured latency of one image, 2 structures"
expect 0 "$EEX" profile family.lua --table --threads 1 --structures 2 -o table.h5 --json
python3 - out <<'PY' || fail "the table in JSON"
import json, sys
table = json.load(open(sys.argv[1]))
assert table["measured"] == 0 and table["operations"] > 20 and table["predictions"]
PY
expect 0 "$EEX" run family.lua --threads 1 --from one --out quick --set search.cost=latency \
    --set search.latency_table=table.h5 --set search.score=equation1 --set search.limits.latency=1000
err_has "latencies are those of cpu"
out_has "latency ms"
for named in "" "--set search.latency_table=table.h5"; do
    rm -rf slow
    expect 2 "$EEX" run family.lua --threads 1 --out slow --set search.limits.latency=1e-7 $named
    err_has "search.limits.latency: 1e-07 ms, but the quickest way out of the space takes 0."
    [ ! -e slow/base.h5 ] || fail "it was trained first"
done
expect 0 "$EEX" profile family.lua --table --threads 1 --structures 1 -o other.h5 --set 'saliency={"layer1.1.relu_1"}' \
    --set gates.blocks={0}
expect 1 "$EEX" run family.lua --threads 1 --out lacks --set search.latency_table=other.h5
err_has "search.latency_table: the latency table of \"cpu"
[ ! -e lacks/base.h5 ] || fail "it was trained with a table that lacks operations"

# Comparison of the judge within a run.
expect 0 "$EEX" run family.lua --from one --out compared --set search.tau=3
out_has "Kendall tau between the evaluators"

# What cannot be is said before anything is trained.
refuse() {
    local words=$1
    shift
    "$EEX" run family.lua --out bad "$@" >out 2>err && fail "\"$*\" was taken"
    err_has "$words"
    [ ! -e bad ] || fail "\"$*\" left something behind"
}
refuse "are one place in the smallest network" --set 'saliency={"layer1.0.relu_1","layer1.1.relu_1"}'
refuse 'candidate.exits: "scratch" unless candidate.from = "shared", got "shared"' --set candidate.exits=shared
refuse "(eex.gates.eec()), got 0" --set gates.family=eec
