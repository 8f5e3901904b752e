# Static rivals: trained for as long, scored once, in the table and in JSON; interrupted and gone on.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
sed 's/  gates = /  rivals = { base = true, cuts = true, narrower = backbone(4) },\n  gates = /
     s/function backbone()/function backbone(channels)/; s/out = 8/out = channels or 8/' tiny.lua >rivals.lua
set="--threads 1 --set final.epochs=1"

# As often as the chosen network in all: 2 of the shared network, 1 of the final one.
expect 0 "$EEX" run rivals.lua $set --out r
err_has "training a rival, base: 3 epochs"
err_has "training a rival, narrower: 3 epochs"
out_has "rival, static"
out_has "The most accurate rival"
awk 'length($0) > 80 { print; bad = 1 } END { exit bad }' out || fail "wider than 80 columns"
cp out table
expect 0 "$EEX" show r
cmp -s out table || fail "eex show has another table"
expect 0 "$EEX" show r --json
if command -v python3 >/dev/null; then
    python3 - out <<'PY' || fail "the JSON is wrong"
import json, sys
run = json.load(open(sys.argv[1]))
rivals = run["rivals"]
assert [r["name"] for r in rivals] == ["base"] + [
    f"cut after exit {k + 1}" for k in range(len(run["best"]["exits"]) - 1)] + ["narrower"], rivals
assert all(r["epochs"] == 3 and 0 < r["accuracy"] < 1 and r["macs"] > 0 for r in rivals)
assert rivals[0]["macs"] == run["base"]["macs"] > rivals[-1]["macs"]
PY
fi
expect 0 "$EEX" show r/rival-0001.h5

# The prompt has the same figures.
expect 0 "$EEX" show r --json
cp out shown.json
echo 'for _, x in ipairs(run.rivals) do print(x.name, x.epochs, x.validation_accuracy, x.accuracy, x.macs) end
    print("run", #run.policies, run.chosen, run.structures)' | "$EEX" repl r >out 2>err || fail "no prompt"
if command -v python3 >/dev/null; then
    python3 - shown.json out <<'PY' || fail "the prompt has other figures"
import json, sys
run = json.load(open(sys.argv[1]))
lines = [line.rstrip("\n").split("\t") for line in open(sys.argv[2])]
rows = [line for line in lines if len(line) == 5]
assert len(rows) == len(run["rivals"]) > 0, lines
for row, x in zip(rows, run["rivals"]):
    assert row[0] == x["name"], (row, x)
    for said, key in zip(row[1:], ("epochs", "validation_accuracy", "accuracy", "macs")):
        assert abs(float(said) - x[key]) < 1e-9, (row, x)
assert ["run"] + [str(n) for n in (len(run["policies"]), run["chosen"], run["structures"])] in lines
PY
fi

# What is there is not trained again: without its last file the run goes on with the same figures.
rm r/rivals.h5 r/result.h5 r/rival-0001.h5
expect 0 "$EEX" run rivals.lua $set --out r
err_has "training a rival, base"
! grep -q "training a rival, narrower" err || fail "a rival was trained twice"
grep -A9 "rival, static" out >again
grep -A9 "rival, static" table | cmp -s - again || fail "other figures the second time"

# A file put in another one's place is told by what it is: here a rival of the same structure, trained for
# another number of epochs.
expect 0 "$EEX" run rivals.lua $set --set rivals.epochs=1 --out other
expect 0 "$EEX" report other -o other.html # nor does a page say that it has seen as much
grep -q "rival: base, 1 epoch" other.html || fail "no rival on the page"
! grep -q "for as long" other.html || fail "the page says that a rival of one epoch has seen as much"
rm r/rivals.h5 r/result.h5
cp r/rival-0001.h5 kept.h5
cp other/rival-0001.h5 r/rival-0001.h5
expect 1 "$EEX" run rivals.lua $set --out r
err_has 'r/rival-0001.h5 has another network or training in it: expected "base" of this run'
[ ! -e r/rivals.h5 ] || fail "another rival's figures are in the run"
cp kept.h5 r/rival-0001.h5
expect 0 "$EEX" run rivals.lua $set --out r
grep -A9 "rival, static" out | cmp -s - again || fail "other figures the third time"

# A run without them says that its base had less.
expect 0 "$EEX" run tiny.lua $set --out plain --set training.base_epochs=1
out_has "rivals.base trains"
! grep -q "rival, static" out || fail "rivals that nobody wanted"

# A damaged file says what to do about it.
printf damaged | dd of=r/rivals.h5 bs=1 seek=1000 conv=notrunc 2>/dev/null
expect 1 "$EEX" show r
err_has "r/rivals.h5"
err_has "move the file away, and result.h5 with it, and run the experiment again"

# One that diverges is a row with its reason, which names the rate of rivals, and the run has its result.
expect 0 "$EEX" run rivals.lua $set --set rivals.lr=1e9 --set rivals.cuts=false --out wild --from other
err_has "the run goes on without a rival, base: training of"
err_has "may help: rivals.lr"
out_has "base, failed"
out_has "No rival, narrower: training of"
! grep -q "[Rr]ival.* wins\\|most accurate rival\\|-nan" out err || fail "a rival without figures is compared"
awk 'length($0) > 80 { print; bad = 1 } END { exit bad }' out || fail "wider than 80 columns"
[ ! -e wild/rival-0001.h5 ] && [ ! -e wild/rivals-checkpoint.h5 ] && [ -e wild/result.h5 ] || fail "$(ls wild)"
expect 0 "$EEX" show wild --json
if command -v python3 >/dev/null; then
    python3 - out <<'PY' || fail "the JSON is wrong"
import json, sys
rivals = json.load(open(sys.argv[1]))["rivals"]
assert [r["name"] for r in rivals] == ["base", "narrower"], rivals
assert all("rivals.lr" in r["failure"] and r["accuracy"] is None and r["macs"] > 0 for r in rivals), rivals
PY
fi
expect 0 "$EEX" show wild other
out_has "wild has no rival, base: training of"
! grep -q "other has no" out || fail "a rival that did not fail"
cp -r wild $'wi\nld'
expect 0 "$EEX" show $'wi\nld' other
out_has "wi?ld has no rival, base: training of"
expect 0 "$EEX" report wild -o wild.html
grep -q "rival: base, 3 epochs, failed" wild.html && grep -q "No rival, base: training of" wild.html ||
    fail "the page does not say why"
echo 'print(run.rivals[1].failure, run.rivals[1].accuracy, run.rivals[1].macs > 0)' | "$EEX" repl wild >out 2>err ||
    fail "no prompt"
out_has "rivals.lr	nil	true"

# One that cannot be compared is refused before anything is trained.
sed 's/backbone(4)/eex.backbones.resnet_small { size = 32, classes = 7 }/' rivals.lua >seven.lua
expect 2 "$EEX" run seven.lua $set --out seven
err_has "rivals.narrower: tells 7 classes apart"
expect 2 "$EEX" run tiny.lua --set rivals.epochs=-1 --out no
err_has "rivals.epochs"
