# Cut networks: the table, the choice, the file, and that every way of being wrong is refused.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1 --set gates.blocks='{1}' --set search.score=accuracy

# The table: base, every exit, both readings; not wider than a terminal.
expect 0 "$EEX" prune runs/tiny --threads 1 --images 10 --rounds 2
for word in "cut after exit" "only exit" "base" "the end" "validation split" "10 images"; do
    out_has "$word"
done
awk 'length($0) > 80 { print; bad = 1 } END { exit bad }' out || fail "wider than 80 columns"
expect 0 "$EEX" prune runs/tiny --threads 1 --no-latency --test
out_has "60 images of the test split"

# Writing: a model file that is shown, pruned again and refused to be overwritten.
expect 0 "$EEX" prune runs/tiny --exit 1 -o cut.h5
out_has "cut.h5"
ls | grep -q '\.part$' && fail "a part was left"
expect 2 "$EEX" prune runs/tiny --exit 1 -o cut.h5
err_has "--force"
cp cut.h5 first.h5
expect 0 "$EEX" prune runs/tiny --exit 1 -o cut.h5 --force
cmp -s cut.h5 first.h5 || fail "the same cut is another file"
cp -r runs/tiny whole
for file in final.h5 run.h5 policies.h5 candidate-3.h5; do
    expect 2 "$EEX" prune runs/tiny --exit 1 -o runs/tiny/$file --force
    err_has "belongs to the run"
done
diff -r runs/tiny whole || fail "the run is not what it was"
cp runs/tiny/final.h5 other.h5
for file in other.h5 tiny.lua; do # a network that no cut made, and no network
    expect 2 "$EEX" prune runs/tiny --exit 1 -o $file --force
    err_has "not what this command writes"
done
expect 0 "$EEX" infer cut.h5 --split validation --json
expect 0 "$EEX" prune runs/tiny --exit 2 -o two.h5

# No command writes over what it reads, whatever that is called: a name, another name of it, an option.
ln two.h5 same.h5
ln -s two.h5 link.h5
cp two.h5 kept.h5
for command in "prune two.h5 --exit 1 -o two.h5" "prune two.h5 --exit 1 -o same.h5" "prune link.h5 --exit 1 -o two.h5" \
    "prune two.h5 --filters 0.5 -o ./two.h5" "prune runs/tiny --exit 1 --base two.h5 -o two.h5" "bottleneck two.h5 -o two.h5" \
    "tune two.h5 -o two.h5" "tune runs/tiny --policy two.h5 -o two.h5" "adapt two.h5 -o two.h5" "export two.h5 --front two.h5" \
    "export two.h5 --onnx two.h5" "export two.h5 --safetensors same.h5" "profile two.h5 -o two.h5" \
    "profile two.h5 --trace two.h5" "predictor two.h5 --curve -o two.h5" "stream two.h5 simulated --decisions two.h5" \
    "import two.h5 --into tiny.lua -o two.h5" "import net.safetensors --into tiny.lua -o tiny.lua" "report two.h5 -o two.h5" \
    "data info two.h5 --sheet two.h5"; do
    for force in "" --force; do
        # shellcheck disable=SC2086
        expect 2 "$EEX" $command $force
        err_has "would replace"
    done
done
cmp -s two.h5 kept.h5 || fail "a command wrote over what it read"
rm link.h5
# What eex_check_out is asked of is an option that is marked, so that every one of them is compared.
grep -o "eex_check_out(a->[a-z]*" "$EEX_SOURCE_DIR"/src/cli/cmd_*.c | sort -u | while IFS=: read -r file asked; do
    grep -q "EEX_\(OUT\|WRITES\)(.*\b${asked#*->}," "$file" || fail "$file: ${asked#*->} is written, and its row does not say so"
done || exit 1
expect 0 "$EEX" tune two.h5 --latency 1000 --measure
expect 0 "$EEX" stream cut.h5 simulated --frames 20
expect 0 "$EEX" prune cut.h5 --no-latency
expect 0 "$EEX" prune runs/tiny --exit end --alone -o alone.h5
expect 0 "$EEX" prune alone.h5 --no-latency --test

