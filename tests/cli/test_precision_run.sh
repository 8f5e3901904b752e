# A run whose networks are trained and decide in bfloat16-products, on a CPU that has it.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
"$EEX" devices | grep -A 1 '^cpu' | grep -q bfloat16-products ||
    skip "this CPU does not calculate in bfloat16-products"
make_data
write_experiment tiny.lua
products="--set precision=bfloat16-products --set training.precision=bfloat16-products"

# shellcheck disable=SC2086
expect 0 "$EEX" run tiny.lua --threads 1 $products
out_has "decides in bfloat16-products"
results runs/tiny >first
# shellcheck disable=SC2086
expect 0 "$EEX" run tiny.lua --threads 1 $products --fresh
results runs/tiny | cmp -s - first || fail "the same run gave another result"
expect 2 "$EEX" run tiny.lua --threads 1
err_has 'there "precision = bfloat16-products"'

# Base and best know what they were judged in.
for file in final base; do
    expect 0 "$EEX" show "runs/tiny/$file.h5"
    out_has "decides in bfloat16-products"
    expect 0 "$EEX" show "runs/tiny/$file.h5" --json
    out_has '"precision": "bfloat16-products"'
done
expect 0 "$EEX" show runs/tiny --json
out_has '"precision": "bfloat16-products"'

# They run in it without being told, and say so where they are told otherwise.
expect 0 "$EEX" infer runs/tiny --split test
grep -q "thresholds" err && fail "there is nothing to warn of"
expect 0 "$EEX" infer runs/tiny --split test --precision float32
err_has "made from scores in bfloat16-products, it runs in float32"
expect 0 "$EEX" infer runs/tiny --split test --to-end --precision float32
grep -q "thresholds" err && fail "thresholds that nobody uses"
expect 0 "$EEX" stream runs/tiny simulated --frames 20 --compare base --precision float32
err_has "it runs in float32"
expect 0 "$EEX" profile runs/tiny --batch 10 --rounds 2
out_has ", in bfloat16-products"

# What is cut off is a network of the same precision, whatever it was measured in.
expect 0 "$EEX" prune runs/tiny --exit 2 -o cut.h5 --no-latency --precision float32
expect 0 "$EEX" show cut.h5
out_has "decides in bfloat16-products"
expect 0 "$EEX" tune cut.h5

# Latencies of one precision are none of the other's.
expect 0 "$EEX" profile --table tiny.lua --structures 2 -o table.h5 --threads 1
expect 1 "$EEX" run tiny.lua --threads 1 --out timed --set search.latency_table=table.h5 \
    --set precision=bfloat16-products
err_has 'bfloat16-products": `eex profile --table'
expect 0 "$EEX" profile --table tiny.lua --structures 2 -o table.h5 --threads 1 \
    --precision bfloat16-products
expect 0 "$EEX" run tiny.lua --threads 1 --out timed --set search.latency_table=table.h5 \
    --set precision=bfloat16-products
exit 0
