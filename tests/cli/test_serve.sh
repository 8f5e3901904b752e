# eex serve and --remote: both sides together say what the whole network says; keys; hostile devices
# beside a good one; either side killed.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
command -v python3 >/dev/null || skip "no python3 to be a hostile device"
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1
run=runs/tiny
py=$EEX_SOURCE_DIR/tests/cli/serve_devices.py
start() { # NAME OPTION...
    serve "$1" "$EEX" serve "${@:2}" --json --threads 1
}
figure() { # NAME KEY: of the server's last line
    tail -n 1 "$1.out" | sed -n "s/.*\"$2\": \([0-9]*\).*/\1/p"
}
is() { # NAME KEY VALUE
    [ "$(figure "$1" "$2")" = "$3" ] || { cp "$1.out" out; cp "$1.err" err; fail "$1: $2 is not $3"; }
}
decisions() {
    sed 's/, "latency_ms": [^,}]*//; s/, "by": "[a-z]*"//' | grep -v '^{"remote"'
}

# ---- together they are the whole ----

all="--policy confidence --threshold 1" # most go on
# shellcheck disable=SC2086
expect 0 "$EEX" infer $run --split test --json --threads 1 $all
decisions <out >whole
exits=$(grep -o '"exit": [0-9]*' whole | sort -u | wc -l)
start plain $run --port 0 $all
grep -q '"rows_per_second": [1-9]' plain.out || { cp plain.out out; fail "not a word on how fast its part is"; }
for batch in 1 7 60; do
    # shellcheck disable=SC2086
    expect 0 "$EEX" infer $run --split test --json --threads 1 $all --batch $batch \
        --remote 127.0.0.1:$port --timeout 20000
    decisions <out >parts
    cmp -s whole parts || fail "batch $batch: both parts say something else than the whole network"
    grep -q '"by": "server"' out || fail "nobody went on at the server"
    out_has '"fallback": 0'
done
# shellcheck disable=SC2086
expect 0 "$EEX" infer $run --split test --threads 1 $all --remote 127.0.0.1:$port --timeout 20000
err_has "by the server 127.0.0.1:$port: "
err_has "on the wire: "
# shellcheck disable=SC2086
expect 0 "$EEX" stream $run simulated --threads 1 $all --json --remote 127.0.0.1:$port --timeout 20000
out_has '"fallback": 0'
# shellcheck disable=SC2086
expect 0 "$EEX" stream $run simulated --threads 1 $all --remote "localhost:$port" --timeout 20000
out_has "by the server localhost:$port"

# ---- what does not fit is refused, with both named, and the device answers ----

# shellcheck disable=SC2086
expect 0 "$EEX" infer $run --split test --json --threads 1 $all --bits 8 --remote 127.0.0.1:$port
err_has "(8 bits) a sample, this server goes on behind exit"
grep -q '"by": "server"' out && fail "a server of other payloads has answered"
out_has '"by": "fallback"'
expect 0 "$EEX" infer $run --split test --threads 1 --policy none --remote 127.0.0.1:$port
err_has "behind the cut, this server"
out_has "fallback"
expect 0 "$EEX" run tiny.lua --threads 1 --seed 7 --out other
# shellcheck disable=SC2086
expect 0 "$EEX" infer other --split test --threads 1 $all --remote 127.0.0.1:$port
if cmp -s other/final.h5 $run/final.h5; then fail "another seed gave the same model"; fi
grep -qE "the device has model [0-9a-f]{24}, this server model [0-9a-f]{24}|behind exit" err ||
    fail "another model was not refused by its fingerprint"
stop_serving
[ "$(figure plain policy)" -ge 1 ] || fail "a device of another policy was not counted"

# ---- nobody there, and wrong usage ----

