# eex tune: targets that are met, refused or nonsense; policy files; rejection; the bound.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1

# What there is now, and what can be asked for.
expect 0 "$EEX" tune runs/tiny
for word in calibration validation "to the end" now "right %" "leave at 1 %" --accuracy bootstrap; do
    out_has "$word"
done

# value FILE KEY...: a member of a JSON file.
value() {
    python3 - "$@" <<'PY'
import json, sys
v = json.load(open(sys.argv[1]))
for key in sys.argv[2:]:
    v = v[int(key) if key.isdigit() else key]
print(v)
PY
}

# A budget is kept on the calibration images, and the same command says the same.
if command -v python3 >/dev/null; then
    expect 0 "$EEX" tune runs/tiny --macs 80% --json
    cp out first
    expect 0 "$EEX" tune runs/tiny --macs 80% --json
    grep -v seconds first >a
    grep -v seconds out >b
    cmp -s a b || fail "the same command gave another result"
    python3 - first <<'PY' || fail "the budget is not kept"
import json, sys
r = json.load(open(sys.argv[1]))
after = r["calibration"]["after"]
assert after["macs"][0] <= 0.8 * r["base_macs"], after["macs"]
for split in "calibration", "validation":
    for figure in "accuracy", "macs", "agreement", "rejected", "latency_ms":
        value, low, high = r[split]["after"][figure]
        assert low <= value <= high, (split, figure)
    exits = r[split]["after"]["exits"]
    assert abs(sum(e["utilisation"][0] for e in exits) - 1) < 1e-9
assert len(r["a"]) == len(r["exit_macs"]) == len(exits)
PY
    # The figure that decides is shown, and both ways to ask agree about it.
    for share in 45 60 75 90; do
        "$EEX" tune runs/tiny --macs $share% --json >budget 2>err || continue # not to be had
        expect 0 "$EEX" tune runs/tiny --accuracy "$(value budget cross_fitted accuracy)" --json
        python3 - budget out <<'PY' || fail "asked for what $share % gave, the tuner finds something dearer"
import json, sys
budget, accuracy = (json.load(open(f)) for f in sys.argv[1:])
for r in budget, accuracy:
    fitted = r["cross_fitted"]
    assert fitted["accuracy"] <= r["calibration"]["after"]["accuracy"][0] + 1e-12, r
    end = r["calibration"]["end"]["accuracy"][0]
    assert abs(fitted["accuracy"] - fitted["against_end"] - end) < 1e-12, r
assert accuracy["cross_fitted"]["accuracy"] >= budget["cross_fitted"]["accuracy"] - 1e-12
assert accuracy["calibration"]["after"]["macs"][0] <= budget["calibration"]["after"]["macs"][0]
PY
    done
    expect 0 "$EEX" tune runs/tiny --reject 0.1 --json
    grep -q cross_fitted out && fail "nothing was cross-fitted"
    expect 0 "$EEX" tune runs/tiny --reject 0.1 --policy entropy --temperature 2 --json
    cp out rejecting
    python3 - rejecting <<'PY' || fail "more is rejected than was asked for"
import json, sys
r = json.load(open(sys.argv[1]))
assert 0 < r["calibration"]["after"]["rejected"][0] <= 0.1
assert r["policy"] == "entropy"
PY
    # By distance from the familiar unless the score is asked for: other thresholds, the same rate; the
    # engine rejects as many of the images as the trace says.
    expect 0 "$EEX" tune runs/tiny --reject 0.1 --reject-by score --policy entropy --temperature 2 --json
    cp out by_score
    cmp -s rejecting by_score && fail "--reject-by score changed nothing"
    expect 0 "$EEX" tune runs/tiny --reject 0.2 --reject-by distance -o far.h5 --json
    cp out far.json
    expect 0 "$EEX" infer runs/tiny --split calibration --policy far.h5 --json
    python3 - far.json out <<'PY' || fail "the engine rejects others than the trace says"
