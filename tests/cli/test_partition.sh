# A run that is cut between a device and a server: its files, what it says, and going on.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
set_all="--set gates.required=true --set search.trials=1 --set training.epochs=1
    --set partition.device_gflops=0.004 --set partition.epochs=1 --set partition.more_epochs=1
    --set partition.batch=16 --set partition.augment=false --set partition.jpeg=75"
run() {
    expect 0 "$EEX" run tiny.lua --threads 1 $set_all "$@"
}
filters="--set partition.filters=0.3 --set partition.filter_epochs=1"
# shellcheck disable=SC2086
run --set partition.latency=200 --set predictor.epochs=1 $filters
for file in final-bottleneck final-bottleneck-predictor final-filters final-adaptation; do
    [ -f runs/tiny/$file.h5 ] || fail "no $file.h5"
done
ls runs/tiny | grep -q checkpoint && fail "a checkpoint is left"

# What the run shows is what eex adapt says of its bottleneck, with the predictor that it was given.
expect 0 "$EEX" show runs/tiny
for word in "between a device and a server" "times fewer" "at most 200 ms" "at quality 75" \
    "static, predictor" "static, pruned" "static, filters" adaptive oracle; do
    out_has "$word"
done
expect 0 "$EEX" show runs/tiny --json
cp out show.json
expect 0 "$EEX" adapt runs/tiny/final-bottleneck.h5 --latency 200 --device-gflops 0.004 \
    --jpeg-quality 75 --filtered runs/tiny/final-filters.h5 --threads 1 --json
cp out adapt.json
if command -v python3 >/dev/null; then
    python3 - show.json adapt.json <<'PY' || fail "the run and eex adapt differ"
import json, sys
shown, adapted = (json.load(open(f)) for f in sys.argv[1:3])
p = shown["partition"]
b = p.pop("bottleneck")
assert b["bytes"] == p["payload_bytes"] and b["bytes_before"] == 64 * b["bytes"], b
for key in "model", "file":
    adapted.pop(key)
assert p == adapted, [k for k in adapted if p.get(k) != adapted[k]]
for row in p["bandwidths"]: # fewer channels: fewer bytes, and never later than with all of them
    assert row["pruned"]["sent"] == row["static"]["sent"], row
    assert row["pruned"]["latency_ms"] <= row["static"]["latency_ms"], row
    assert row["pruned"]["bytes"] <= row["static"]["bytes"], row
    if row["static"]["kept"]:
        assert row["pruned"] == row["static"], row
PY
fi

# Fewer channels are sent where that keeps the requirement.
expect 0 "$EEX" adapt runs/tiny/final-bottleneck.h5 --no-predictor --device-gflops 1000 \
    --bandwidths 0.001:1 --latency 60 --json --threads 1
if command -v python3 >/dev/null; then
    python3 - out <<'PY' || fail "fewer channels do not help"
import json, sys
rows = json.load(open(sys.argv[1]))["bandwidths"]
assert any(r["pruned"]["bytes"] < r["static"]["bytes"] for r in rows), rows
PY
fi

# The same again, a phase that was lost, and a run that takes all of it over.
cp -r runs/tiny first
rm runs/tiny/final-bottleneck.h5 runs/tiny/final-bottleneck-predictor.h5 \
    runs/tiny/final-adaptation.h5 runs/tiny/final-filters.h5 runs/tiny/result.h5
# shellcheck disable=SC2086
run --set partition.latency=200 --set predictor.epochs=1 $filters
for file in first/final-*.h5; do
    cmp -s "$file" "runs/tiny/${file#first/}" || fail "another $file the second time"
done
run --set partition.latency=300 --set predictor.epochs=1 --out runs/other --from runs/tiny
cmp -s runs/tiny/final.h5 runs/other/final.h5 || fail "the network depends on how it is cut"

# A requirement that nothing keeps ends no run; without a bottleneck the network is cut as it is.
run --set partition.latency=0.001 --set partition.epochs=0 --set partition.cut=1 --out runs/cut
[ -f runs/cut/result.h5 ] && [ ! -f runs/cut/final-bottleneck.h5 ] || fail "not as it was asked for"
err_has "warning: partition.latency: no settings keep 0.001 ms on the calibration images, even at "
out_has "Not met: partition.latency: no settings keep 0.001 ms"
expect 0 "$EEX" show runs/cut --json
out_has '    "partition.latency: no settings keep 0.001 ms'
expect 0 "$EEX" show runs/cut
out_has "no settings keep 0.001 ms"
out_has "cut behind exit 1"

# Who serves that network, and who asks for it, need not be told how it is cut.
serve server "$EEX" serve runs/cut --port 0 --json --threads 1
expect 0 "$EEX" infer runs/cut --split test --json --threads 1 --remote "127.0.0.1:$port" --timeout 20000
out_has '"fallback": 0'
err_has "cut behind exit 1, 8 bits a value, as runs/cut/final-adaptation.h5 has it"
grep -q "as runs/cut/final-adaptation.h5 has it" server.err || fail "the server does not say it"
expect 0 "$EEX" infer runs/cut --split test --json --threads 1 --cut 2 --remote "127.0.0.1:$port"
grep -q '"by": "server"' out && fail "a server that is cut otherwise has answered"
stop_serving

