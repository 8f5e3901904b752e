# A device and a server in network namespaces of their own, with a link between them that the kernel
# slows down: the same answers, over TLS, and none of them once the link is down.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
command -v ip >/dev/null && command -v tc >/dev/null || skip "no ip and tc (iproute2)"
near=eexd$$ far=eexs$$
clean() {
    clean_up
    ip netns del $near 2>/dev/null
    ip netns del $far 2>/dev/null
}
trap clean EXIT
ip netns add $near 2>/dev/null && ip netns add $far 2>/dev/null || skip "network namespaces cannot be made here"
{
    ip link add v$$ netns $near type veth peer name w$$ netns $far &&
        ip -n $near addr add 10.231.7.1/24 dev v$$ && ip -n $far addr add 10.231.7.2/24 dev w$$ &&
        ip -n $near link set v$$ up && ip -n $far link set w$$ up &&
        ip netns exec $near tc qdisc add dev v$$ root tbf rate 8mbit burst 16kb latency 200ms
} 2>err || skip "no link between namespaces can be made and slowed down here: $(head -1 err)"

make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1
all="--policy confidence --threshold 1 --threads 1"
decisions() {
    sed 's/, "latency_ms": [^,}]*//; s/, "by": "[a-z]*"//' | grep -v '^{"remote"'
}
# shellcheck disable=SC2086
expect 0 "$EEX" infer runs/tiny --split test --json $all
decisions <out >whole
(umask 077 && od -An -tx1 -N32 /dev/urandom | tr -d ' \n' >key)
# shellcheck disable=SC2086
serve server ip netns exec $far "$EEX" serve runs/tiny --json $all --port 7531 --listen 10.231.7.2 --key key
device() {
    # shellcheck disable=SC2086
    expect 0 ip netns exec $near "$EEX" infer runs/tiny --split test --json $all --batch 20 --remote 10.231.7.2:7531 "$@"
}
device --key key --timeout 20000
decisions <out >parts
cmp -s whole parts || fail "over a slow link both parts say something else than the whole network"
out_has '"fallback": 0'
# shellcheck disable=SC2086
expect 2 ip netns exec $near "$EEX" infer runs/tiny --split test --json $all --remote 10.231.7.2:7531
err_has "over TLS alone"
ip -n $far link set w$$ down
device --key key --timeout 300
grep -q '"by": "server"' out && fail "a server that is cut off has answered"
[ "$(decisions <out | wc -l)" = 60 ] || fail "not an answer for each image"
stop_serving