import json, sys
said = json.load(open(sys.argv[1]))["calibration"]["after"]["rejected"][0]
lines = [json.loads(l) for l in open(sys.argv[2])]
assert said > 0 and abs(sum(not l["accepted"] for l in lines) / len(lines) - said) < 1e-9
PY
    expect 0 "$EEX" run tiny.lua --threads 1 --out rejects --set policy.reject=0.2
    expect 0 "$EEX" tune rejects --json
    cp out rejects.json
    python3 - rejects.json <<'PY' || fail "policy.reject = 0.2 is not kept"
import json, sys
assert 0 < json.load(open(sys.argv[1]))["calibration"]["before"]["rejected"][0] <= 0.2
PY
    expect 2 "$EEX" tune rejects --risk 0.3
    err_has "--reject"
    expect 0 "$EEX" tune runs/tiny --conformal 0.3 --delta 0.1 --json
    cp out bound
    [ "$(value bound conformal tested)" = 25 ] || fail "not half of 50 images were tested"
    # Risks: what is said of the images that certified and of those held out, the same each time.
    for how in "--loss accuracy" "--loss disagreement" "--loss brier" "--method crc" \
        "--method crc --loss brier" --each-exit "--each-exit --loss brier --policy entropy"; do
        # shellcheck disable=SC2086
        expect 0 "$EEX" tune runs/tiny --risk 0.3 --delta 0.1 $how --json
        cp out first
        # shellcheck disable=SC2086
        expect 0 "$EEX" tune runs/tiny --risk 0.3 --delta 0.1 $how --json
        grep -v seconds first >a
        grep -v seconds out >b
        cmp -s a b || fail "--risk with $how gave another result"
        python3 - first "$how" <<'PY' || fail "--risk with $how"
import json, sys
r, how = json.load(open(sys.argv[1])), sys.argv[2]
risk, crc, each = r["risk"], "crc" in how, "each" in how
assert risk["method"] == ("crc" if crc else "ltt") and risk["each_exit"] == each
assert risk["fitted"] == risk["certified_on"] == 25 and risk["passed"] <= risk["settings"]
assert (risk["delta"] is None) == crc and risk["needed"] <= 25
assert sum(e["images"] for e in risk["exits"]) == 25
bounds = [e["bound"] for e in risk["exits"] if e["images"]] if each else [risk["bound"]]
assert all(b <= risk["epsilon"] * (1 + 1e-6) for b in bounds), bounds
low, high = sorted(risk["validation"][1:])
assert low <= risk["validation"][0] <= high
assert risk["open"] == any(e["images"] for e in risk["exits"][:-1]) or each
if "disagreement" in how:
    agreed = r["validation"]["after"]["agreement"][0]
    assert abs(risk["validation"][0] - (1 - agreed)) < 1e-9
if how == "--loss accuracy":
    assert abs(risk["validation"][0] - r["validation"]["after"]["lost"][0]) < 1e-9
PY
    done
    expect 0 "$EEX" tune runs/tiny --sweep --json
    cp out sweep
    value sweep front 0 macs >/dev/null || fail "no front"
fi
expect 0 "$EEX" tune runs/tiny --sweep
out_has "accuracy against MACs"
expect 0 "$EEX" tune runs/tiny --accuracy -0.1
out_has "cross-fitted %"
out_has "points against the end. This decided"
expect 0 "$EEX" tune runs/tiny --conformal 0.3 --delta 0.1
out_has "With probability 0.9"
for how in "" "--method crc" --each-exit "--loss brier"; do
    # shellcheck disable=SC2086
    expect 0 env COLUMNS=80 "$EEX" tune runs/tiny --risk 0.3 --delta 0.1 $how
    out_has "Risk: "
    out_has "certified on"
    awk 'length > 80' out | grep -q . && fail "a line is wider than 80 columns with --risk $how"
done
expect 0 "$EEX" tune runs/tiny --risk 0.3 --each-exit -o promised.h5
out_has "--policy promised.h5"
expect 0 "$EEX" infer runs/tiny --split validation --policy promised.h5

