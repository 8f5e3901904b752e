# docs/repl.md: its sessions, on a run like the quick start's that takes seconds.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
command -v python3 >/dev/null || skip "there is no python3"
document=$EEX_SOURCE_DIR/docs/repl.md
[ -f "$document" ] || skip "the documents are not here"

expect 0 "$EEX" data make synthetic --train 900 --test 60 --name small
expect 0 "$EEX" run "$EEX_SOURCE_DIR/experiments/quickstart.lua" --out quickstart --threads 1 \
    --set dataset.name=small --set dataset.train=500 --set dataset.calibration=200 --set dataset.validation=200 \
    --set training.epochs=1 --set training.schedule.warmup=0 --set gates.required=true --set gates.blocks=0 \
    --set search.trials=1 --set search.population=1 --set search.sample=1 \
    --set 'saliency={"layer2.0.relu_1", "layer2.1.relu_1", "layer3.0.relu_1", "layer3.1.relu_1"}'
export COLUMNS=100
expect 0 python3 "$EEX_SOURCE_DIR/tests/cli/repl_transcript.py" "$document" "$EEX" quickstart
grep -q '</svg>' sweep.svg || fail "the picture is not whole"
[ "$(grep -c '^\*\*[0-9]*\. ' "$document")" -ge 10 ] || fail "docs/repl.md has less than ten ablations"
exit 0
