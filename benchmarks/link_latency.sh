#!/usr/bin/env bash
# Mean latency over a link that the kernel shapes, against what the latency model says
# (docs/co-inference.md): device and server in network namespaces of their own, a veth pair between
# them, tbf on the way to the server. As root, with ip and tc.
#
#   EEX=build/bin/eex benchmarks/link_latency.sh RUN [IMAGES] [ROUNDS] [MBIT...]
#
# CUT (1) and BITS (32) say what is sent of the first IMAGES (200) of the test split. Predicted: the
# device profile of `eex profile` on this machine by the share of images that leave at each exit, and
# for those that go on the bytes on the wire over what the link carries in bulk, and a round trip before it
# was shaped. Measured: the mean latency of an image in `eex infer --remote`, each with the lower
# quartile of its rounds (5), which take turns. Packets are small, so that what tbf lets pass at once is.
set -euo pipefail
run=${1:?usage: link_latency.sh RUN [IMAGES] [ROUNDS] [MBIT...]}
images=${2:-200}
rounds=${3:-5}
shift "$(($# < 3 ? $# : 3))"
[ $# -gt 0 ] || set -- 1 3 10 30
EEX=${EEX:-build/bin/eex}
cut=${CUT:-1} bits=${BITS:-32} mtu=576 burst=600
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
near=eexn$$ far=eexf$$ server= other=
clean() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$other" ] || kill "$other" 2>/dev/null || true
    ip netns del $near 2>/dev/null || true
    ip netns del $far 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
ip netns add $near
ip netns add $far
ip link add v$$ netns $near type veth peer name w$$ netns $far
ip -n $near addr add 10.231.8.1/24 dev v$$
ip -n $far addr add 10.231.8.2/24 dev w$$
ip -n $near link set v$$ mtu $mtu up
ip -n $far link set w$$ mtu $mtu up

(umask 077 && od -An -tx1 -N32 /dev/urandom | tr -d ' \n' >"$work/key")
"$EEX" profile "$run" --threads 1 --images 128 --json >"$work/profile" 2>/dev/null
first() { # FILE OPTION...: it need not go on behind the first images
    local file=$1
    shift
    "$@" 2>>"$work/messages" | head -n "$images" >"$file" || true
}
first "$work/here" "$EEX" infer "$run" --split test --threads 1 --json
ip netns exec $far python3 "$here/link_latency.py" answer &
other=$!
ip netns exec $near python3 "$here/link_latency.py" trip 10.231.8.2 >"$work/trip"
ip netns exec $far "$EEX" serve "$run" --threads 1 --json --cut "$cut" --bits "$bits" --listen 10.231.8.2 \
    --port 7531 --key "$work/key" >"$work/server" 2>"$work/messages" &
server=$!
until grep -qs listening "$work/server"; do
    kill -0 $server || { cat "$work/messages"; exit 1; }
    sleep 0.1
done
for round in $(seq "$rounds"); do
    for mbit in "$@"; do
        ip netns exec $near tc qdisc replace dev v$$ root tbf rate "${mbit}mbit" burst $burst latency 2s
        ip netns exec $near python3 "$here/link_latency.py" rate 10.231.8.2 "$mbit" $mtu >"$work/$mbit.$round.rate"
        first "$work/$mbit.$round" ip netns exec $near "$EEX" infer "$run" --split test --threads 1 --json \
            --remote 10.231.8.2:7531 --key "$work/key" --cut "$cut" --bits "$bits" --timeout 10000
    done
done
kill -TERM $server
wait $server
server=
python3 "$here/link_latency.py" tell "$work" "$mtu" "$rounds" "$@"
