# Model files and data sets of other people: whatever is in them, a command ends with a message.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
fixtures=$EEX_SOURCE_DIR/tests/fixtures

make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --out runs/tiny --threads 1
expect 0 "$EEX" data info tiny --sheet image.png

# refuses FILE: every command that opens it says so, with its name, and soon.
refuses() {
    local command
    for command in "show $1" "infer $1 image.png" "prune $1" "profile $1" "tune $1 --accuracy -0.1" \
        "stream $1 image.png" "data info ./$1" "infer runs/tiny image.png --policy $1" "repl $1"; do
        # shellcheck disable=SC2086
        timeout 20 "$EEX" $command >out 2>err </dev/null
        [[ $? = [12] ]] || fail "eex $command ended with another status than 1 or 2"
        err_has "$1"
    done
    printf 'eex = require "eex"\nreturn eex.open("%s")\n' "$1" >open.lua
    timeout 20 "$EEX" run open.lua >out 2>err
    [ $? = 2 ] || fail "eex.open of $1 ended with another status than 2"
    err_has "$1"
}

# Each ended libhdf5 1.10.8, or kept it busy without end; their checksums are right. More of them, and larger
# ones, may lie beside the checkout.
for file in "$fixtures"/hostile_*.h5 "$EEX_SOURCE_DIR"/../shared/faults/hostile/h5_*.h5; do
    [ -f "$file" ] || continue
    cp "$file" hostile.h5
    refuses hostile.h5
done

# Not files, or not whole ones.
: >empty.h5
refuses empty.h5
head -c 47 runs/tiny/final.h5 >short.h5
refuses short.h5
head -c -1 runs/tiny/final.h5 >short.h5
refuses short.h5
err_has "truncated"
mkfifo pipe.h5
refuses pipe.h5

# Many of the places where a byte can be wrong. What is believed gives the very same answer.
expect 0 "$EEX" infer runs/tiny/final.h5 image.png --threads 1
cut -c1-54 out >right # all but the time
size=$(stat -c %s runs/tiny/final.h5)
for i in $(seq 1 60); do
    cp runs/tiny/final.h5 changed.h5
    at=$((i * 7919 * 104729 % size))
    [ $((i % 2)) = 0 ] && at=$((at % 8192))
    byte=$(od -An -tu1 -j $at -N 1 changed.h5)
    # shellcheck disable=SC2059
    printf "$(printf '\\%03o' $((byte ^ (1 << i % 8))))" |
        dd of=changed.h5 bs=1 seek=$at conv=notrunc status=none
    "$EEX" infer changed.h5 image.png --threads 1 >out 2>err
    status=$?
    if [ $status = 0 ]; then
        cut -c1-54 out | cmp -s - right || fail "byte $at was changed, and nobody noticed"
    else
        [ $status = 1 ] || fail "byte $at was changed: status $status"
        err_has "changed.h5"
    fi
done

# Little memory, and next to no stack.
if ! grep -q __asan_init "$EEX"; then
    for limit in 60000 50000 40000; do
        (ulimit -v $limit; exec "$EEX" show runs/tiny) >out 2>err
        status=$?
        [ $status = 127 ] && [ $limit -lt 60000 ] && continue # too little to load the libraries
        [ $status -le 1 ] || fail "with $limit KiB of memory: status $status"
    done
    for try in $(seq 20); do # the loader itself, before the program begins, has to be lucky with so little
        (ulimit -s 16; exec "$EEX" show runs/tiny) >out 2>err
        status=$?
        [ $status = 139 ] && [ ! -s err ] || break
    done
    [ $status = 1 ] || fail "with 16 KiB of stack: status $status"
    err_has "stack"
fi

# A small file that unpacks to a large trace: what it has is read, and Ctrl-C is heard while it is, and
# while thresholds are tuned on it.
if python3 -c 'import h5py' 2>/dev/null; then
    cp -r runs/tiny large
    for split in calibration validation; do
        python3 "$EEX_SOURCE_DIR/tests/fixtures/make_large_trace.py" runs/tiny/final-$split.h5 \
            large/final-$split.h5 20000 || fail "no large trace"
        [ "$(stat -c %s large/final-$split.h5)" -lt 4000000 ] || fail "the large trace is no small file"
    done
    for command in "tune large" "tune large --accuracy -0.01" "tune large --sweep" "tune large --conformal 0.1" \
        "tune large --risk 0.1 --loss brier" "tune large --risk 0.1 --each-exit"; do
        # shellcheck disable=SC2086
        "$EEX" $command >out 2>err &
        reader=$!
        sleep 1
        kill -INT $reader
        begin=$(date +%s%N)
        wait $reader
        status=$?
        took=$((($(date +%s%N) - begin) / 1000000))
        [ $status = 130 ] || fail "eex $command ended with $status"
        [ $took -lt 3000 ] || fail "eex $command took $took ms to hear Ctrl-C"
    done
else
    echo "no h5py: large traces are not tried"
fi
exit 0
