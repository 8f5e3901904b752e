# eex devices, and what is said about a device that is not there.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1

expect 0 "$EEX" devices
out_has "cpu (" # its name in the table
out_has "uses float32"
out_has "cuda"  # a GPU, or why there is none
expect 0 "$EEX" devices --json
out_has '"device": "cpu"'
if command -v python3 >/dev/null; then
    python3 -c 'import json, sys
devices = json.load(sys.stdin)["devices"]
assert devices[0]["available"] and devices[0]["problem"] is None
assert "float32" in devices[0]["precisions"]
assert all(d["available"] or d["problem"] for d in devices)' <"$work/out" || fail "the JSON is wrong"
fi

make_data
write_experiment tiny.lua
expect 1 "$EEX" run tiny.lua --device tpu
err_has 'no device "tpu"'
if ! grep -q '"device": "cuda:0"' <("$EEX" devices --json); then
    expect 1 "$EEX" run tiny.lua --device cuda
    err_has 'device "cuda": ' # and the reason
    [ "$(grep -c error: "$work/err")" -eq 1 ] || fail "more than the one line that says what is missing"
fi
