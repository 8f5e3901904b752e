# What goes wrong around a run: two at once, folders that cannot be written, a full disk, signals.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
run=("$EEX" run tiny.lua --threads 1 --set training.epochs=30)
expect 0 "${run[@]}" --out whole
results whole >whole.json

# Two runs in one folder: the second is refused and the first is not disturbed.
"${run[@]}" --out shared >/dev/null 2>&1 &
first=$!
while [ ! -e shared/run.h5 ]; do sleep 0.01; done
expect 1 "${run[@]}" --out shared
err_has "is in use by process"
wait $first || fail "the first run was disturbed"
results shared >shared.json
cmp -s whole.json shared.json || fail "the first run was disturbed"

# What another program has locked is neither damaged nor in the way: it is read.
if command -v flock >/dev/null; then
    exec 8<data/tiny.h5 9<whole/final.h5
    flock 8 && flock 9 || fail "no lock"
    for command in "data info tiny" "show whole" "infer whole --split test --threads 1"; do
        # shellcheck disable=SC2086
        expect 0 env HDF5_USE_FILE_LOCKING=TRUE "$EEX" $command
    done
    exec 8<&- 9<&-
else
    echo "there is no flock: locked files were not tried"
fi

# Ctrl-C: exit status 130, and how to go on.
"${run[@]}" --out stopped >out 2>err &
pid=$!
while [ ! -e stopped/split.h5 ]; do sleep 0.01; done
kill -INT $pid
wait $pid
[ $? -eq 130 ] || fail "Ctrl-C did not end with 130"
err_has "the same command"
expect 0 "$EEX" show stopped
out_has "not finished"
expect 0 "$EEX" show stopped --json
grep -E '"(energy_j|[a-z_]*bytes|[a-z_]*ms|[a-z_]*accuracy|[a-z_]*macs[a-z_]*)": 0[,}]' out &&
    fail "what is not known yet is said to be 0"
out_has '"energy_j": null'
expect 0 "${run[@]}" --out stopped
results stopped >stopped.json
cmp -s whole.json stopped.json || fail "continued after Ctrl-C, the result differs"

# SIGHUP, of a terminal that closes: the same, from where it was and not from the last checkpoint.
# Under nohup nothing.
"${run[@]}" --out closed >out 2>err &
pid=$!
while [ ! -e closed/split.h5 ]; do sleep 0.01; done
kill -HUP $pid
wait $pid
[ $? -eq 129 ] || fail "SIGHUP did not end with 129"
err_has "the same command"
expect 0 "${run[@]}" --out closed
results closed >closed.json
cmp -s whole.json closed.json || fail "continued after SIGHUP, the result differs"
(trap '' HUP; exec "${run[@]}" --out ignored) >out 2>err &
pid=$!
while [ ! -e ignored/split.h5 ]; do sleep 0.01; done
kill -HUP $pid
wait $pid || fail "what ignores SIGHUP ended of it"

# kill -9 at random moments.
kills=0
while :; do
    "${run[@]}" --out killed >out 2>err &
    pid=$!
    sleep "0.$(((RANDOM % 30) + 10 + 3 * kills))"
    kill -9 $pid 2>/dev/null || break
    wait $pid 2>/dev/null
    kills=$((kills + 1))
    [ $kills -lt 10 ] || break
done
wait $pid 2>/dev/null
expect 0 "${run[@]}" --out killed
results killed >killed.json
cmp -s whole.json killed.json || fail "after $kills kills the result differs"
ls killed | grep -q part && fail "a part of a file was left behind"
echo "$kills kills"

# Folders that cannot be written.
if [ "$(id -u)" -ne 0 ]; then
    mkdir locked
    chmod 555 locked
    expect 1 "${run[@]}" --out locked
    err_has "locked"
    expect 1 "${run[@]}" --out locked/deeper
    err_has "locked/deeper"
fi
echo x >plain
expect 1 "${run[@]}" --out plain/run
err_has "plain"

# A full disk: clear, nothing half-written, and it goes on when there is room.
mkdir small
if mount -t tmpfs -o size=60k none small 2>/dev/null; then
    expect 1 "${run[@]}" --out small/run
    err_has "No space left"
    find small/run -name '*.part' | grep -q . && fail "a part of a file was left on the full disk"
    mount -o remount,size=20m small
    expect 0 "${run[@]}" --out small/run
    results small/run >small.json
    umount small
    cmp -s whole.json small.json || fail "continued after a full disk, the result differs"
else
    echo "no tmpfs may be mounted here: the full disk was not tried"
fi
exit 0