# Nor does a network that cannot be cut as the experiment says, which nobody knows before the search;
# what none of its candidates could keep is said before anything is trained.
one="--set gates.required=false --set search.population=1 --set search.sample=1 --set partition.latency=200"
# shellcheck disable=SC2086
run $one --set partition.epochs=0 --set partition.cut=3 --seed 1 --out runs/few
err_has "the chosen network has 2 gates: it cannot be cut behind exit 3 (partition.cut)"
[ -f runs/few/result.h5 ] && [ ! -f runs/few/final-adaptation.h5 ] || fail "no result, or settings"
out_has "No partition: the chosen network has 2 gates"
# shellcheck disable=SC2086
run $one --set 'saliency={"block2.act"}' --out runs/two
err_has "the chosen network gets no bottleneck, and no settings by bandwidth"
[ -f runs/two/result.h5 ] && [ ! -f runs/two/final-bottleneck.h5 ] || fail "no result, or a bottleneck"
out_has "No partition: the chosen network gets no bottleneck"
run --set partition.latency=200 --set partition.epochs=0 --set partition.cut=1 --set partition.filters=0.01 \
    --from runs/tiny --out runs/all
err_has "is compared with none of fewer filters: a share of 0.01 takes no filter out of any layer"
[ -f runs/all/result.h5 ] && [ ! -f runs/all/final-filters.h5 ] || fail "no result, or another network"
out_has "No rival without filters: a share of 0.01 takes no filter out of any layer"
expect 0 "$EEX" show runs/all
out_has "cut behind exit 1"
expect 2 "$EEX" run tiny.lua --set partition.latency=200 --set partition.cut=4 --out runs/none
err_has "partition.cut: at most as many exits as a candidate may have in front of its end, got 4"
[ ! -e runs/none ] || fail "a run that cannot be has left a folder"

refused() {
    expect 2 "$EEX" run tiny.lua --set partition.latency=30 --set "$1" --set "$2"
    err_has "$3"
}
expect 2 "$EEX" run tiny.lua --set partition.bits=4
err_has "partition.bits: goes with partition.latency"

# Who diverges is told which rates are too high: those of this training. The run has its result without it, which
# says why: without a bottleneck there are no settings, without one of the rivals there are the others.
run --set partition.latency=200 --set partition.lr=1e9 --out runs/diverges --from runs/tiny
err_has "the run goes on without a partition: training of"
err_has "may help: partition.lr, partition.more_lr"
out_has "No partition: training of"
ls runs/diverges | grep -qE "checkpoint|adaptation|bottleneck" && fail "$(ls runs/diverges)"
expect 0 "$EEX" show runs/diverges --json
out_has '"what": "partition"'
out_has 'may help: partition.lr, partition.more_lr"'
# shellcheck disable=SC2086
run --set partition.latency=200 --set predictor.epochs=2 $filters --set partition.filter_lr=1e9 \
    --set predictor.lr=1e12 --out runs/part --from runs/tiny
err_has "the run goes on without a predictor: training of"
err_has "may help: predictor.lr"
err_has "the run goes on without a rival that lacks filters: training of"
err_has "may help: partition.filter_lr"
err_has "mean loss nan at exit" # by whatever sign the machine's NaN has
expect 0 "$EEX" show runs/part
out_has "No predictor: training of"
out_has "No rival without filters: training of"
out_has "at most 200 ms"
! grep -q "static, filters\\|static, predictor" out || fail "what the run does not have is in a table"
ls runs/part | grep -qE "checkpoint|filters|predictor" && fail "$(ls runs/part)"
expect 0 "$EEX" report runs/part -o part.html
grep -q "No predictor: training of" part.html || fail "the page does not say why"
expect 0 "$EEX" predictor runs/part --epochs 1 --threads 1 # a finished run may get one
expect 0 "$EEX" show runs/part
! grep -q "No predictor" out || fail "the run has a predictor"
expect 0 "$EEX" show runs/tiny --json
grep -q '"failures": *\[\]' out || fail "failures of a run that has none"
expect 1 "$EEX" bottleneck runs/tiny -o x.h5 --lr 100 --epochs 9 --more-epochs 1 --batch 2 \
    --no-augment --threads 1
err_has "may help: --lr, --more-lr"

# Another network is no rival.
expect 2 "$EEX" adapt runs/tiny/final-bottleneck.h5 --filtered runs/tiny/base.h5
err_has "has other exits or classes than runs/tiny/final-bottleneck.h5"
refused partition.epochs=1 partition.bits=12 "partition.bits"
refused partition.epochs=1 partition.cut=1 "partition.cut"
refused partition.bandwidth.from=5 partition.bandwidth.to=1 "partition.bandwidth"
refused partition.jpeg=101 partition.epochs=0 "partition.jpeg"
exit 0
