# How the program is started and where it writes: missing streams, things in its way.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1

make_data
write_experiment tiny.lua

# Without standard streams the next file that is opened would get their number, and messages would be
# written into it. The run is made, and only what it found could not be printed.
"$EEX" run tiny.lua --out closed 0<&- 1>&- 2>&-
[ $? -eq 1 ] || fail "results that nobody was shown are a success"
[ "$(wc -l <closed/.lock)" -eq 1 ] || fail "messages in the lock: $(cat closed/.lock)"
expect 0 "$EEX" show closed

# A lock that is a link, or has other names, is not written to.
mkdir linked hard
echo precious >precious
ln -s ../precious linked/.lock
ln precious hard/.lock
expect 1 "$EEX" run tiny.lua --out linked
err_has "symbolic link"
expect 1 "$EEX" run tiny.lua --out hard
err_has "other names"
[ "$(cat precious)" = precious ] || fail "the file behind the lock was changed"

# A pipe or a device in the place of a file is refused by what it is, at once.
mkfifo pipe
for command in "run pipe" "show pipe" "infer pipe pipe" "infer closed pipe" "cost pipe" "data import x pipe" \
    "data info ./pipe" "tune pipe --accuracy -0.1" "infer closed /dev/zero" "show /dev/zero"; do
    # shellcheck disable=SC2086
    timeout 10 "$EEX" $command >out 2>err </dev/null
    status=$?
    { [ $status -eq 1 ] || [ $status -eq 2 ]; } || fail "eex $command ended with $status"
done

# A second signal of either kind ends whatever goes on.
for second in INT TERM; do
    "$EEX" stream closed pipe >out 2>err &
    pid=$!
    sleep 0.4
    kill -TERM $pid
    sleep 0.5
    kill -$second $pid 2>/dev/null
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        kill -0 $pid 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL $pid 2>/dev/null && fail "it is still there after a second SIG$second"
    wait $pid 2>/dev/null
done
exit 0