# shellcheck disable=SC2086
expect 0 "$EEX" infer $run --split test --json --threads 1 $all --remote 127.0.0.1:$port
out_has '"by": "fallback"'
err_has "Connection refused"
[ "$(decisions <out | wc -l)" = 60 ] || fail "not an answer for each image"
expect 2 "$EEX" infer $run --split test --key eex.key
err_has "--key goes with --remote"
for other in 10.255.255.1 "[2001:db8::1]" 192.0.2.1 0.0.0.0; do # nobody is called: it could never work
    expect 2 "$EEX" infer $run --split test --remote "$other:7779"
    err_has "--remote: "
    err_has "another machine is called over TLS alone, with the server's key: --key FILE"
    expect 2 "$EEX" stream $run simulated --remote "$other:7779"
    err_has "--key FILE"
done
expect 0 "$EEX" infer $run --split test --threads 1 --remote nobody.invalid:7779
expect 2 "$EEX" infer $run --split test --remote nowhere
err_has "expected HOST:PORT"
expect 2 "$EEX" infer $run --split test --remote 127.0.0.1:1 --bits 9
err_has "--bits 9"
expect 2 "$EEX" infer $run --split test --remote 127.0.0.1:1 --cut 9
expect 2 "$EEX" serve $run --listen 0.0.0.0 --port 0
err_has "over TLS alone"
expect 2 "$EEX" stream $run simulated --compare base --remote 127.0.0.1:1
err_has "--compare"

# ---- few bits ----

start few $run --port 0 $all --bits 8 --cut 1
# shellcheck disable=SC2086
expect 0 "$EEX" infer $run --split test --json --threads 1 $all --bits 8 --cut 1 \
    --remote 127.0.0.1:$port --timeout 20000
out_has '"fallback": 0'
stop_serving

# ---- a bottleneck: its own codes, unless other bits are asked for ----

expect 0 "$EEX" bottleneck $run -o small.h5 --epochs 1 --more-epochs 1 --batch 16 --no-augment \
    --threads 1 --bits 4 --json
bytes=$(sed -n 's/.*"bytes": \([0-9]*\),.*/\1/p' out)
# shellcheck disable=SC2086
expect 0 "$EEX" infer small.h5 --split test --json --threads 1 $all
decisions <out >small.whole
for bits in "" "--bits 32"; do
    # shellcheck disable=SC2086
    start small small.h5 --port 0 $all $bits
    # shellcheck disable=SC2086
    expect 0 "$EEX" infer small.h5 --split test --json --threads 1 $all $bits --batch 7 \
        --remote 127.0.0.1:$port --timeout 20000
    decisions <out >parts
    cmp -s small.whole parts || fail "bottleneck $bits: both parts say something else"
    out_has '"fallback": 0'
    sent=$(sed -n 's/.*"sent": \([0-9]*\),.*/\1/p' out)
    total=$(sed -n 's/.*"bytes_out": \([0-9]*\),.*/\1/p' out)
    each=${bits:+$((8 * bytes))} # float32 is eight times as much as 4 bits
    each=${each:-$bytes}
    [ "$sent" -gt 0 ] && [ "$total" -eq $((96 + sent * (16 + each))) ] ||
        fail "bottleneck $bits: $total bytes for $sent rows of $each"
    grep -q "\"row_bytes\": $each," small.out || { cp small.out out; fail "not $each bytes a row"; }
    # shellcheck disable=SC2086
    expect 0 "$EEX" infer small.h5 --split test --json --threads 1 $all --bits 2 --remote 127.0.0.1:$port
    err_has "(2 bits) a sample, this server goes on behind exit"
    stop_serving
done

# ---- a predictor: on both sides, or on neither ----

expect 0 "$EEX" predictor $run --epochs 1 --threads 1
expect 0 "$EEX" infer $run --split test --json --threads 1
decisions <out >whole.predictor
for cut in "" "--cut 1"; do
    # shellcheck disable=SC2086
    start with $run --port 0 $cut
    grep -q "says which gates are computed" with.err || fail "the server does not use the predictor"
    for batch in 1 60; do
        # shellcheck disable=SC2086
        expect 0 "$EEX" infer $run --split test --json --threads 1 $cut --batch $batch \
            --remote 127.0.0.1:$port --timeout 20000
        decisions <out >parts
        cmp -s whole.predictor parts || fail "predictor $cut: both parts say something else"
        out_has '"fallback": 0'
    done
    stop_serving