# Files: written once, used by name, refused by other networks and for what they are not.
expect 0 "$EEX" tune runs/tiny --accuracy -0.1 -o careful.h5
out_has "--policy careful.h5"
expect 2 "$EEX" tune runs/tiny --accuracy -0.1 -o careful.h5
err_has "--force"
expect 0 "$EEX" tune runs/tiny --accuracy -0.1 -o careful.h5 --force
expect 2 "$EEX" tune runs/tiny --accuracy -0.1 -o runs/tiny/final.h5 --force
err_has "belongs to the run"
cp runs/tiny/final.h5 other.h5
for force in "" --force; do # what would be refused with --force is not said to be replaced by it
    # shellcheck disable=SC2086
    expect 2 "$EEX" tune runs/tiny --accuracy -0.1 -o other.h5 $force
    err_has "not what this command writes"
    grep -q -e --force err && fail "--force is offered where it does not help"
done
expect 2 "$EEX" tune runs/tiny -o nothing.h5
[ -e nothing.h5 ] && fail "a policy for nothing"
expect 1 "$EEX" tune runs/tiny --accuracy -0.1 -o no/such/folder.h5
if command -v h5dump >/dev/null; then
    expect 0 h5dump -A careful.h5
    for word in eex_format policy target calibration_accuracy validation_macs \
        cross_fitted_accuracy; do
        out_has "$word"
    done
fi
expect 1 "$EEX" tune careful.h5
err_has "careful.h5"

expect 0 "$EEX" help tune
tr -s ' \n' ' ' <out | grep -qF "with --conformal and --risk, of the half of them" || fail "whom --reject looks at"

# What belongs to another option is not passed over.
for option in "--delta 0.1" "--loss brier" "--method crc" "--each-exit"; do
    expect 2 "$EEX" tune runs/tiny $option
    err_has "${option% *} goes with --risk"
done

# What cannot be met is refused with what can.
expect 1 "$EEX" tune runs/tiny --macs 1
err_has "leaving as early as they can"
expect 1 "$EEX" tune runs/tiny --latency 0.0000001
err_has "ms on average"
expect 1 "$EEX" tune runs/tiny --conformal 0.001
err_has "An epsilon of that much"
# Too few images for what is asked: so many would do.
expect 2 "$EEX" tune runs/tiny --risk 0.01 --delta 0.05
err_has "at least 299 others"
err_has "597 calibration images would do, or an epsilon of 0.113"
expect 2 "$EEX" tune runs/tiny --risk 0.03 --method crc
err_has "at least 33 others"
expect 2 "$EEX" tune runs/tiny --risk 0.01 --loss brier --method crc -o none.h5
err_has "at least 199 others"
[ -e none.h5 ] && fail "a policy that was refused"
expect 1 "$EEX" tune runs/tiny --accuracy 1
err_has "is the most"

# A cut network has no table of times: they can be measured.
expect 0 "$EEX" prune runs/tiny --exit 2 -o cut.h5
expect 2 "$EEX" tune cut.h5 --latency 1000
err_has "--measure"
expect 0 "$EEX" tune cut.h5 --latency 1000 --measure --threads 1
expect 0 "$EEX" tune runs/tiny --latency 1000 --measure --threads 1
expect 1 "$EEX" tune cut.h5 --latency 0.000001 --measure --threads 1
err_has "ms on average"

# Wrong usage.
expect 2 "$EEX" run tiny.lua --out never --set policy.reject=1.5
err_has "policy.reject"
expect 2 "$EEX" tune
expect 2 "$EEX" tune runs/tiny --macs 2M --accuracy 0.5
err_has "one target at a time"
expect 2 "$EEX" tune runs/tiny --macs 50% --risk 0.3
err_has "one target at a time"
expect 2 "$EEX" tune runs/tiny --risk 0.3 --conformal 0.3
err_has "one target at a time"
expect 2 "$EEX" tune runs/tiny --risk 0.3 --sweep
err_has "takes no target"
for words in "--loss brier" "--method crc" --each-exit; do
    # shellcheck disable=SC2086
    expect 2 "$EEX" tune runs/tiny $words
    err_has "goes with --risk"
