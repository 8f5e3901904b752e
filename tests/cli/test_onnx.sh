#!/usr/bin/env bash
# eex export --onnx: ONNX Runtime decides about every image as eex does, whatever decides.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
python=${EEX_PYTHON:-python3}
"$python" -c 'import h5py, numpy, onnx, onnxruntime' 2>/dev/null ||
    skip "$python has no onnxruntime, onnx or h5py (EEX_PYTHON names another)"

make_data
write_experiment tiny.lua
said() { # MODEL OPTIONS...: what eex says of the test images
    expect 0 "$EEX" infer "$1" --split test --threads 1 --json "${@:2}"
    cp "$work/out" said.jsonl
}
agree() { # MODEL OPTIONS...: of the export, and what is to be said of it
    expect 0 "$EEX" export "$1" --onnx x.onnx --force "${@:2}"
    expect 0 "$python" "$EEX_SOURCE_DIR/scripts/check_onnx.py" x.onnx said.jsonl "$work/data/tiny.h5"
    ! grep -q 'Removing initializer' "$work/err" || fail "constants that nobody reads"
}

# Every kind of policy, with and without what is rejected, by either measure.
run() {
    expect 0 "$EEX" run tiny.lua --threads 1 --set training.epochs=4 --set search.trials=4 \
        --set search.population=2 --set gates.required=true "$@"
}
run --out plain --set policy.kind=margin
said plain
agree plain
agree plain --all-exits
for policy in "margin 0.004" "confidence 0.119" "entropy 2.296"; do
    said plain --policy ${policy% *} --threshold ${policy#* }
    agree plain --policy ${policy% *} --threshold ${policy#* }
    grep -q "left at [2-9] exits" "$work/out" || fail "all leave at one exit by $policy"
done
said plain --policy none
agree plain --policy none
agree plain --exit end --policy none
for by in score distance; do
    expect 0 "$EEX" tune plain --accuracy -0.9 --reject 0.3 --reject-by $by -o $by.h5
    said plain --policy $by.h5
    grep -q '"accepted": false' said.jsonl || fail "nothing is rejected by $by"
    agree plain --policy $by.h5
done

# The gates and the layers of MobileNetV3, and a network that reads another size than the images have.
sed 's/^  backbone = backbone(),/  backbone = eex.backbones.mobilenet_v3 { size = 24, classes = 10, width = 0.25, depths = 1, strides = {1, 2, 1, 1, 2} },/
     s/gates = { blocks = { 0, 1 } }/gates = { family = "eec", blocks = { 1 } }/' tiny.lua >v3.lua
expect 0 "$EEX" run v3.lua --out v3 --threads 1 --set training.epochs=1 --set search.trials=4 \
    --set search.population=2
said v3
agree v3
agree v3 --all-exits

# A gate that says the same of every image, whose score is then a threshold.
sed 's/gates = .*/gates = { family = "residual", blocks = { 1 }, required = true },\n  saliency = { "add1", "add2" },/' tiny.lua >same.lua
expect 0 "$EEX" run same.lua --out same --threads 1 --set training.epochs=2 --set search.trials=4 \
    --set search.population=2
said same
agree same

exit 0
