#!/usr/bin/env bash
# Weights from elsewhere and for elsewhere: eex import and eex export.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --out run --threads 1 --seed 1 --set search.trials=6

# same A B: both say the same of the test split's images, to the bit.
same() {
    for model in "$1" "$2"; do
        expect 0 "$EEX" infer "$model" --split test --policy none --threads 1 --json
        grep -v latency <"$work/out" | sed 's/, *"latency_ms": *[^,}]*//' >"$work/$(basename "$model").said"
    done
    cmp -s "$work/$(basename "$1").said" "$work/$(basename "$2").said" || fail "$1 and $2 differ"
}

# ---- safetensors: out and in again ----

cp run/base.h5 base.h5
expect 0 "$EEX" export run --base --safetensors base.safetensors
out_has "base.safetensors: weights, "
expect 0 "$EEX" import base.safetensors --into tiny.lua -o start.h5
out_has '22 of the 22 parameters of "tiny", by torchvision'"'"'s names'
out_has "start.h5: eex run tiny.lua --set training.init=start.h5 starts from it"
same base.h5 start.h5
expect 0 "$EEX" show start.h5
expect 0 "$EEX" export start.h5 --safetensors again.safetensors
cmp base.safetensors again.safetensors || fail "weights change on the way"

# The default name; what is there is asked about, and replaced only when it is a model.
expect 0 "$EEX" import base.safetensors --into tiny.lua --force
[ -s base.h5 ] || fail "no base.h5"
expect 2 "$EEX" import base.safetensors --into tiny.lua
err_has "base.h5 is there already: --force replaces it"
cp tiny.lua mine.lua
expect 2 "$EEX" import base.safetensors --into tiny.lua --force -o mine.lua
err_has "never"
expect 2 "$EEX" import base.safetensors --into tiny.lua --force -o run/base.h5
err_has "belongs to the run"
for way in "--safetensors two --onnx ./two" "--onnx two --c two" "--safetensors two --c $work/two"; do
    expect 2 "$EEX" export run $way
    err_has "are one file"
    [ ! -e two ] || fail "$way: something was written"
done
expect 2 "$EEX" export run --safetensors base.safetensors
err_has "--force replaces it"
expect 2 "$EEX" export run --force --safetensors run/final.h5
expect 0 "$EEX" export run --force --safetensors base.safetensors

# Of the network with exits only the trunk is taken, and the rest is named.
expect 0 "$EEX" import base.safetensors --into tiny.lua -o trunk.h5
out_has "tensors are not used: exits."
expect 0 "$EEX" import base.safetensors --into tiny.lua -o $'tr\nunk.h5'
out_has "tr?unk.h5: eex run tiny.lua --set training.init='tr?unk.h5'"
expect 0 "$EEX" import base.safetensors --into tiny.lua -o trunk.h5 --force --json
out_has '"taken": 22'
out_has '"starts_anew": []'
out_has '"file": "trunk.h5"'

# A wider network: nothing fits, or not all; a last layer of another shape is no matter.
sed 's/out = 10/out = 7/' tiny.lua >seven.lua
expect 2 "$EEX" import base.safetensors --into seven.lua -o seven.h5
err_has 'has 7 classes, "tiny" has 10'
sed 's/name = "block2"/&/; s/x, "block" .. i, { out = 8, kernel = 3 }/x, "block" .. i, { out = 8, kernel = i == 2 and 1 or 3 }/' \
    tiny.lua >other.lua
expect 2 "$EEX" import base.safetensors --into other.lua -o other.h5
out_has "block2.weight: (8, 8, 1, 1) here, (8, 8, 3, 3) of F32 in the file: starts anew"
err_has "1 parameters in front of the last layer find no weights"
[ ! -e other.h5 ] || fail "a model that is not whole was written"
expect 0 "$EEX" import base.safetensors --into other.lua -o other.h5 --partial
out_has "21 of the 22 parameters"
[ -s other.h5 ] || fail "no other.h5"

# Without the data set classes are numbers, and that is said.
expect 0 "$EEX" import base.safetensors --into tiny.lua -o far.h5 --data "$work/nowhere"
err_has 'the data set "tiny" is not here'

# ---- networks of others, as ONNX ----

