# training.init: initial weights from a file, for whom, what does not fit, and what a run remembers of it.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
run=("$EEX" run tiny.lua --threads 1 --set training.epochs=1 --set search.trials=4)
expect 0 "${run[@]}" --out first --set training.epochs=4
cp first/base.h5 model.h5

# Base and shared network begin with it, and the output says what it has of each.
expect 0 "${run[@]}" --out scratch
expect 0 "${run[@]}" --out warm --set training.init=model.h5
all=$(sed -n 's/^initial weights from model.h5: \([0-9]*\) of the network.s \1 parameters$/\1/p' err)
[ -n "$all" ] || fail "not all of the base's weights are from its own file"
grep -q "^initial weights from model.h5: $all of the network's [0-9]* parameters; from scratch: exits\..* and others$" err ||
    fail "nothing about the shared network, whose gates are not in the file"
loss() {
    sed -n "s/^$1: epoch 1\/1, loss \([0-9.]*\);.*/\1/p" err
}
warm=$(loss base) warm_shared=$(loss "shared network")
expect 0 "${run[@]}" --out again --set training.init=model.h5
cmp -s <(results warm) <(results again) || fail "two runs from the same weights differ"
expect 0 "${run[@]}" --out scratch --fresh
awk "BEGIN { exit !($warm < $(loss base) && $warm_shared < $(loss "shared network")) }" ||
    fail "loss $warm and $warm_shared: weights that were trained before begin no better than others"

# A shared network's file has its gates too; one that starts from the base takes its weights from there.
expect 0 "${run[@]}" --out gates --set training.init=first/shared.h5
[ "$(grep -c "^initial weights from first/shared.h5: " err)" -eq 2 ] || fail "not said of both networks"
err_has "of the file's are not in it"
grep "^initial weights" err | grep -q "from scratch" && fail "the file's gates were not taken"
expect 0 "${run[@]}" --out base --set training.init=model.h5 --set training.from=base
[ "$(grep -c "^initial weights" err)" -eq 1 ] || fail "the trained base was overwritten"

# The run is the content's and not the name's.
mv model.h5 elsewhere.h5
expect 0 "${run[@]}" --out warm --set training.init=elsewhere.h5
err_has "is finished"
cp warm/base.h5 model.h5
expect 2 "${run[@]}" --out warm --set training.init=model.h5
err_has "warm holds a run of another experiment"
err_has "training.init"
expect 2 "${run[@]}" --out warm
expect 2 "${run[@]}" --out scratch --set training.init=elsewhere.h5
err_has "training.init"
expect 0 "${run[@]}" --out search --set training.init=elsewhere.h5 --set search.trials=6 --from warm
err_has "taken over from warm: split.h5, base.h5, shared.h5"
expect 0 "${run[@]}" --out other --set training.init=model.h5 --from warm
err_has "taken over from warm: split.h5"
grep -q "taken over from warm: .*base.h5" err && fail "a base from other weights was taken over"
expect 0 "${run[@]}" --out none --from warm
grep -q "taken over from warm: .*base.h5" err && fail "a base from a file's weights was taken over"

# Killed in the middle it goes on to the same weights.
expect 0 "${run[@]}" --out whole --set training.init=elsewhere.h5 --set training.epochs=3
"${run[@]}" --out killed --set training.init=elsewhere.h5 --set training.epochs=3 >out 2>err &
pid=$!
while [ ! -e killed/split.h5 ]; do sleep 0.01; done
sleep 0.1
kill -INT $pid
wait $pid
expect 0 "${run[@]}" --out killed --set training.init=elsewhere.h5 --set training.epochs=3
cmp -s <(results whole) <(results killed) || fail "continued, the result differs"

# What does not fit is named before there is a folder.
refused() {
    local status=$1 text=$2
    shift 2
    expect "$status" "${run[@]}" --out never "$@"
    err_has "training.init"
    err_has "$text"
    [ ! -e never ] || fail "a folder was made"
}
sed 's/out = 8, kernel = 3, stride = 4/out = 8, kernel = 5, stride = 4/' tiny.lua >kernel.lua
run=("$EEX" run kernel.lua --threads 1)
refused 2 '"stem.weight" of "tiny" is 8x3x5x5, in elsewhere.h5 8x3x3x3' --set training.init=elsewhere.h5
sed 's/"stem"/"root"/; s/"block" \.\. i/"layer" .. i/; s/"classifier"/"head"/' tiny.lua >names.lua
run=("$EEX" run names.lua --threads 1)
refused 2 'elsewhere.h5 has no parameter of "tiny" ("root.weight" and so on)' --set training.init=elsewhere.h5
run=("$EEX" run tiny.lua --threads 1)
refused 1 'nothing.h5' --set training.init=nothing.h5
refused 1 'first/search.h5 is a "search" file' --set training.init=first/search.h5
refused 1 'tiny.lua is not an HDF5 file' --set training.init=tiny.lua
mkfifo pipe
refused 1 'pipe is not a file' --set training.init=pipe
head -c 3000 elsewhere.h5 >cut.h5
refused 1 'truncated' --set training.init=cut.h5
# Gates that are others than those in the file, too.
refused 2 '"exits.' --set training.init=first/shared.h5 --set gates.family=strided

# Nor is a file that the run itself would remove or replace, by whatever name: it is still there.
cp -r first own
ln -s own/base.h5 link.h5
run=("$EEX" run tiny.lua --threads 1)
for file in own/base.h5 "$work/own/../own/final.h5" link.h5 own/shared.h5; do
    expect 2 "${run[@]}" --out own --fresh --set training.init=$file
    err_has "training.init: $file is a file of the run's own folder"
    diff -r first own || fail "files of the run are gone"
done
cp first/base.h5 own/mine.h5
expect 0 "${run[@]}" --out own --fresh --set training.init=own/mine.h5 --set training.epochs=1 \
    --set search.trials=4

# A script reaches no file outside of its folder.
mkdir inside
sed 's/training = {/training = { init = "elsewhere.h5",/' tiny.lua >inside/tiny.lua
expect 2 "$EEX" run inside/tiny.lua --out never
err_has "training.init"
sed 's/training = {/training = { init = "elsewhere.h5",/' tiny.lua >here.lua
expect 0 "$EEX" run here.lua --threads 1 --out here --set training.epochs=1
exit 0
