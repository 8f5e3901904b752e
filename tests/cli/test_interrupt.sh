# Ctrl-C, SIGTERM and SIGHUP, whatever a script is busy with, in files and at the prompt.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
set -m # so that nobody ignores SIGINT

cp "$EEX_SOURCE_DIR/tests/lua/endless.lua" .
printf '%2000000s' '' >spaces.txt
limit=1500 # milliseconds from the signal to the end
pause=0.1  # seconds until what was just called is surely at it
grep -q __asan_init "$EEX" && { limit=4000; pause=0.3; }

milliseconds() {
    date +%s%3N
}

# in_time: what took that long was soon enough, on a machine that is as busy as this one is now: where
# only a start of the program takes its time, hearing a signal may.
in_time() {
    local begin
    [ "$took" -gt $limit ] || return 0
    begin=$(milliseconds)
    "$EEX" --version >/dev/null
    [ "$took" -le $((limit + 20 * ($(milliseconds) - begin))) ]
}

# ends_soon PID: waits and leaves the status; what it takes from now on is limited.
ends_soon() {
    local begin
    begin=$(milliseconds)
    (sleep 15; kill -KILL "$1") 2>/dev/null &
    local watch=$!
    wait "$1" 2>/dev/null
    status=$?
    took=$(($(milliseconds) - begin))
    kill -KILL $watch 2>/dev/null
    wait $watch 2>/dev/null
}

# begun PID: until it is the program. Before that it is this shell's copy, which would answer a signal
# with this shell's traps.
begun() {
    while [ "/proc/$1/exe" -ef /proc/$$/exe ]; do :; done
}

# ready FILE [WHAT]: until it says so.
ready() {
    local i
    for i in $(seq 400); do
        grep -q "ready${2-}" "$1" && return
        sleep 0.05
    done
    fail "never ready"
}

# Every function that a script can call has a case.
cat >missing.lua <<'LUA'
local cases = require "endless"
local function look(name, t)
  for key, value in pairs(t) do
    if type(value) == "function" and not cases[name .. key] then
      print("no case for " .. name .. key)
    elseif type(value) == "table" and name == "" and key ~= "_G" then
      look(key .. ".", value)
    end
  end
end
look("", _G)
for name in pairs(cases) do io.write("case ", name, "\n") end
LUA
expect 0 "$EEX" repl missing.lua </dev/null
grep -q "no case" out && fail "functions without a case"
sed -n 's/^case //p' out | sort >names
[ "$(wc -l <names)" -gt 90 ] || fail "too few cases"

# The file as it is read: status 130, soon.
while read -r name; do
    printf 'print("ready")\nrequire("endless")[ [[%s]] ]()\n' "$name" >case.lua
    signal=INT
    [ $((${#name} % 4)) = 0 ] && signal=TERM
    "$EEX" cost case.lua >out 2>err &
    pid=$!
    ready err
    sleep $pause
    kill -$signal $pid 2>/dev/null || fail "$name was over before the signal"
    ends_soon $pid
    [ $status = 130 ] || fail "$name: status $status"
    in_time || fail "$name: took $took ms"
    err_has interrupted
done <names

# At a terminal the session goes on.
mkfifo keys
at_terminal() {
    XDG_STATE_HOME=$PWD python3 -c 'import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' "$EEX" repl <keys >out 2>err &
    pid=$!
    exec 3>keys
    number=0
    while read -r name; do
        number=$((number + 1))
        echo "'ready' .. ' $number.'" >&3
        ready out " $number[.]"
        echo "require('endless')[ [[$name]] ]()" >&3
        sleep $pause
        begin=$(milliseconds)
        printf '\003' >&3
        for _ in $(seq 400); do
            [ "$(grep -c interrupted out)" = $number ] && break
            sleep 0.05
        done
        took=$(($(milliseconds) - begin))
        in_time || fail "$name: took $took ms at the prompt"
    done <names
    printf '\004' >&3
    ends_soon $pid
    exec 3>&-
    [ $status = 0 ] || fail "the prompt ended with $status"
}
command -v python3 >/dev/null && at_terminal

# SIGTERM and SIGHUP end the session, whether somebody types or something runs.
endless="while true do end"
for text in "" "$endless" "('a'):rep(60000):find(('a?'):rep(28) .. ('a'):rep(28) .. 'b')" "HUP" "HUP$endless"; do
    signal=TERM ends=130
    [ "${text#HUP}" = "$text" ] || { signal=HUP ends=129 text=${text#HUP}; }
    "$EEX" repl <keys >out 2>err &
    pid=$!
    exec 3>keys
    echo '"ready"' >&3
    ready out
    [ -n "$text" ] && echo "$text" >&3
    sleep 0.4
    kill -$signal $pid
    ends_soon $pid
    exec 3>&-
    [ $status = $ends ] || fail "SIG$signal at \"$text\" ended the prompt with $status"
    in_time || fail "SIG$signal at \"$text\": took $took ms"
done

# A pipe that nobody reads does not keep a script that prints.
mkfifo full
exec 4<>full
echo 'while true do print(("x"):rep(1000)) end' >case.lua
"$EEX" cost case.lua >out 2>&4 &
pid=$!
sleep 1
kill -INT $pid
ends_soon $pid
exec 4>&-
[ $status = 130 ] || fail "a full pipe: status $status"
in_time || fail "a full pipe: took $took ms"

# However early a signal comes: before the handlers stand the system's own end the process.
make_data
write_experiment tiny.lua
for i in $(seq 0 39); do
    signal=INT ends=130
    [ $((i % 2)) = 1 ] && signal=TERM
    [ $((i % 4)) = 3 ] && signal=HUP ends=129
    "$EEX" run tiny.lua --out "early-$i" --threads 1 --set training.epochs=20000 >out 2>err &
    pid=$!
    begun $pid
    sleep "0.$(printf '%03d' $((i * i / 12)))"
    kill -$signal $pid
    ends_soon $pid
    [ $status = $ends ] || { [ $signal = TERM ] && [ $status = 143 ]; } ||
        fail "signal $signal number $i: status $status"
    in_time || fail "signal $signal number $i: took $took ms"
done
exit 0