done

# ---- the device's part as a file: weights as far as the cut, and the predictor ----

for cut in "" "--cut 1"; do
    # shellcheck disable=SC2086
    expect 0 "$EEX" export $run --front front.h5 --force $cut
    out_has "cut behind exit"
    # shellcheck disable=SC2086
    start front $run --port 0 $cut
    expect 0 "$EEX" infer front.h5 --split test --json --threads 1 --batch 7 \
        --remote 127.0.0.1:$port --timeout 20000
    decisions <out >parts
    cmp -s whole.predictor parts || fail "a file of the device's part $cut says something else"
    out_has '"fallback": 0'
    stop_serving
done
[ "$(wc -c <front.h5)" -lt "$(wc -c <$run/final.h5)" ] || fail "not smaller than the whole"
expect 2 "$EEX" export $run --front front.h5

# Without the predictor there is no file of it, and none of another time may lie there.
expect 0 "$EEX" export $run --front alone.h5 --no-predictor
[ ! -e alone-predictor.h5 ] || fail "a predictor that nobody wanted"
expect 2 "$EEX" export $run --front front.h5 --force --no-predictor
err_has "front-predictor.h5 is there, and would be used"
expect 2 "$EEX" export $run --c dir --no-predictor
err_has "--no-predictor goes with --front"
expect 2 "$EEX" export $run --front front.h5 --c dir --force
expect 2 "$EEX" export $run --onnx x.onnx --cut 1
expect 2 "$EEX" export $run --front x.h5 --cut 9
[ ! -f x.h5 ] || fail "a cut that is not there was written"
for use in "infer front.h5 --split test" "serve front.h5 --port 0" "profile front.h5"; do
    # shellcheck disable=SC2086
    expect 2 "$EEX" $use
    err_has "has the device's part of a network alone, cut behind exit 1"
done
expect 0 "$EEX" show front.h5
out_has "the device's part of these weights alone, cut behind exit 1"
expect 2 "$EEX" infer front.h5 --split test --remote 127.0.0.1:1 --cut 2
err_has "cut behind exit 1, not 2"

one_sided() { # SERVER'S OPTIONS, DEVICE'S OPTIONS: refused by name, if anything has to be sent
    # shellcheck disable=SC2086
    start one $run --port 0 --cut 1 $1
    # shellcheck disable=SC2086
    expect 0 "$EEX" infer $run --split test --json --threads 1 --cut 1 $2 --remote 127.0.0.1:$port
    grep -q '"by": "server"' out && fail "a device with another predictor was answered"
    stop_serving
}
one_sided "" --no-predictor
grep -q '"by": "fallback"' out && err_has "the device has no predictor, this server predictor "
one_sided --no-predictor ""
grep -q '"by": "fallback"' out && err_has ", this server no predictor: both need the same one"
cp -r $run other.predictor
expect 0 "$EEX" predictor other.predictor --epochs 2 --threads 1 --force
start one other.predictor --port 0 --cut 1
expect 0 "$EEX" infer $run --split test --json --threads 1 --cut 1 --remote 127.0.0.1:$port
grep -q '"by": "fallback"' out && err_has ", this server predictor "
stop_serving

# ---- keys ----

umask 077
python3 -c "print('0123456789abcdef' * 4)" >right.key
python3 -c "print('f123456789abcdef' * 4)" >wrong.key
start tls $run --port 0 $all --key right.key --listen 0.0.0.0
device() { # OPTION...
    # shellcheck disable=SC2086
    expect 0 "$EEX" infer $run --split test --json --threads 1 $all --timeout 20000 "$@" \
        --remote 127.0.0.1:$port
}
device --key right.key
decisions <out >parts
cmp -s whole parts || fail "over TLS both parts say something else than the whole network"
device --key right.key
stop_serving
is tls welcomed 2
is tls key 0 # who says goodbye has the right key
[ -s tls.err ] && { cp tls.err err; fail "a good device is complained about"; }
start tls $run --port 0 $all --key right.key --every 0.1
# shellcheck disable=SC2086
"$EEX" stream $run simulated --fps 5 --threads 1 $all --key right.key --remote 127.0.0.1:$port >stream.out 2>&1 &
streams=$!
for _ in $(seq 100); do
    grep -q '"event": "figures"' tls.out && break
    sleep 0.1
