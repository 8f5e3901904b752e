# A bottleneck at the last early exit: what is sent, what stays as it was, and what is refused.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1 --set gates.blocks='{1}' --set search.score=accuracy

short="--epochs 1 --more-epochs 1 --batch 16 --no-augment --threads 1"
expect 0 "$EEX" bottleneck runs/tiny -o small.h5 $short
out_has "times fewer"
out_has "validation split"
awk 'length($0) > 80 { print; bad = 1 } END { exit bad }' out || fail "wider than 80 columns"
expect 0 "$EEX" bottleneck runs/tiny -o $'sm\nall.h5' $short
out_has "sm?all.h5:"
expect 2 "$EEX" bottleneck runs/tiny -o small.h5 $short
err_has "--force"

# The same again is the same file; fewer bits are fewer bytes.
cp small.h5 first.h5
expect 0 "$EEX" bottleneck runs/tiny -o small.h5 $short --force --json
cmp -s small.h5 first.h5 || fail "the same bottleneck is another file"
[ "$(tail -c 1 out | od -An -c | tr -d ' ')" = '\n' ] || fail "JSON without an end of its line"
eight=$(sed -n 's/.*"bytes": \([0-9]*\).*/\1/p' out)
expect 0 "$EEX" bottleneck runs/tiny -o two.h5 $short --bits 2 --json
two=$(sed -n 's/.*"bytes": \([0-9]*\).*/\1/p' out)
[ "$eight" -gt 0 ] && [ $((4 * two)) -eq "$eight" ] || fail "2 bits are $two bytes, 8 are $eight"

# It is a model like any other.
expect 0 "$EEX" show small.h5
expect 0 "$EEX" infer small.h5 --split validation --threads 1
expect 0 "$EEX" prune small.h5 --no-latency --threads 1
expect 0 "$EEX" tune small.h5 --accuracy 0 -o thresholds.h5 --threads 1

# A model file away from its run is trained on what the run was: not on what that held back, which
# its traces tell. Both are called alike, because what is made says from what.
expect 0 "$EEX" prune runs/tiny --filters 0.25 --epochs 0 -o away.h5 --threads 1
cp away.h5 runs/tiny/away.h5
expect 0 "$EEX" bottleneck away.h5 -o far.h5 $short
expect 0 "$EEX" predictor away.h5 --epochs 1 --threads 1
cd runs/tiny
expect 0 "$EEX" bottleneck away.h5 -o "$work/near.h5" $short
expect 0 "$EEX" predictor away.h5 --epochs 1 --threads 1
cd "$work"
cmp -s far.h5 near.h5 || fail "away from its run a network is trained on other images"
cmp -s away-predictor.h5 runs/tiny/away-predictor.h5 || fail "so is a predictor"

# Interrupted behind its first step it goes on from there, and ends with the same bits.
long="--epochs 1 --more-epochs 12 --batch 16 --no-augment --threads 1"
expect 0 "$EEX" bottleneck runs/tiny -o whole.h5 $long
[ -e whole-checkpoint.h5 ] && fail "a checkpoint is left"
set -m # so that nobody ignores SIGINT
"$EEX" bottleneck runs/tiny -o cut.h5 $long >out 2>err &
while [ ! -e cut-checkpoint.h5 ] && [ ! -e cut.h5 ]; do :; done
kill -INT $! 2>/dev/null
wait $!
if [ ! -e cut.h5 ]; then # else it was done before it heard of the signal
    [ -e cut-checkpoint.h5 ] || fail "nothing is kept"
    expect 0 "$EEX" bottleneck runs/tiny -o cut.h5 $long --threads 1
    err_has "going on after"
fi
cmp -s whole.h5 cut.h5 || fail "an interruption changes the network"
[ -e cut-checkpoint.h5 ] && fail "a checkpoint is left"
set +m

expect 2 "$EEX" bottleneck runs/tiny $short
err_has "-o"
expect 2 "$EEX" bottleneck runs/tiny -o x.h5 --bits 9
expect 2 "$EEX" bottleneck small.h5 -o x.h5 $short
err_has "already"
expect 2 "$EEX" bottleneck runs/tiny/base.h5 -o x.h5 $short
err_has "no early exit"
[ -e x.h5 ] && fail "something was written"
exit 0
