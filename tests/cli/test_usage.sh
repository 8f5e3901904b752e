# Help, versions, and what is said about wrong usage.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh"

expect 0 "$EEX" --version
out_has "eex "
expect 0 "$EEX" --help
out_has "usage: eex COMMAND"
expect 0 "$EEX" help
out_has "devices"
for command in run show infer stream data cost devices repl; do
    expect 0 "$EEX" "$command" --help
    out_has "usage: eex $command"
    expect 0 "$EEX" help "$command"
    out_has "usage: eex $command"
done

expect 2 "$EEX"
err_has "a command is missing"
expect 2 "$EEX" rnu x.lua
err_has 'unknown command "rnu": did you mean "run"?'
expect 2 "$EEX" help shwo
err_has 'did you mean "show"?'
expect 2 "$EEX" run --sed 3 x.lua
err_has 'unknown option "--sed": did you mean "--seed"?'
expect 2 "$EEX" show --jsn runs/x
err_has 'did you mean "--json"?'
expect 2 "$EEX" run
err_has "eex run FILE.lua"
expect 2 "$EEX" run a.lua b.lua
err_has '"b.lua" is one argument too many'
expect 2 "$EEX" run a.lua --threads many
err_has '--threads: an integer from 1 to 1024, got "many"'
expect 2 "$EEX" run a.lua --threads
err_has "--threads needs a value"
expect 2 "$EEX" run a.lua --fresh=yes
err_has "--fresh takes no value"

expect 0 "$EEX" devices
out_has "cpu"
expect 1 "$EEX" show "$work"
err_has "holds no run"

# A full disk behind stdout is a failure.
if [ -w /dev/full ]; then
    "$EEX" --version >/dev/full 2>"$work/err" && fail "writing to a full disk went unnoticed"
    err_has "cannot write to the standard output"
fi
