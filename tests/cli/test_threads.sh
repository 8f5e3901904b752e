# A run has the same weights and results however many threads it had.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua

expect 0 "$EEX" run tiny.lua --threads 1 --out one
results one >"$work/one.json"
for threads in 2 3 5; do
    expect 0 "$EEX" run tiny.lua --threads $threads --out "on$threads"
    results "on$threads" | sed "s|, $threads threads,|, 1 thread,|" | diff "$work/one.json" - >"$work/out" ||
        fail "the results on $threads threads are others than on one"
    command -v h5diff >/dev/null || continue
    bash "$EEX_SOURCE_DIR/scripts/same_bits.sh" one "on$threads" >"$work/out" ||
        fail "a run on $threads threads has other bits than on one"
done
