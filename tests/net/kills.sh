#!/usr/bin/env bash
# kill -9 of server and device at random moments, 200 times (or $1): no answer lost, none twice. By hand:
#   EEX=build/bin/eex EEX_SOURCE_DIR=. bash tests/net/kills.sh [COUNT [SEED]]
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1
"$EEX" infer runs/tiny --split test --json --threads 1 --policy confidence --threshold 1 2>err |
    sed 's/, "latency_ms": [^,}]*//' >whole
EEX=$EEX EEX_SEED=${2:-1} python3 "$EEX_SOURCE_DIR/tests/cli/serve_devices.py" kill runs/tiny "${1:-200}" whole