done
expect 2 "$EEX" tune runs/tiny --risk 0.3 --loss accurcy
err_has "accuracy"
expect 2 "$EEX" tune runs/tiny --risk 0.3 --method lt
err_has "ltt"
expect 2 "$EEX" tune runs/tiny --risk 1.5
err_has "the most that loss"
expect 0 "$EEX" tune runs/tiny --risk 1.5 --loss brier
expect 2 "$EEX" tune runs/tiny --risk 0.3 --method crc --each-exit
err_has "(ltt)"
expect 2 "$EEX" tune runs/tiny --risk 0.3 --each-exit --reject 0.1
err_has "reject nobody"
expect 2 "$EEX" tune runs/tiny --accuray 0.5
err_has "--accuracy"
expect 2 "$EEX" tune runs/tiny --macs lots
expect 2 "$EEX" tune runs/tiny --accuracy 2
expect 2 "$EEX" tune runs/tiny --reject 1
expect 2 "$EEX" tune runs/tiny --reject 0.1 --reject-by distnce
err_has "distance"
expect 2 "$EEX" tune runs/tiny --reject-by score
err_has "--reject-by goes with --reject"
expect 2 "$EEX" infer runs/tiny/base.h5 --split test --policy far.h5
expect 2 "$EEX" tune runs/tiny --policy entrpy
err_has "entropy"
expect 2 "$EEX" tune runs/tiny --sweep --macs 50%
expect 1 "$EEX" tune nowhere
err_has "nowhere"
expect 1 "$EEX" tune tiny.lua
expect 2 "$EEX" tune runs/tiny/base.h5
err_has "without early exits"

# Means of classes stay of what the experiment says, by whatever way they are fitted anew.
expect 0 "$EEX" tune runs/tiny
out_has "per_class by label, "
expect 0 "$EEX" run tiny.lua --threads 1 --out predicted --set policy.by=prediction
expect 0 "$EEX" show predicted
out_has "policy: per_class by prediction"
expect 0 "$EEX" show predicted/final.h5
out_has "policy: per_class by prediction"
for how in "" "--macs 90%" "--accuracy -0.5" "--conformal 0.5" "--risk 0.5" "--risk 0.5 --each-exit" "--reject 0.1" \
    "--temperature 2" "--policy per_class" "--policy per_class --risk 0.5" --sweep; do
    # shellcheck disable=SC2086
    expect 0 "$EEX" tune predicted $how
    out_has "per_class by prediction, "
    # shellcheck disable=SC2086
    expect 0 "$EEX" tune predicted $how --json
    out_has '"policy_by": "prediction"'
done
expect 0 "$EEX" show predicted --json
out_has '"policy_by": "prediction"'
expect 0 "$EEX" tune predicted --policy margin --json
out_has '"policy_by": null'
# What the experiment says is kept where nothing is fitted by it yet.
expect 0 "$EEX" run tiny.lua --threads 1 --out margins --set policy.by=prediction --set policy.kind=margin
expect 0 "$EEX" show margins
out_has "policy: margin"
expect 0 "$EEX" tune margins --policy per_class
out_has "per_class by prediction, "

# A run that has not come so far, and one whose traces are gone.
cp -r runs/tiny half
rm half/final.h5
expect 1 "$EEX" tune half
err_has "no network with exits yet"
cp -r runs/tiny lost
rm lost/final-calibration.h5
expect 1 "$EEX" tune lost
err_has "final-calibration.h5"
cp -r runs/tiny blind
rm blind/final-validation.h5
expect 0 "$EEX" tune blind --macs 80%
out_has "no validation trace"
expect 0 "$EEX" tune blind --risk 0.3
out_has "certified on"
expect 0 "$EEX" tune blind --risk 0.3 --json
out_has '"validation": null'
truncate -s 2000 blind/final-calibration.h5
expect 1 "$EEX" tune blind
err_has "final-calibration.h5"
exit 0
