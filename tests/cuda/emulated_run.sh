# Whole runs on the emulated GPU: the CPU's loss curve, the same twice and after kill -9, bfloat16, and a
# run that moves from one device to the other.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
export EEX_CACHE_DIR=$work/cache
expect 0 "$EEX" data make synthetic --train 90 --test 12 --name tiny
write_experiment tiny.lua
small="--set dataset.calibration=15 --set dataset.validation=15 --set training.epochs=1
    --set search.trials=10 --threads 1"
run() { # run STATUS DEVICE FOLDER OPTIONS...
    local status=$1 device=$2 folder=$3
    shift 3
    # shellcheck disable=SC2086
    expect "$status" "$EEX" run tiny.lua $small --device "$device" --out "$folder" "$@"
}

run 0 cpu on-cpu
run 0 cuda on-gpu --set deterministic=true
out_has "emulated"
out_has "MiB at most, without the driver's own"

# Mean losses of the base's epochs and of the shared network's, number by number.
losses() {
    for file in base shared; do
        h5dump -d /history/loss -m %.9g -y -w 1 "$1/$file.h5" | grep -oE '[0-9]+\.[0-9]+'
    done
}
if command -v h5dump >/dev/null; then
    losses on-cpu >a
    losses on-gpu >b
    [ -s a ] || fail "no losses in the file"
    paste a b | awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 1e-4 * $1) { print; bad = 1 } }
        END { exit bad || NR < 2 }' >out || fail "the losses differ from the CPU's"
fi

# Batches go ahead of infer and stream, all but the first, and decide as those that do not: bit for bit
# where no timing chooses how convolutions are calculated.
within() { # within COUNT COMMAND...
    local count=$1
    shift
    EEX_EMULATE_COUNTS=counts EEX_CUDA_CONV=patches expect 0 "$EEX" "$@" --device cuda --threads 1
    grep -qx "within $count" counts || fail "$*: $(grep within counts), expected $count"
}
decisions() {
    sed 's/, "latency_ms": [^,}]*//' out
}
within 0 infer on-gpu --split test --json --batch 12
decisions >a
within 2 infer on-gpu --split test --json --batch 5
decisions >b
diff a b >out || fail "images that went ahead were decided otherwise"
left() {
    grep -oE '"(frames|left|rejected|right)": [^"]*' "$1"
}
within 0 stream on-gpu simulated --json --batch 12
left out >a
within 3 stream on-gpu simulated --json --batch 3
left out >b
[ -s a ] || fail "nothing is said of the stream"
diff a b >out || fail "frames that went ahead were decided otherwise"

# What models hold on a device is the memory of the script that opens them. Nothing is timed for it: that
# would be all that takes long here, and the other runs do it.
export EEX_CUDA_CONV=library
printf '%s\n' 'local eex, kept = require "eex", {}' \
    'for i = 1, 16 do kept[i] = eex.open("on-gpu/final.h5", { device = "cuda", threads = 1 }) end' >many.lua
expect 2 "$EEX" run many.lua
err_has "at most 1024 MiB with all else that it has: model:close()"
sed -i 's/kept\[i\] = \(.*\) end/\1 end return {}/' many.lua # nobody keeps them
expect 2 "$EEX" run many.lua
err_has "dataset: a table, got nothing"
unset EEX_CUDA_CONV

# Killed somewhere, continued, the same in the end. Each death comes a little later, and is waited for:
# "timeout -s KILL" ends with its child, which may still hold the folder's lock then.
for delay in 0.15 0.3 0.5; do
    # shellcheck disable=SC2086
    "$EEX" run tiny.lua $small --device cuda --out killed --set deterministic=true >/dev/null 2>&1 &
    killed=$!
    sleep $delay
    kill -KILL $killed 2>/dev/null
    wait $killed 2>/dev/null
done
run 0 cuda killed --set deterministic=true
results on-gpu >a
results killed >b
diff a b >out || fail "a killed run ended differently"

# The GPU dies in mid-run: nothing is lost, and the CPU goes on when asked to.
export EEX_EMULATE_FAIL="kernel 3000"
run 1 cuda dead
unset EEX_EMULATE_FAIL
err_has "illegal"
[ -e dead/base.h5 ] || fail "what was trained before is gone"
[ ! -e dead/result.h5 ] || fail "the run was not interrupted"
run 0 cpu dead --move

# bfloat16 trains too; the CPU has none and says so.
run 0 cuda narrow --set training.precision=bfloat16
run 1 cpu narrow-cpu --set training.precision=bfloat16
err_has "bfloat16"

# From one device to the other, when asked to.
rm on-cpu/search.h5 on-cpu/final*.h5 on-cpu/policies.h5 on-cpu/result.h5
run 2 cuda on-cpu
err_has "--move"
run 0 cuda on-cpu --move
err_has "moves to"
[ -z "${EEX_TEST_KEEP:-}" ] || cp -r "$work" "$EEX_TEST_KEEP"
echo "whole runs on the emulated GPU: as on the CPU"
