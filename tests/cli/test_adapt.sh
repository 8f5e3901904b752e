# eex adapt: settings by bandwidth, what they are compared with, the file, and what is refused.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1 --set gates.required=true --set search.trials=1
slow="--device-gflops 0.004"

# ---- what it says ----

expect 0 "$EEX" adapt runs/tiny $slow --server-gflops 1 --round-trip 2 --jpeg-bytes 900
for word in "mean latency" "inputs within" "bytes sent" "all on device" "all on server" \
    "send the JPEG" "split, no exits" static adaptive oracle "convention ptflops" \
    "50 validation images" "over 13 bandwidths of 0.1 to 100 Mbit/s"; do
    out_has "$word"
done
! grep -q "static, predictor" out || fail "a predictor that is not there"

checks() { # of the last output
    command -v python3 >/dev/null || return 0
    cp out shown.json
    python3 - shown.json <<'PY' || fail "figures that do not fit together"
import json, sys
r = json.load(open(sys.argv[1]))
rows = r["bandwidths"] if "bandwidths" in r else r["moments"]
close = lambda a, b: abs(a - b) <= 1e-9 * max(1, abs(a), abs(b))
for row in rows:
    bits = 1e6 * row["mbit"]
    device, server, split = row["device"], row["server"], row["split"]
    assert device["bytes"] == 0 and server["bytes"] == 32 * 32 * 3 == r["image_bytes"]
    assert close(server["latency_ms"], 8e3 * 3072 / bits), server
    assert split["latency_ms"] <= device["latency_ms"] + 8e3 * r["payload_bytes"] / bits
    assert device["accuracy"] == server["accuracy"] == split["accuracy"]
    for name, way in row.items():
        if name == "mbit":
            continue
        assert way["kept"] == (way["latency_ms"] <= r["latency_ms"]), (name, way)
        assert 0 <= way["within"] <= 1 and 0 <= way["sent"] <= 1
        if name in ("static", "predicted", "adaptive", "oracle", "split"):
            assert close(way["bytes"], way["sent"] * r["payload_bytes"]), (name, way)
    if row["adaptive"]["kept"]:
        assert row["oracle"]["kept"], row
        assert row["oracle"]["accuracy"] >= row["adaptive"]["accuracy"] - 0.021, row
for name, mean in r["overall"].items():
    assert close(mean["latency_ms"], sum(w[name]["latency_ms"] for w in rows) / len(rows)), name
    assert close(mean["kept"], sum(w[name]["kept"] for w in rows) / len(rows)), name
PY
}
expect 0 "$EEX" adapt runs/tiny $slow --json
cp out adapt.json
checks
expect 0 "$EEX" adapt runs/tiny $slow --json
cmp -s out adapt.json || fail "the same command says something else"
expect 0 "$EEX" adapt runs/tiny $slow --bandwidths 0.01:2000 --json
checks


# With a server like the device and a line that takes no time, latency is what replay charges:
# nothing between the parts is left out or counted twice, wherever the cut is.
fast="--bandwidths 900000:1000000 $slow --server-gflops 0.004 --convention macs --json"
expect 0 "$EEX" tune runs/tiny --json
cp out tune.json
charged() { # WAY, as a path in tune.json
    command -v python3 >/dev/null || return 0
    cp out shown.json
    python3 - shown.json tune.json "$@" <<'PY' || fail "another amount of $*"
import json, sys
r, wanted = (json.load(open(f)) for f in sys.argv[1:3])
for key in sys.argv[4].split("."):
    wanted = wanted[key]
wanted = wanted[0] if isinstance(wanted, list) else wanted
got = r["bandwidths"][-1][sys.argv[3]]["latency_ms"] * r["device_flops"] / 1000
assert abs(got - wanted) < 1e-3 * wanted, (got, wanted)
PY
}
for cut in 1 2 3; do
    expect 0 "$EEX" adapt runs/tiny $fast --cut $cut
    charged device base_macs
    charged split base_macs
    charged server base_macs
done
charged static validation.before.macs

# A payload: codes, or all as it is.
expect 0 "$EEX" adapt runs/tiny $slow --json --cut 1
out_has '"cut": 1'
out_has '"payload_bytes": 520'
expect 0 "$EEX" adapt runs/tiny $slow --json --cut 1 --bits 32
out_has '"payload_bytes": 2048'

