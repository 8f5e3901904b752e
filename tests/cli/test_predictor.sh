# eex predictor: trained beside a model, used by what runs it; honest about what it is worth.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data

err_lacks() {
    ! grep -qF -- "$1" "$work/err" || fail "\"$1\" on stderr"
}

write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1
expect 1 "$EEX" predictor nowhere
expect 2 "$EEX" predictor runs/tiny --family lnet
err_has 'did you mean "lenet"'
expect 2 "$EEX" predictor runs/tiny --images test
expect 2 "$EEX" predictor runs/tiny --lambda best

# The run is as it was but for one file, and the same command gives the same weights.
expect 0 "$EEX" predictor runs/tiny --epochs 2 --threads 1
for word in "exit predictor: separable" validation test "on device" "the test split" gate; do
    out_has "$word"
done
grep -Eq 'It (pays|does not pay) on the test split' out || fail "it does not say whether it pays"
[ -f runs/tiny/final-predictor.h5 ] || fail "no file beside the model"
cp runs/tiny/final-predictor.h5 first.h5
expect 2 "$EEX" predictor runs/tiny --epochs 2 --threads 1
err_has "--force"
expect 0 "$EEX" predictor runs/tiny --epochs 2 --threads 1 --force
cmp -s first.h5 runs/tiny/final-predictor.h5 || fail "the same command made another predictor"
cp runs/tiny/base.h5 runs/tiny/final-predictor.h5 # what is no predictor is not replaced by one
expect 2 "$EEX" predictor runs/tiny --epochs 2 --threads 1 --force
err_has "never replaced"
cmp -s runs/tiny/base.h5 runs/tiny/final-predictor.h5 || fail "a network was replaced"
cp first.h5 runs/tiny/final-predictor.h5
cp -r runs/tiny $'runs/ti\nny'
expect 0 "$EEX" predictor $'runs/ti\nny' --epochs 1 --threads 1 --force
out_has "runs/ti?ny/final-predictor.h5"
expect 0 "$EEX" predictor runs/tiny --epochs 1 --threads 1 --force
err_has "predictor: 1 epoch on"

# Interrupted, it goes on; with two threads it ends with the same bits, too.
set -m # so that nobody ignores SIGINT
kept=runs/tiny/final-predictor-checkpoint.h5
rm runs/tiny/final-predictor.h5
"$EEX" predictor runs/tiny --epochs 2 --threads 1 >out 2>err &
while ! grep -q "training the predictor" err && kill -0 $! 2>/dev/null; do :; done
kill -INT $! 2>/dev/null
wait $!
[ -e runs/tiny/final-predictor.h5 ] || [ -e $kept ] || fail "nothing is kept"
expect 0 "$EEX" predictor runs/tiny --epochs 2 --threads 2 --force
cmp -s first.h5 runs/tiny/final-predictor.h5 || fail "an interruption changes the predictor"
[ -e $kept ] && fail "a checkpoint is left"
set +m

expect 0 "$EEX" show runs/tiny
out_has "exit predictor: separable"
expect 0 "$EEX" show runs/tiny --json
out_has '"predictor"'
expect 0 "$EEX" run tiny.lua --threads 1 # a finished run with a file more

# Accuracy against computation, over thresholds: nothing is trained, and a higher threshold computes more.
expect 0 "$EEX" prune runs/tiny --filters 0.4 --epochs 0 -o narrow.h5 --threads 1
cp runs/tiny/final-predictor.h5 before.h5
expect 0 "$EEX" predictor runs/tiny --curve --filtered narrow.h5 --json --threads 1
cmp -s runs/tiny/final-predictor.h5 before.h5 || fail "a curve changes the predictor"
if command -v python3 >/dev/null; then
    python3 - out <<'PY' || fail "the curve is none"
import json, sys
curve = json.load(open(sys.argv[1]))["curve"]
assert [p["threshold"] for p in curve] == [0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99]
for a, b in zip(curve, curve[1:]):
    assert a["exits"]["device_macs"] <= b["exits"]["device_macs"]
    assert a["filters"]["device_macs"] <= b["filters"]["device_macs"]
last = curve[-1] # nobody of a network that knows nothing is so sure: all compute all gates
assert last["filters"]["device_macs"] < last["exits"]["device_macs"], last
for p in curve:
    assert all(0 <= p[way]["accuracy"] <= 1 for way in ("exits", "predictor", "filters"))
PY
fi
# What is read is looked for before what is written.
expect 1 "$EEX" predictor runs/none --curve -o before.h5
err_has "runs/none: no such run or model"
expect 1 "$EEX" predictor runs/tiny --curve --filtered none.h5 -o before.h5
err_has "none.h5: no such run or model"
expect 0 "$EEX" predictor runs/tiny --curve --threads 1
out_has "predictor: MACs"
expect 0 "$EEX" predictor narrow.h5 --curve --threads 1 # without one
expect 2 "$EEX" predictor runs/tiny --filtered narrow.h5
err_has "goes with --curve"
expect 2 "$EEX" predictor runs/tiny/base.h5 --curve
err_has "no gates"
if command -v gnuplot >/dev/null; then
    expect 0 "$EEX" predictor runs/tiny --curve -o curve.svg --threads 1
    grep -q "with the predictor" curve.svg || fail "the picture lacks the predictor"
