# A network of another size than the data's images: they are resized, which is said, and every
# command takes them as they come.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment plain.lua
sed 's/size = 32/size = 40/' plain.lua >tiny.lua
sed 's/size = 32/size = 24/' plain.lua >small.lua

# Said once, and before training; nothing is said where there is nothing to say.
expect 0 "$EEX" run tiny.lua --threads 1
[ "$(grep -c "resized" err)" = 1 ] || fail "not said once"
grep -n -e "are resized" -e "training the base" err | head -1 | grep -q "images of 32x32 are resized to 40x40" ||
    fail "not said before training"
out_has "images of 32x32 are resized to 40x40"
expect 0 "$EEX" run tiny.lua --threads 1
grep -q resized err && fail "said of a run that is only shown"
expect 0 "$EEX" run plain.lua --threads 1 --out plain
cat out err | grep -q resized && fail "said where nothing is resized"

# What the network reads and what the data are.
expect 0 "$EEX" show runs/tiny --json
for figure in '"height": 32' '"width": 32' '"network_height": 40' '"network_width": 40'; do
    out_has "$figure"
done
for part in final base; do
    expect 0 "$EEX" show runs/tiny/$part.h5
    out_has "images of 32x32x3 that are resized to 40x40"
    expect 0 "$EEX" show runs/tiny/$part.h5 --json
    out_has '"height": 32'
    out_has '"network_width": 40'
done
expect 0 "$EEX" cost tiny.lua
out_has "images of 40 x 40 x 3"

# The engine decides as was stored, in every batch and with every number of threads.
decisions() {
    sed 's/, "latency_ms": [^,}]*//' out
}
expect 0 "$EEX" infer runs/tiny --split test --json
decisions >one
for options in "--batch 7" "--threads 1" "--threads 2 --batch 16"; do
    # shellcheck disable=SC2086
    expect 0 "$EEX" infer runs/tiny --split test --json $options
    decisions >other
    cmp -s one other || fail "$options changed a decision"
done
if command -v python3 >/dev/null; then
    "$EEX" show runs/tiny --json >show.json || fail "no results"
    python3 - one show.json <<'PY' || fail "the lines are not what was stored"
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
best = json.load(open(sys.argv[2]))["best"]
assert abs(sum(r["right"] for r in rows) / len(rows) - best["accuracy"]) < 1e-12
for i, e in enumerate(best["exits"]):
    assert abs(sum(r["exit"] == i + 1 for r in rows) / len(rows) - e["utilisation"]) < 1e-12
PY
fi

# Pictures are brought to the data's size, as those of the data were.
expect 0 "$EEX" data info tiny --sheet sheet.png
expect 0 "$EEX" infer runs/tiny sheet.png --json
out_has sheet.png

# Everything else that runs it.
expect 0 "$EEX" stream runs/tiny simulated --frames 20 --compare base
expect 0 "$EEX" profile runs/tiny --threads 1 --batch 10 --images 10 --trace trace.json --json
out_has '"resize"'
expect 0 "$EEX" tune runs/tiny --accuracy -0.1 -o policy.h5
expect 0 "$EEX" infer runs/tiny --split test --policy policy.h5
expect 0 "$EEX" prune runs/tiny --threads 1 --images 10 --rounds 2 --test
expect 0 "$EEX" prune runs/tiny --exit 1 --alone -o cut.h5
expect 0 "$EEX" show cut.h5
out_has "that are resized to 40x40"
expect 0 "$EEX" infer cut.h5 --split test
echo 'm = eex.open("cut.h5")
#m:run("test"), m.height, m:classify("test", 1).exit, m:classify("sheet.png").exit' >lines
expect 0 "$EEX" repl <lines
out_has "60	32	1	1"

# Latencies, of a run and of its space; what a table of another size lacks is named.
expect 0 "$EEX" run tiny.lua --threads 1 --out timed --set search.cost=latency
expect 0 "$EEX" profile --table tiny.lua --threads 1 --structures 2 -o table.h5
expect 0 "$EEX" run tiny.lua --threads 1 --out by_table --set search.cost=latency \
    --set search.latency_table=table.h5
expect 0 "$EEX" profile --table plain.lua --threads 1 --structures 2 -o plain.h5
expect 1 "$EEX" run tiny.lua --threads 1 --out no_table --set search.cost=latency \
    --set search.latency_table=plain.h5
err_has "eex profile --table"

# Every regime, and candidates that are trained; threads change no bit.
for regime in interleaved frozen distill; do
    expect 0 "$EEX" run small.lua --threads 1 --out $regime --set training.regime=$regime
done
err_has "images of 32x32 are resized to 24x24"
expect 0 "$EEX" run small.lua --threads 1 --out alone --set search.evaluator=train --set search.trials=2
expect 0 "$EEX" run small.lua --threads 2 --out together --set search.evaluator=train --set search.trials=2
results alone >a
results together >b
cmp -s <(grep -v '"device"' a) <(grep -v '"device"' b) || fail "the number of threads changed a bit"

# What would have to be stretched, or coloured, is refused before anything is trained.
sed 's/size = 32/height = 32, width = 40/' plain.lua >wide.lua
expect 2 "$EEX" run wide.lua --threads 1
err_has 'backbone: takes images of 32x40x3, data set "tiny" has 32x32x3'
err_has "not to another shape"
sed 's/channels = 3/channels = 1/' tiny.lua >grey.lua
expect 2 "$EEX" run grey.lua --threads 1
err_has 'backbone: takes images of 40x40x1, data set "tiny" has 32x32x3'
[ ! -e runs/wide ] || fail "a refused run left a folder"
exit 0
