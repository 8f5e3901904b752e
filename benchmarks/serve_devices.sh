#!/usr/bin/env bash
# One server and many devices on this machine: rows a second against the batched throughput of the
# server's own part, and the tail that devices see.
#
#   EEX=build/bin/eex benchmarks/serve_devices.sh RUN [DEVICES] [SECONDS]
#
# Devices are one program that speaks the protocol and calculates nothing (benchmarks/serve_load.py), so
# that the server has the processor. Then again with one of them flooding and one stalling.
set -euo pipefail
run=${1:?usage: serve_devices.sh RUN [DEVICES] [SECONDS]}
devices=${2:-64}
seconds=${3:-20}
EEX=${EEX:-build/bin/eex}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT

serve() { # LOAD...
    "$EEX" serve "$run" --port 0 --policy none --sessions $((devices + 8)) --json --every 0 \
        --patience 5 >"$work/server" 2>"$work/messages" &
    server=$!
    until grep -q listening "$work/server" 2>/dev/null; do
        kill -0 "$server" || { cat "$work/messages"; exit 1; }
        sleep 0.1
    done
    EEX=$EEX python3 "$here/serve_load.py" "$work/server" "$run" "$devices" "$seconds" "$@"
    kill -TERM "$server"
    wait "$server"
    server=
    tail -n 1 "$work/server"
}
echo "== $devices devices, one row under way each"
serve 1
echo "== $devices devices, four rows under way each: the throughput to compare with the engine's"
serve 4
echo "== the same with one that floods and one that stalls"
serve 1 hostile
echo "== the engine alone, batches of 64, nobody leaving early (the whole network, not only its rest)"
"$EEX" infer "$run" --split test --batch 64 --to-end 2>&1 >/dev/null | grep "ms each"
