# A network against its own exits, each cut off as a network of its own: what a search may maximise,
# and what a run says of it.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua

# It is what is maximised, trial by trial; the other run takes over what is trained.
expect 0 "$EEX" run tiny.lua --threads 1 --out macs --set search.score=cut_macs
expect 0 "$EEX" run tiny.lua --threads 1 --out accuracy --set search.score=cut_accuracy --from macs
err_has "taken over from macs"
for run in macs accuracy; do
    expect 0 "$EEX" show $run
    tr -s ' \n' ' ' <"$work/out" >flat
    grep -q "Against the cut: [-+][0-9.]* % MACs at the same accuracy on the test split" flat ||
        fail "$run: nothing is said of the cut"
    expect 0 "$EEX" show $run --json
    cp "$work/out" $run.json
done
python3 - <<'END' || fail "figures against the cut"
import json
macs, accuracy = (json.load(open(name + ".json")) for name in ("macs", "accuracy"))
for run in macs, accuracy:
    assert -20 < run["best"]["cut_saved"] < 1 and -20 < run["best"]["validation_cut_saved"] < 1
    for trial in run["pareto"]:
        assert trial["cut_saved"] < 1
for trial in macs["pareto"]:
    assert trial["score"] == trial["cut_saved"], trial
for trial in accuracy["pareto"]:
    assert -1 < trial["score"] < 1, trial
assert any(trial["score"] != trial["cut_saved"] for trial in accuracy["pareto"])
END

# Beside each other, and on a page.
expect 0 "$EEX" show macs accuracy
out_has "against cut"
out_has "against cut: MACs on the test split beyond those of the network cut"
expect 0 "$EEX" report macs -o page.html
grep -q "MACs against the cut at the same accuracy" page.html || fail "the page says nothing"

# Cuts are counted in MACs.
expect 2 "$EEX" run tiny.lua --out no --set search.score=cut_macs --set search.cost=latency
err_has 'search.cost: "macs" where search.score is "cut_macs", which counts MACs, got "latency"'
[ ! -e no ] || fail "a refused run left its folder"
