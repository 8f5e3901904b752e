# Profiles: what is printed, pictures, traces, latency tables and searches that use them.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1
quick="--threads 1 --images 20 --batch 5 --rounds 2"

expect 0 "$EEX" profile runs/tiny $quick
for word in "leaving at exit" "the end" base "up to exit" "slowest layers" theoretical \
    "20 of the validation split"; do
    out_has "$word"
done
grep -qE ' [0-9.]+x \([0-9.]+ to [0-9.]+\) ' out || fail "a speed-up has no interval"
expect 2 "$EEX" profile runs/tiny --images 20 --batch 5 --rounds 1
err_has "--rounds"
expect 0 "$EEX" profile runs/tiny --threads 1 --images 20 --batch 1 --rounds 2 --layers
out_has "classifier"
expect 0 "$EEX" profile runs/tiny $quick --policy none
expect 0 "$EEX" prune runs/tiny --exit 1 -o cut.h5
expect 0 "$EEX" profile cut.h5 $quick
err_has "--base"
expect 0 "$EEX" profile cut.h5 $quick --base runs/tiny/base.h5
out_has theoretical
expect 1 "$EEX" profile cut.h5 $quick --base runs/nothing
mkdir elsewhere && mv cut.h5 elsewhere
expect 0 "$EEX" profile elsewhere/cut.h5 $quick # it needs nothing but its data set

# JSON, and the trace of a few images.
expect 0 "$EEX" profile runs/tiny $quick --json --trace trace.json
cp out profile.json
expect 2 "$EEX" profile runs/tiny $quick --trace trace.json
err_has "--force"
if command -v python3 >/dev/null; then
    python3 - profile.json trace.json <<'PY' || fail "the JSON lacks something"
import json, sys
p, t = (json.load(open(name)) for name in sys.argv[1:])
assert p["batches"] == [1, 5] and len(p["speedups"]) == 2
for s in p["speedups"]:
    assert abs(s["base"]["mean_ms"] / s["network"]["mean_ms"] - s["realised"]) < 1e-9
    assert 0 < s["realised_low"] <= s["realised"] <= s["realised_high"]
    for one in s["base"], s["network"]:
        assert one["p50_ms"] <= one["p95_ms"] <= one["p99_ms"] <= one["max_ms"] >= one["mean_ms"] > 0
assert p["rounds"] == 2 and isinstance(p["disturbed"], bool)
assert abs(sum(e["utilisation"] for e in p["exits"]) - 1) < 1e-9
assert sum(l["macs"] for l in p["layers"]) == p["exits"][-1]["macs"]
assert all(l["ms"][0] >= 0 and l["bytes"][1] >= l["bytes"][0] for l in p["layers"])

events = [e for e in t["traceEvents"] if e["ph"] == "X"]
named = {e["name"] for e in t["traceEvents"] if e["ph"] == "M"}
assert named == {"process_name", "thread_name"}
inputs = [e for e in events if e["cat"] == "input"]
assert len(inputs) == 9 and inputs[-1]["args"]["rows"] == 8
inside = 1e-3 # microseconds: numbers are rounded
for e in events:
    assert e["dur"] >= 0
    around = [i for i in inputs
              if i["ts"] <= e["ts"] + inside and e["ts"] + e["dur"] <= i["ts"] + i["dur"] + inside]
    assert len(around) == 1, e
for i in inputs:
    within = [e for e in events if i["ts"] <= e["ts"] and e["ts"] + e["dur"] <= i["ts"] + i["dur"]]
    exits = [e for e in within if e["cat"] == "exit"]
    assert sum(e["args"]["leave"] for e in exits) == i["args"]["rows"]
    if i["args"]["rows"] == 1:
        assert exits[-1]["name"] == "exit %d" % i["args"]["exit"]
    segments = [e for e in within if e["cat"] == "segment"]
    for op in (e for e in within if e["cat"] == "op"):
        assert any(s["ts"] <= op["ts"] + inside and
                   op["ts"] + op["dur"] <= s["ts"] + s["dur"] + inside for s in segments)
PY
fi

# A picture, where gnuplot is.
expect 2 "$EEX" profile runs/tiny $quick -o picture.jpg
err_has ".svg"
if command -v gnuplot >/dev/null; then
    expect 0 "$EEX" profile runs/tiny $quick -o picture.svg
    grep -q "<svg" picture.svg || fail "no picture"
fi
mkdir bin
expect 1 env PATH="$work/bin" "$EEX" profile runs/tiny $quick -o other.svg
err_has "gnuplot is not installed"
[ ! -s out ] || fail "it measures what it cannot draw"
ls | grep -q '\.part$' && fail "a part was left"

# Latency tables: measured once, for every operation of the space.
expect 0 "$EEX" profile --table tiny.lua --threads 1 --structures 3 -o table.h5
out_has "measured now"
out_has "mean error"
cp out first
expect 0 "$EEX" profile --table tiny.lua --threads 1 --structures 3 -o table.h5
out_has " 0 measured now"
expect 0 "$EEX" profile --table tiny.lua --threads 1 --structures 2 -o table.h5 --run runs/tiny
out_has "3 structures (the run's among them)"
expect 0 "$EEX" profile --table tiny.lua --threads 1 --structures 2 -o table.h5 --json --set 'gates.blocks={0,1,2}'
grep -q '"measured": 0' out || fail "more blocks are the same operations"
expect 0 "$EEX" run tiny.lua --threads 1 --out by_table --set search.latency_table=table.h5 --set search.cost=latency
err_has "latencies are those of"
expect 2 "$EEX" run tiny.lua --threads 1 --out by_table --set search.cost=latency
err_has "search.latency_table = table.h5"
expect 1 "$EEX" run tiny.lua --threads 1 --out no_table --set search.latency_table=nothing.h5
err_has "nothing.h5"
grep -q training err && fail "trained before it looked for its table"
mkdir inside && sed -e 's/search = {/search = { latency_table = "table.h5",/' tiny.lua >inside/t.lua
expect 2 "$EEX" run inside/t.lua --threads 1 --out inside/run # the table lies outside
err_has "--trust"
expect 2 "$EEX" profile runs/tiny $quick --trace x.svg -o ./x.svg
err_has "are one file"
expect 2 "$EEX" profile runs/tiny $quick --trace runs/tiny/final.h5 --force
err_has "belongs to the run"
expect 2 "$EEX" profile runs/tiny $quick --trace table.h5 --force
err_has "not what this command writes"
expect 1 "$EEX" run tiny.lua --threads 1 --out base_table --set search.latency_table=runs/tiny/base.h5
err_has "latency-table"

# What a table lacks is named, with the remedy.
sed -e 's/out = 8/out = 12/g' tiny.lua >wide.lua
expect 1 "$EEX" run wide.lua --threads 1 --out wide --set search.latency_table=table.h5
err_has "eex profile --table"

# A table of another device is not mixed with this one's.
expect 2 "$EEX" profile --table tiny.lua --threads 2 --structures 1 -o table.h5
err_has "--fresh"

# Wrong usage.
expect 2 "$EEX" profile
expect 2 "$EEX" profile runs/tiny --set a=1
expect 2 "$EEX" profile --table tiny.lua --trace t.json
expect 2 "$EEX" profile runs/tiny --batch 1000
err_has "50 images"
expect 2 "$EEX" profile runs/tiny --images 20
err_has "one batch of 128"
expect 1 "$EEX" profile nothing
expect 1 "$EEX" profile tiny.lua
exit 0