done
kill -KILL $streams # and so has one that just vanishes
wait $streams 2>/dev/null
stop_serving
is tls welcomed 1
is tls key 0
start tls $run --port 0 $all
device --key right.key
grep -q '"by": "server"' out && fail "a server without a key has answered a device that has one"
stop_serving
[ "$(figure tls key)" -ge 1 ] || { cp tls.out out; fail "a device with a key is not counted as one"; }
is tls garbage 0
start tls $run --port 0 $all --key right.key --listen 0.0.0.0
device --key wrong.key
err_has "no key or another one"
grep -q '"by": "server"' out && fail "a device with a wrong key was answered"
device
grep -q '"by": "server"' out && fail "a device without a key was answered"
device --key right.key
out_has '"fallback": 0'
stop_serving
[ "$(figure tls key)" -ge 2 ] || { cp tls.out out; fail "a wrong and a missing key are not counted"; }
chmod 644 right.key
expect 2 "$EEX" serve $run --port 0 --key right.key
err_has "chmod 600"
for other in /dev/null .; do # no remedy that would take something from everybody
    expect 1 "$EEX" serve $run --port 0 --key $other
    err_has "$other is a "
    grep -q chmod err && fail "$other is no key, and yet to be closed to others"
done
echo short >short.key
expect 1 "$EEX" serve $run --port 0 --key short.key
err_has "64 hexadecimal digits"

# ---- hostile devices beside good ones ----

start hostile $run --port 0 $all --patience 1 --sessions 40
python3 "$py" hostile "$port" hostile.out >python.out 2>&1 &
enemy=$!
for _ in 1 2 3 4 5 6; do
    # shellcheck disable=SC2086
    expect 0 "$EEX" infer $run --split test --json --threads 1 $all --batch 4 \
        --remote 127.0.0.1:$port --timeout 20000
    decisions <out >parts
    cmp -s whole parts || fail "beside hostile devices a good one was answered otherwise"
    out_has '"fallback": 0'
done
wait $enemy || { cat python.out >err; fail "what hostile devices were told"; }
python3 "$py" held "$port" hostile.out "$server" >python.out 2>&1 ||
    { cat python.out >err; fail "one that had to wait for its welcome"; }
wait "$server" || fail "server $serving was told to end, and ended with $?"
servers=${servers% "$server"}
for reason in garbage stalled flooded version model; do
    [ "$(figure hostile $reason)" -ge 1 ] || { cp hostile.out out; fail "nobody was sent away: $reason"; }
done

# ---- more of them than there are file descriptors for ----

start crowd $run --port 0 $all
python3 "$py" crowd "$port" "$server" >python.out 2>&1 || { cat python.out crowd.err >err; fail "a crowd"; }
device
out_has '"fallback": 0'
stop_serving
[ "$(figure crowd full)" = 6 ] || { cp crowd.out out; fail "six that there was no room for are not counted"; }
expect 2 bash -c "ulimit -n 100; exec '$EEX' serve $run --port 0"
err_has "128 devices at once need "
err_has " file descriptors, this process may have 100: serve fewer (--sessions)"
(ulimit -Sn 100; exec "$EEX" serve $run --port 0 --json --sessions 300 >soft.out 2>err) &
soft=$!
for _ in $(seq 100); do grep -qs listening soft.out && break; sleep 0.1; done
[ "$(awk '/Max open files/ { print $4 }' /proc/$soft/limits)" -gt 300 ] || fail "it has not taken what it may have"
kill $soft
wait $soft || fail "a server with a soft limit ended with $?"

# ---- kill -9 of either side ----

EEX=$EEX python3 "$py" kill $run "${EEX_KILLS:-6}" whole >python.out 2>&1 || { cat python.out >err; fail "kills"; }
cat python.out
echo "exits seen: $exits"
