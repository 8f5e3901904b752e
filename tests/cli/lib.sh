# Sourced by the tests of the program: a folder of their own, checks, and a tiny experiment.
# EEX is the program, EEX_SOURCE_DIR the source tree; without them a test ends here, before it does anything.
set -u
[ -x "${EEX:?is not set: the path of the program that the tests drive}" ] || {
    echo "EEX=$EEX: no program" >&2
    exit 1
}
[ -f "$EEX_SOURCE_DIR/tests/cli/lib.sh" ] || exit 1
EEX=$(realpath "$EEX") EEX_SOURCE_DIR=$(realpath "$EEX_SOURCE_DIR") # wherever a test goes
work=$(mktemp -d "${TMPDIR:-/tmp}/eex-cli-XXXXXX")
servers="" serving=""
clean_up() {
    for process in $servers; do kill -9 "$process" 2>/dev/null; done
    chmod -R u+rwx "$work"
    rm -rf "$work"
}
trap clean_up EXIT
export EEX_DATA=$work/data
unset COLUMNS
cd "$work" || exit 1

fail() {
    echo "FAILED: $*" >&2
    echo "--- stdout" >&2
    cat "$work/out" >&2
    echo "--- stderr" >&2
    cat "$work/err" >&2
    if [ -n "$serving" ]; then
        echo "--- server $serving: stdout" >&2
        cat "$work/$serving.out" >&2
        echo "--- server $serving: stderr" >&2
        cat "$work/$serving.err" >&2
    fi
    exit 1
}

# expect STATUS COMMAND...: runs it and checks its exit status; leaves out and err.
expect() {
    local wanted=$1 status
    shift
    "$@" >"$work/out" 2>"$work/err"
    status=$?
    [ "$status" -eq "$wanted" ] || fail "\"$*\" ended with $status, expected $wanted"
}

# The last output contains the text.
out_has() {
    grep -qF -- "$1" "$work/out" || fail "no \"$1\" on stdout"
}
err_has() {
    grep -qF -- "$1" "$work/err" || fail "no \"$1\" on stderr"
}

# serve NAME COMMAND...: a server whose lines go to NAME.out and NAME.err; $server is its process,
# $port where it listens. What an earlier one has left under that name goes first: the shell opens
# the files in the new process, and until then would find that one's words in them.
serve() {
    serving=$1
    shift
    rm -f "$work/$serving.out" "$work/$serving.err"
    "$@" >"$work/$serving.out" 2>"$work/$serving.err" &
    server=$!
    servers="$servers $server"
    for _ in $(seq 300); do
        grep -qs listening "$work/$serving.out" && break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    port=$(sed -n 's/.*"port": \([0-9]*\).*/\1/p' "$work/$serving.out")
    [ -n "$port" ] && return
    kill -0 "$server" 2>/dev/null && fail "server $serving runs, and does not listen: $*"
    wait "$server"
    fail "server $serving has ended with $? and never listened: $*"
}
# By SIGTERM, which drains; the exit status is 0.
stop_serving() {
    kill -TERM "$server"
    wait "$server" || fail "server $serving was told to end, and ended with $?"
    servers=${servers% "$server"}
}

skip() {
    echo "skipped: $*"
    exit 77
}

# A small data set and an experiment on it that takes about a second.
make_data() {
    expect 0 "$EEX" data make synthetic --train 300 --test 60 --name tiny
}
write_experiment() {
    cat >"$1" <<'LUA'
local eex = require "eex"

local function backbone()
  local g = eex.graph { name = "tiny", size = 32, channels = 3 }
  local function conv(x, name, options)
    options.pad = (options.kernel - 1) // 2
    x = g:conv(x, name, options)
    x = g:batch_norm(x, name .. ".bn")
    return g:act(x, name .. ".act", "relu")
  end
  local x = conv(g:input(), "stem", { out = 8, kernel = 3, stride = 4 })
  for i = 1, 3 do
    local y = conv(x, "block" .. i, { out = 8, kernel = 3 })
    x = g:add(x, y, "add" .. i)
  end
  x = g:global_pool(x, "pool")
  x = g:flatten(x, "flatten")
  x = g:linear(x, "classifier", { out = 10 })
  return g:finish(x)
end

return {
  name = "tiny",
  dataset = { name = "tiny", calibration = 50, validation = 50 },
  backbone = backbone(),
  gates = { blocks = { 0, 1 } },
  training = { epochs = 2, batch = 20, lr = 0.05 },
  candidate = { epochs = 1 },
  search = { trials = 20, population = 5, sample = 2 },
}
LUA
}

# What a run found, without what was measured on the way.
results() {
    "$EEX" show "$1" --json | grep -v -e latency -e seconds -e speedup -e peak -e energy
}