# ---- a trace ----

printf 'seconds,Mbit/s\r\n0,5\r\n\r\n# a tunnel\n1,0.5\n2.5, 20\n' >trace.csv
expect 0 "$EEX" adapt runs/tiny $slow --trace trace.csv
out_has "over 256 moments of the trace, of 0.5 to 20 Mbit/s"
expect 0 "$EEX" adapt runs/tiny $slow --trace trace.csv --json
checks
echo "7,3" >steady.csv
expect 0 "$EEX" adapt runs/tiny $slow --trace steady.csv --json
checks
for line in "1;2" "x,1" "3,-1" "3,0" "3,nan" "3,1,2" "0.5,1" "3," ",3" "-1,2" "3,1e99"; do
    printf '0,5\n1,2\n%s\n' "$line" >broken.csv
    expect 1 "$EEX" adapt runs/tiny --trace broken.csv
    err_has "broken.csv: line 3 is \"$line\""
done
: >empty.csv
expect 1 "$EEX" adapt runs/tiny --trace empty.csv
err_has "seconds,Mbit/s"
printf '0,5\n\0' >zero.csv
expect 1 "$EEX" adapt runs/tiny --trace zero.csv
err_has "zero.csv is no text"
expect 1 "$EEX" adapt runs/tiny --trace nowhere.csv
err_has nowhere.csv
expect 1 "$EEX" adapt runs/tiny --trace "$work"

# ---- the file ----

expect 0 "$EEX" adapt runs/tiny $slow -o adapt.h5
out_has "adapt.h5"
expect 0 "$EEX" adapt runs/tiny $slow -o $'ad\napt.h5'
out_has "ad?apt.h5"
cp adapt.h5 first.h5
expect 2 "$EEX" adapt runs/tiny $slow -o adapt.h5
err_has "--force"
expect 0 "$EEX" adapt runs/tiny $slow -o adapt.h5 --force
cmp -s adapt.h5 first.h5 || fail "the same regressors are another file"
expect 0 "$EEX" adapt runs/tiny $slow -o adapt.h5 --force --latency 500
! cmp -s adapt.h5 first.h5 || fail "another latency, and the same file"
expect 2 "$EEX" adapt runs/tiny -o runs/tiny/final.h5 --force
err_has "belongs to the run"
expect 2 "$EEX" adapt runs/tiny -o trace.csv --force
err_has "not what this command writes"
expect 1 "$EEX" adapt runs/tiny -o nowhere/x.h5
for name in x.pdf x h5 .h5; do # settings under a name that says something else
    expect 2 "$EEX" adapt runs/tiny -o $name
    err_has "$name: expected a name that ends in .h5, for the regressors, or in .svg or .png"
    [ ! -e $name ] || fail "$name was written"
done
expect 1 "$EEX" infer runs/tiny --split test --policy adapt.h5
err_has '"adaptation" file'

# ---- with a predictor, and with a bottleneck ----

expect 0 "$EEX" predictor runs/tiny --epochs 1 --threads 1 --json
cp out tune.json
expect 2 "$EEX" adapt runs/tiny $slow # it is dearer than this network
err_has "--no-predictor does without"
slower="$slow --latency 300"
expect 0 "$EEX" adapt runs/tiny $slower --json
checks
out_has '"predicted"'
expect 0 "$EEX" adapt runs/tiny --bandwidths 900000:1000000 $slower --convention macs --json
charged predicted predictor.validation.with.device_macs
charged static predictor.validation.without.device_macs
expect 0 "$EEX" adapt runs/tiny $slower
out_has "static, predictor"
expect 0 "$EEX" adapt runs/tiny $slow --no-predictor --json
cmp -s out adapt.json || fail "--no-predictor is not as if there were none"
head -c 3000 runs/tiny/final-predictor.h5 >cut.h5 && cp cut.h5 runs/tiny/final-predictor.h5
expect 1 "$EEX" adapt runs/tiny
err_has final-predictor.h5
rm runs/tiny/final-predictor.h5

expect 0 "$EEX" bottleneck runs/tiny -o small.h5 --epochs 1 --more-epochs 1 --batch 16 \
    --no-augment --threads 1 --json
