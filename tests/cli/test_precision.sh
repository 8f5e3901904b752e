# In which precision networks are trained and decide, and what is said where a device lacks it.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua

# has PRECISION: whether the CPU has it
has() {
    "$EEX" devices | grep -A 1 '^cpu' | grep -qE "[ ]$1(,|\$)"
}

# A device that lacks it fails before anything is trained.
if ! has tf32; then
    for field in precision training.precision; do
        expect 1 "$EEX" run tiny.lua --threads 1 --set $field=tf32
        err_has "error: $field: cpu"
        err_has "does not calculate in tf32; float32 works everywhere"
        [ -e runs/tiny ] && fail "a run that cannot be left something behind"
    done
    expect 1 "$EEX" profile --table tiny.lua --set precision=tf32
    err_has "does not calculate in tf32"
fi

# Runs are in float32 unless they say otherwise.
expect 0 "$EEX" run tiny.lua --threads 1
grep -q "decides in" out && fail "float32 goes without saying"
expect 0 "$EEX" show runs/tiny --json
out_has '"precision": "float32"'
expect 0 "$EEX" show runs/tiny/final.h5 --json
out_has '"precision": "float32"'

# Names that nobody knows are answered with those that there are, before anything else.
for command in "infer runs/tiny --split test" "stream runs/tiny simulated" "profile runs/tiny" \
    "prune runs/tiny" "profile --table tiny.lua"; do
    # shellcheck disable=SC2086
    expect 2 "$EEX" $command --precision half
    err_has '--precision: precision "half": expected float32, tf32 or bfloat16-products'
    # shellcheck disable=SC2086
    expect 2 "$EEX" $command --precision bfloat16
    err_has '"bfloat16" is for training'
done
if ! has tf32; then
    expect 1 "$EEX" infer runs/tiny --split test --precision tf32
    err_has "does not calculate in tf32"
fi

# The model's own precision is what it runs in anyway.
expect 0 "$EEX" infer runs/tiny --split test
awk '{ print $1, $2, $3, $4, $5 }' out >own
expect 0 "$EEX" infer runs/tiny --split test --precision float32
awk '{ print $1, $2, $3, $4, $5 }' out | cmp -s - own || fail "its own precision gave other answers"
grep -q "thresholds" err && fail "there is nothing to warn of"
exit 0