fi

# Everything that runs the model uses it, unless it is told not to, or has other thresholds.
expect 0 "$EEX" infer runs/tiny --split test --threads 1 --json
err_has "says which gates are computed"
expect 0 "$EEX" infer runs/tiny --split test --threads 1 --json --batch 7
expect 0 "$EEX" infer runs/tiny --split test --threads 1 --no-predictor
err_lacks "says which gates are computed"
expect 0 "$EEX" infer runs/tiny --split test --threads 1 --policy confidence --threshold 0.5
err_lacks "says which gates are computed"
expect 0 "$EEX" stream runs/tiny simulated --threads 1
err_has "says which gates are computed"
expect 0 "$EEX" profile runs/tiny --images 5 --batch 5 --threads 1
err_has "says which gates are computed"

# A grid of confidences, other families and images, the published way beside.
expect 0 "$EEX" predictor runs/tiny --force --epochs 1 --threads 1 --lambda grid --images both \
    --family linear --test-thresholds
out_has "chosen on test (as published)"
out_has "flatters"
expect 0 "$EEX" predictor runs/tiny --force --epochs 1 --threads 1 --images calibration --json
if command -v python3 >/dev/null; then
    python3 - out <<'PY' || fail "figures that do not fit together"
import json, sys
p = json.load(open(sys.argv[1]))["predictor"]
assert p["images"] == "calibration" and p["chosen_on_test"] is None
for split in "validation", "test":
    was, now = p[split]["without"], p[split]["with"]
    assert abs(sum(now["utilisation"]) - 1) < 1e-9 and abs(sum(was["utilisation"]) - 1) < 1e-9
    assert all(a <= b + 1e-9 for a, b in zip(now["computed"][:1], was["computed"][:1]))
    assert now["device_macs"] >= p["macs"] and now["macs"] >= now["device_macs"]
assert p["pays"] == (p["test"]["with"]["device_macs"] < p["test"]["without"]["device_macs"])
PY
fi

# Damaged, or of another network: refused by name, never taken for absent.
cp runs/tiny/final-predictor.h5 good.h5
head -c 3000 good.h5 >runs/tiny/final-predictor.h5
expect 1 "$EEX" infer runs/tiny --split test --threads 1
err_has final-predictor.h5
expect 0 "$EEX" infer runs/tiny --split test --threads 1 --no-predictor
cp runs/tiny/final.h5 runs/tiny/final-predictor.h5
expect 1 "$EEX" show runs/tiny
err_has final-predictor.h5

# A file of a model has its own.
cp runs/tiny/final.h5 alone.h5
cp good.h5 alone-predictor.h5
expect 0 "$EEX" infer alone.h5 --split test --threads 1
err_has "alone-predictor.h5 says"
if "$EEX" prune runs/tiny --exit 1 -o cut.h5 --threads 1 --no-latency >out 2>err; then
    cp good.h5 cut-predictor.h5
    "$EEX" infer cut.h5 --split test --threads 1 >out 2>err && grep -q "cut-predictor.h5 says" err &&
        fail "a predictor of another network is used"
fi
expect 2 "$EEX" predictor runs/tiny/base.h5
err_has "this network has none"

# Of a network with the same exits and other weights, too: the one that was there before.
make_network() {
    expect 0 "$EEX" bottleneck runs/tiny -o net.h5 --epochs 1 --more-epochs 1 --threads 1 --seed "$@"
}
make_network 1
expect 0 "$EEX" predictor net.h5 --epochs 1 --threads 1
cp net.h5 moved.h5
cp net-predictor.h5 moved-predictor.h5
make_network 2 --force
for way in "infer net.h5 --split test" "show net.h5" "stream net.h5 simulated"; do
    expect 2 "$EEX" $way
    err_has "net-predictor.h5: it was trained for a network of other weights than net.h5"
    err_has "eex predictor net.h5 --force"
done
expect 0 "$EEX" infer net.h5 --split test --threads 1 --no-predictor
expect 0 "$EEX" infer moved.h5 --split test --threads 1 # a name is nothing
err_has "moved-predictor.h5 says"
expect 0 "$EEX" predictor net.h5 --epochs 1 --threads 1 --force
expect 0 "$EEX" show net.h5

# In an experiment: a phase of its own, that is taken over and continued like others.
expect 0 "$EEX" run tiny.lua --threads 1 --out runs/second --from runs/tiny \
    --set predictor.epochs=2 --set predictor.family=plain
[ -f runs/second/final-predictor.h5 ] || fail "the phase leaves no file"
cmp -s runs/tiny/final.h5 runs/second/final.h5 || fail "the network depends on its predictor"
cp runs/second/final-predictor.h5 phase.h5
rm runs/second/final-predictor.h5 runs/second/result.h5
expect 0 "$EEX" run tiny.lua --threads 1 --out runs/second --from runs/tiny \
    --set predictor.epochs=2 --set predictor.family=plain
cmp -s phase.h5 runs/second/final-predictor.h5 || fail "another predictor the second time"
expect 2 "$EEX" run tiny.lua --set predictor.more=2
err_has predictor.more