bytes=$(sed -n 's/.*"bytes": \([0-9]*\).*/\1/p' out)
expect 0 "$EEX" adapt small.h5 $slow --json
out_has "\"payload_bytes\": $bytes" # its own codes, whose range both sides have
checks

# ---- measured: JPEGs, the device's speed; and a picture ----

expect 0 "$EEX" adapt runs/tiny $slow --jpeg-quality 75 --json
out_has '"jpeg_quality": 75'
cp out fine.json
expect 0 "$EEX" adapt runs/tiny $slow --jpeg-quality 5 --json
if command -v python3 >/dev/null; then
    python3 - fine.json out <<'PY' || fail "JPEGs of another size"
import json, sys
fine, coarse = (json.load(open(f)) for f in sys.argv[1:3])
assert 0 < coarse["jpeg_bytes"] < fine["jpeg_bytes"] < fine["image_bytes"]
assert fine["bandwidths"][0]["jpeg"]["bytes"] == fine["jpeg_bytes"]
PY
fi
expect 2 "$EEX" adapt runs/tiny --jpeg-quality 75 --jpeg-bytes 900
err_has "--jpeg-quality"
expect 2 "$EEX" adapt runs/tiny --data tiny
err_has "--jpeg-quality"

expect 0 "$EEX" profile --table tiny.lua --threads 1 --structures 4 -o table.h5
expect 0 "$EEX" profile --table tiny.lua --threads 1 --structures 4 -o $'ta\nble.h5'
out_has "ta?ble.h5"
expect 0 "$EEX" adapt runs/tiny --device-speed measured --latency-table table.h5 --threads 1 --json
out_has '"device_measured": true'
checks
expect 0 "$EEX" adapt runs/tiny --device-speed measured --threads 1
out_has "its parts measured here"
expect 2 "$EEX" adapt runs/tiny --device-speed guessed
err_has "stated or measured"
expect 2 "$EEX" adapt runs/tiny --device-speed measured --device-gflops 2
err_has "one of them"
expect 2 "$EEX" adapt runs/tiny --latency-table table.h5
err_has "--device-speed measured"
expect 1 "$EEX" adapt runs/tiny --device-speed measured --latency-table nowhere.h5
err_has nowhere.h5

if command -v gnuplot >/dev/null; then
    expect 0 "$EEX" adapt runs/tiny $slow -o ways.svg
    for word in "<svg" adaptive oracle "mean latency"; do
        grep -q -- "$word" ways.svg || fail "no $word in the picture"
    done
    expect 2 "$EEX" adapt runs/tiny $slow -o ways.svg
    err_has "--force"
    expect 0 "$EEX" adapt runs/tiny $slow --trace trace.csv -o ways.svg --force
fi
expect 0 env PATH=/nowhere "$EEX" --version
expect 1 env PATH=/nowhere "$EEX" adapt runs/tiny -o other.svg
err_has "gnuplot is not installed"

# ---- what is refused ----

expect 2 "$EEX" adapt runs/tiny $slow --latency 0.001
err_has "--latency 0.001: no settings keep it"
err_has "the fastest take"
for range in 5 5: :5 a:b 5:1 5:5 0:1 -1:5 1:inf nan:1 1:2:3 ""; do
    expect 2 "$EEX" adapt runs/tiny --bandwidths "$range"
    err_has "--bandwidths"
done
for option in "--latency 0" "--latency -3" "--device-gflops 0" "--device-gflops x" \
    "--server-gflops nan" "--round-trip -1" "--cut 0" "--bits 0" "--bits 9" "--bits 33" \
    "--jpeg-bytes 0" "--convention flops"; do
    expect 2 "$EEX" adapt runs/tiny $option
    err_has "${option% *}"
done
expect 2 "$EEX" adapt runs/tiny --cut 9
err_has "expected 1 to 3"
expect 2 "$EEX" adapt runs/tiny --bandwidths 1:2 --trace trace.csv
err_has "one of them"
expect 2 "$EEX" adapt runs/tiny/base.h5
err_has "no early exit"
cp runs/tiny/final.h5 alone.h5
expect 1 "$EEX" adapt alone.h5
err_has "alone.h5 keeps no calibration trace"
expect 1 "$EEX" adapt nowhere
expect 2 "$EEX" adapt
expect 2 "$EEX" adapt runs/tiny more
exit 0