# What a model file is.
expect 0 "$EEX" show cut.h5
for word in "cut from" "validation split, 50 images" "of which it has 1"; do
    out_has "$word"
done
expect 0 "$EEX" show alone.h5 --json
out_has '"kept"'
expect 0 "$EEX" show runs/tiny/base.h5
out_has "no trace"
expect 1 "$EEX" show runs/tiny/run.h5
err_has '"weights"'

# Choosing.
expect 0 "$EEX" prune runs/tiny --min-accuracy 0.01
out_has "exit 1: the cheapest"
expect 0 "$EEX" prune runs/tiny --min-accuracy -0.9
expect 0 "$EEX" prune runs/tiny --budget-macs 1G
expect 0 "$EEX" prune runs/tiny --max-latency 10000 --images 5 --rounds 2
out_has "10000 ms"
expect 2 "$EEX" prune runs/tiny --budget-macs 1
err_has "the nearest is exit 1"
expect 2 "$EEX" prune runs/tiny --min-accuracy 1
err_has "the nearest is exit"

# Wrong usage.
expect 2 "$EEX" prune
expect 2 "$EEX" prune runs/tiny --exot 1
err_has "--exit"
expect 2 "$EEX" prune runs/tiny --exit 9
err_has '"end"'
expect 2 "$EEX" prune runs/tiny --exit 0
expect 2 "$EEX" prune runs/tiny --exit 1 --budget-macs 1M
err_has "one or the other"
expect 2 "$EEX" prune runs/tiny -o x.h5
err_has "where to cut"
expect 2 "$EEX" prune runs/tiny --budget-macs lots
err_has "2.5M"
expect 2 "$EEX" prune cut.h5 --min-accuracy -0.1
err_has "--base"
expect 1 "$EEX" prune nothing
err_has "no such run or model"
expect 1 "$EEX" prune "$EEX_DATA/tiny.h5"
err_has "dataset"
mkdir empty
expect 1 "$EEX" prune empty
err_has "no run"
expect 1 "$EEX" prune runs/tiny --exit 1 -o no/such/folder/x.h5

# Half a run, and a damaged file.
mkdir half && cp runs/tiny/run.h5 half
expect 1 "$EEX" prune half
err_has "has no network with exits yet"
head -c 4000 cut.h5 >short.h5
expect 1 "$EEX" prune short.h5
err_has "short.h5"

# A single round has nothing to be compared with.
expect 2 "$EEX" prune runs/tiny --images 5 --rounds 1
err_has "--rounds"

# JSON.
expect 0 "$EEX" prune runs/tiny --json --threads 1 --images 5 --rounds 2
if command -v python3 >/dev/null; then
    python3 - out <<'PY' || fail "the JSON lacks something"
import json, sys
table = json.load(open(sys.argv[1]))
assert table["base"]["macs"] > 0 and table["base"]["latency_ms"] > 0
assert len(table["cut"]) == len(table["alone"]) >= 2
for cut, alone in zip(table["cut"], table["alone"]):
    assert cut["exit"] == alone["exit"] and cut["params"] >= alone["params"]
    assert cut["macs"] <= cut["macs_most"] >= alone["macs_most"] == alone["macs"]
    assert 0 < cut["latency_ms"] <= cut["latency_most_ms"] and 0 <= cut["accuracy"] <= 1
    assert 0 < cut["speedup_low"] <= cut["speedup"] <= cut["speedup_high"]
    assert abs(cut["speedup"] - table["base"]["latency_ms"] / cut["latency_ms"]) < 1e-9
assert table["full_latency_ms"] == table["alone"][-1]["latency_ms"]
assert table["rounds"] == 2 and isinstance(table["disturbed"], bool)
assert table["cut"][0]["accuracy"] == table["alone"][0]["accuracy"]
assert table["alone"][-1]["macs"] == table["base"]["macs"]
PY
fi
exit 0