fixtures=$EEX_SOURCE_DIR/tests/fixtures
expect 0 "$EEX" import "$fixtures/network_odd.onnx" --dataset tiny -o odd.h5
out_has "network_odd: 22 nodes, "
out_has "odd.h5, odd.lua: eex run odd.lua --set training.init=odd.h5 puts exits on it"
expect 0 "$EEX" infer odd.h5 --split test --threads 1
expect 0 "$EEX" run odd.lua --out odd --threads 1 --set dataset.calibration=50 \
    --set dataset.validation=50 --set training.epochs=1 --set training.batch=20 \
    --set search.trials=4 --set search.population=2 --set search.sample=1
expect 0 "$EEX" import "$fixtures/network_plain.onnx" --dataset tiny -o plain.h5 --json \
    --mean 0,0,0 --std 1,1,1
out_has '"script": "plain.lua"'
expect 0 "$EEX" cost plain.lua --points
expect 0 "$EEX" export plain.h5 --safetensors plain.safetensors --onnx plain.onnx --c plain
expect 2 "$EEX" import "$fixtures/network_plain.onnx" --dataset tiny -o plain.h5
err_has "plain.h5 is there already"
rm plain.h5
expect 2 "$EEX" import "$fixtures/network_plain.onnx" --dataset tiny -o plain.h5
err_has "plain.lua is there already"
# An experiment that somebody edited stays as it is, and that is said; one that nobody did is no matter.
expect 0 "$EEX" import "$fixtures/network_plain.onnx" --dataset tiny -o plain.h5 --force
[ ! -s "$work/err" ] || fail "an experiment as it was written is warned of"
echo "-- mine" >>plain.lua
cp plain.lua mine.lua
rm plain.h5
expect 0 "$EEX" import "$fixtures/network_plain.onnx" --dataset tiny -o plain.h5 --force
err_has "plain.lua is there and is not what would be written, so it is left as it is: remove or rename it"
cmp plain.lua mine.lua || fail "an experiment that was edited has been overwritten"
[ -e plain.h5 ] || fail "no model file was written"
rm plain.h5
expect 2 "$EEX" import "$fixtures/network_plain.onnx" --dataset 'x" }' -o x.h5
err_has "--dataset"
expect 2 "$EEX" import "$fixtures/network_plain.onnx" -o x.h5
err_has "for which data set?"
expect 2 "$EEX" import "$fixtures/network_plain.onnx" --dataset tiny -o x.h5 --mean 1,2
err_has "expected 3 numbers"
expect 2 "$EEX" import "$fixtures/network_plain.onnx" --into tiny.lua
err_has "go with safetensors"
expect 2 "$EEX" import base.safetensors --into tiny.lua --mean 0,0,0
err_has "go with MODEL.onnx"
expect 1 "$EEX" import plain.onnx --dataset tiny -o x.h5 # what eex exports reads bytes
err_has "expected (N, 1 or 3, height, width)"
[ ! -e x.h5 ] && [ ! -e x.lua ] || fail "something was written"

# ---- wrong usage, and files that are none ----

expect 2 "$EEX" import base.safetensors
err_has "for which network? --into EXPERIMENT.lua"
expect 1 "$EEX" import absent.safetensors --into tiny.lua -o x.h5
err_has "absent.safetensors"
expect 1 "$EEX" import base.h5 --into tiny.lua -o x.h5
err_has "base.h5 is HDF5, not safetensors"
expect 1 "$EEX" import tiny.lua --into tiny.lua -o x.h5
err_has "no safetensors file"
printf '\377\377\377\377\377\377\377\377' >hostile
expect 1 "$EEX" import hostile --into tiny.lua -o x.h5
err_has "a header of 18446744073709551615 bytes in a file of 8"
[ ! -e x.h5 ] || fail "something was written"
expect 2 "$EEX" export run
err_has "as what?"
expect 2 "$EEX" export run --base --exit 1 --onnx x.onnx
err_has "the base has no exits"
expect 2 "$EEX" export run --all-exits --safetensors x.safetensors
err_has "goes with --onnx"
expect 2 "$EEX" export run/base.h5 --all-exits --onnx x.onnx
err_has "has no early exits, only its end"
[ ! -e x.onnx ] || fail "something was written"
expect 2 "$EEX" export run --exit 9 --onnx x.onnx
err_has "expected 1 to"
expect 0 "$EEX" export run --base --onnx base.onnx
expect 2 "$EEX" export run --base --onnx base.onnx
expect 0 "$EEX" export run --exit 1 --onnx one.onnx --safetensors one.safetensors
exit 0
