# The prompt, fed through a pipe: values, statements over several lines, errors, runs.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1

# says INPUT STDOUT STDERR [ARGUMENTS]: what is said on stderr is an error, and ends it with 1
says() {
    printf '%b' "$1" >in
    expect "$([ -z "$3" ] && echo 0 || echo 1)" "$EEX" repl "${@:4}" <in
    [ -z "$2" ] || out_has "$2"
    [ -z "$3" ] || err_has "$3"
}
says '1 + 1\n' '2' ''
says '"a" .. 1, nil\n' 'a1	nil' ''
says ' ?\n' 'The eex library' ''
says 'for i = 1, 2 do\nprint("line " .. i)\nend\n' 'line 2' ''
says 'x = {1, {y = "z"}}\nx\n' '{ 1, { y = "z" } }' ''
says '40 + 2\nx = = 2\n"not " .. "read"\n' '42' 'stdin:1: unexpected symbol'
! grep -q "not read" out || fail "the input goes on behind an error"
[ "$(grep -c '^error: ' err)" = 1 ] || fail "the error is told twice"
says 'local function f() error("deep") end f()\n' '' 'stack traceback'
says 'error({})\n' '' 'error: table'
says 'os.execute("touch touched")\n' '' 'attempt to'
says 'for i = 1, 2 do\n' '' 'the input ends within a statement'
says 'eex.backbones.mobilenetv2 { size = 32, classes = 10 }\n' 'mobilenetv2' ''
[ -e touched ] && fail "the prompt let a script through"

make_data
write_experiment tiny.lua
says 'experiment.search.trials\n' '20' '' tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1
says 'run.trials, run.finished\n' '20	true' '' runs/tiny
says 'run:replay { policy = "confidence", a = 2 }.exits[1].utilisation\n' '0' '' runs/tiny
says 'run:replay { policy = "confidence", a = 0 }.exits[1].utilisation\n' '1' '' runs/tiny
says 'run:replay { polcy = "margin" }\n' '' 'did you mean "policy"?' runs/tiny

# The run's network.
says 'm = run:model()\n#m.exits >= 1, #m.classes\n' 'true	10' '' runs/tiny
says 'm = eex.open("runs/tiny")\n#m:run("test"), m:samples("validation")\n' '60	50' '' runs/tiny
says 'm = run:model { policy = "none" }\nm:classify("test", 1).exit == #m.exits\n' 'true' '' runs/tiny
says 'eex.open("/etc")\n' '' 'outside the experiment'"'"'s folder' runs/tiny
says 'run:model():classify("tiny.lua")\n' '' 'neither JPEG, PNG, WebP nor TIFF' runs/tiny
expect 0 "$EEX" infer runs/tiny --split test --json
sed 's/.*"class": \([0-9]*\).*"exit": \([0-9]*\).*/\1 \2/' out >wanted
says 'for _, r in ipairs(run:model():run("test")) do print(r.class .. " " .. r.exit) end\n' '' '' runs/tiny
cmp out wanted || fail "the prompt and eex infer disagree"

says 'model:classify("test", 1).exit <= #model.exits\n' 'true' '' runs/tiny/final.h5
expect 2 "$EEX" repl runs/tiny/run.h5
err_has 'expected "weights"'
expect 1 "$EEX" repl missing.h5
err_has missing.h5

expect 1 "$EEX" repl missing.lua
err_has missing.lua

# Ctrl-C ends what a pipe says, and nothing behind it is done: while a statement runs, where the
# statement catches it, and while the next line is waited for.
set -m # so that nobody ignores SIGINT
mkfifo keys
for text in 'while true do end' 'pcall(function() while true do end end)' 'eex.repl() while true do end' ''; do
    "$EEX" repl <keys >out 2>err &
    pid=$!
    exec 3>keys
    echo '"ready"' >&3
    for _ in $(seq 100); do grep -q ready out && break || sleep 0.05; done
    [ -n "$text" ] && printf '%s\nprint("after")\n' "$text" >&3
    [ "${text#eex}" != "$text" ] && echo 'while true do end' >&3
    sleep 0.3
    kill -INT $pid
    wait $pid
    status=$?
    exec 3>&-
    [ $status = 130 ] || fail "Ctrl-C at \"$text\" ended the prompt with $status"
    grep -q after out && [ "${text#eex}" = "$text" ] && fail "what came after \"$text\" was done"
    [ "$(cat err)" = "error: interrupted" ] || fail "Ctrl-C at \"$text\" says something else"
done
exit 0
