# Thresholds of a device that follow the bandwidth: as many go on as the settings say, settings change
# between batches alone, and those of another model are refused.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1 --set gates.required=true --set search.trials=1
run=runs/tiny
start() { # OPTION...
    serve server "$EEX" serve $run --port 0 --json --threads 1 "$@"
}
device() { # OPTION...: over the images that the settings come from
    expect 0 "$EEX" infer $run --split calibration --json --threads 1 --timeout 20000 \
        --remote 127.0.0.1:$port "$@"
}
value() { # KEY: of the last line
    tail -n 1 out | sed -n "s/.*\"$1\": \([a-z0-9.e+-]*\).*/\1/p"
}
as_expected() {
    [ "$(printf %.6f "$(value expected_sent)")" = "$(printf %.6f "$(value sent)")" ] ||
        fail "$1: $(value expected_sent) were to go on, $(value sent) did"
}
decisions() {
    sed 's/, "latency_ms": [^,}]*//; s/, "by": "[a-z]*"//' | grep -v '^{"remote"'
}

expect 0 "$EEX" adapt $run --device-gflops 0.004 --cut 1 --latency 30 -o adapt.h5
start --adapt adapt.h5 # which says --cut 1 --bits 8
for mbit in 0.1 100; do
    echo "0,$mbit" >steady.csv
    for batch in 1 7; do
        device --adapt adapt.h5 --bandwidth-trace steady.csv --batch $batch
        decisions <out >steady.$mbit.$batch
        out_has '"fallback": 0'
        out_has '"bandwidth": "played"'
        out_has '"changes": 0'
        as_expected "$mbit Mbit/s"
        [ "$(value mbit)" = "$mbit" ] || fail "$(value mbit) Mbit/s were played"
    done
    cmp -s steady.$mbit.1 steady.$mbit.7 || fail "batches decide otherwise than single images"
done
cmp -s steady.0.1.1 steady.100.1 && fail "the bandwidth changes nothing"

# Nobody has seconds for a trace: what it says in its first moment changes in the second.
printf '0,0.1\n0.000001,100\n' >jump.csv
device --adapt adapt.h5 --bandwidth-trace jump.csv --batch 25
out_has '"changes": 1'
decisions <out >jump
{ head -n 25 steady.0.1.1 && tail -n +26 steady.100.1; } | cmp -s - jump ||
    fail "a batch was not decided by the settings of its moment"

device --adapt adapt.h5
out_has '"bandwidth": "measured"'
[ "$(value measured)" -gt 0 ] || fail "nothing was measured"
expect 0 "$EEX" infer $run --split test --threads 1 --remote 127.0.0.1:$port --adapt adapt.h5
err_has "bandwidth as measured: "
err_has "within the 30 ms required"
expect 0 "$EEX" stream $run simulated --threads 1 --remote 127.0.0.1:$port --adapt adapt.h5 --bandwidth-trace jump.csv
out_has "bandwidth as played: 100 Mbit/s at the end, 0.1 to 100 on the way; thresholds changed 1 time"
out_has "drift: not looked for (thresholds follow the bandwidth)"
stop_serving

# A server that is away is as slow as the settings know.
port=1
device --adapt adapt.h5
[ "$(value mbit)" = 0.1 ] || fail "no server, and $(value mbit) Mbit/s"
out_has '"most_mbit": 3.16'
[ "$(decisions <out | wc -l)" = 50 ] || fail "not an answer for each image"

# ---- what does not fit ----

refused() { # TEXT OPTION...
    local text=$1
    shift
    expect 2 "$EEX" infer $run --split test --remote 127.0.0.1:1 "$@"
    err_has "$text"
}
refused "for --cut 1" --adapt adapt.h5 --cut 2
refused "for --bits 8" --adapt adapt.h5 --bits 32
refused "no thresholds to adapt" --adapt adapt.h5 --policy none
refused "leave out --policy and --threshold" --adapt adapt.h5 --policy confidence --threshold 0.9
refused "--bandwidth-trace goes with --adapt" --bandwidth-trace jump.csv
expect 2 "$EEX" infer $run --split test --adapt adapt.h5
err_has "--adapt goes with --remote"
expect 1 "$EEX" infer $run --split test --remote 127.0.0.1:1 --adapt nowhere.h5
expect 1 "$EEX" infer $run --split test --remote 127.0.0.1:1 --adapt $run/final.h5
err_has 'expected "adaptation"'
echo "0,x" >broken.csv
echo "1,x" >>broken.csv
expect 1 "$EEX" infer $run --split test --remote 127.0.0.1:1 --adapt adapt.h5 --bandwidth-trace broken.csv
err_has "broken.csv: line 1"
expect 0 "$EEX" run tiny.lua --threads 1 --set gates.required=true --set search.trials=1 --seed 7 --out other
expect 2 "$EEX" infer other --split test --remote 127.0.0.1:1 --adapt adapt.h5
err_has "its settings are for model "
err_has "eex adapt other/final.h5 -o FILE"
expect 2 "$EEX" serve other --port 0 --adapt adapt.h5
err_has "its settings are for model "
expect 2 "$EEX" serve $run --port 0 --adapt adapt.h5 --cut 2
err_has "for --cut 1"
expect 0 "$EEX" predictor $run --epochs 1 --threads 1
refused "--no-predictor does without" --adapt adapt.h5
expect 0 "$EEX" adapt $run --device-gflops 0.004 --cut 1 --latency 300 -o with.h5
start --cut 1 --bits 8
device --adapt with.h5 --bandwidth-trace steady.csv
out_has '"fallback": 0'
as_expected "with a predictor"
stop_serving
refused "with an exit predictor" --adapt with.h5 --no-predictor
exit 0
