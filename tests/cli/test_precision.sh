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

# What is trained beside a network says so itself, and is asked for only where it is trained.
if ! has tf32; then
    for sets in predictor.epochs=1 "partition.epochs=1 --set partition.latency=30"; do
        field=${sets%%.*}.precision
        # shellcheck disable=SC2086
        expect 1 "$EEX" run tiny.lua --threads 1 --set $sets --set $field=tf32
        err_has "error: $field: cpu"
        [ -e runs/tiny ] && fail "a run that cannot be left something behind"
    done
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

# So are those of trainings, which the device has to have as well.
predictor="predictor runs/tiny --epochs 1 --threads 1"
bottleneck="bottleneck runs/tiny -o small.h5 --epochs 1 --more-epochs 1 --batch 16 --threads 1"
filters="prune runs/tiny --filters 0.25 -o narrow.h5 --epochs 1 --batch 16 --threads 1"
for command in "$predictor" "$bottleneck" "$filters"; do
    # shellcheck disable=SC2086
    expect 2 "$EEX" $command --training-precision half
    err_has '--training-precision: no "half": there are float32, tf32, bfloat16 and bfloat16-products'
    if ! has tf32; then
        # shellcheck disable=SC2086
        expect 1 "$EEX" $command --training-precision tf32
        err_has "does not calculate in tf32"
    fi
done
expect 2 "$EEX" prune runs/tiny --training-precision tf32
err_has "--training-precision goes with --filters"
if has bfloat16-products; then # convolutions of few channels stay in float32
    sed -e 's/out = 8/out = 32/' -e 's/"tiny", size/"wide", size/' tiny.lua >wide.lua
    expect 0 "$EEX" run wide.lua --out runs/wide --threads 1
    for command in "${bottleneck/tiny/wide}" "${filters/tiny/wide}"; do
        # shellcheck disable=SC2086
        expect 0 "$EEX" $command --force
        file=$(echo "$command" | sed 's/.* -o \([^ ]*\).*/\1/')
        cp "$file" float32.h5
        # shellcheck disable=SC2086
        expect 0 "$EEX" $command --force --training-precision bfloat16-products
        cmp -s "$file" float32.h5 && fail "$command: rounded factors give the same weights"
    done
    expect 0 "$EEX" run tiny.lua --out runs/part --threads 1 --set partition.epochs=1 --set partition.latency=30 \
        --set partition.precision=bfloat16-products
fi

# The model's own precision is what it runs in anyway.
expect 0 "$EEX" infer runs/tiny --split test
awk '{ print $1, $2, $3, $4, $5 }' out >own
expect 0 "$EEX" infer runs/tiny --split test --precision float32
awk '{ print $1, $2, $3, $4, $5 }' out | cmp -s - own || fail "its own precision gave other answers"
grep -q "thresholds" err && fail "there is nothing to warn of"
exit 0
