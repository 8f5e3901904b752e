# The experiments of the frontier: what their headers say of costs, that their budgets can be kept, and one of
# them from nothing to the table, at a size that says nothing about its accuracy.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
experiments=$EEX_SOURCE_DIR/experiments
[ -d "$experiments" ] || skip "no experiments here"
make_data

# exits NAME GENOME MACS...: what the genome's exits cost, and that no budget is refused
exits() {
    local name=$1 genome=$2
    shift 2
    expect 0 "$EEX" cost "$experiments/$name.lua" --genome "$genome"
    [ "$(sed -n '/^exits,/,$p' "$work/out" | awk '$1 ~ /^[0-9]+$/ { printf "%s ", $NF }')" = "$* " ] ||
        fail "$name: other costs than $*"
    grep -qi "limit" "$work/err" && fail "$name: its budget"
}
exits frontier_cifar10 1,-,1,-,-,-,1,- 3,488,256 6,439,424 14,200,832 21,530,624
exits frontier_cifar10_wide 1,-,1,-,-,1,-,- 8,692,608 14,191,616 22,499,712 37,257,344
exits frontier_cifar100 1,-,1,-,-,1,-,- 8,709,888 14,237,696 22,586,112 37,458,944

# A budget that nothing keeps is said with the least that would do, before anything is trained.
tiny=(--set dataset.name=tiny --set dataset.calibration=50 --set dataset.validation=50 --set dataset.train=100
    --set training.batch=50 --set training.base_epochs=1 --set training.epochs=1 --set training.schedule.warmup=0
    --set final.epochs=1 --set final.schedule.warmup=0)
expect 2 "$EEX" run "$experiments/frontier_cifar10.lua" "${tiny[@]}" --out no --set search.limits.macs=3e6
err_has "search.limits.macs: 3000000, but the first way out of the smallest network of the space takes 3488256 MACs"

# In pieces: it is stopped behind the base, and goes on.
"$EEX" run "$experiments/frontier_cifar10.lua" "${tiny[@]}" --threads 1 --out run >out 2>err &
pid=$!
while [ ! -e run/base.h5 ] && kill -0 $pid; do sleep 0.02; done
kill -INT $pid
wait $pid
[ $? -eq 130 ] || fail "Ctrl-C did not end it with 130"
expect 0 "$EEX" run "$experiments/frontier_cifar10.lua" "${tiny[@]}" --threads 1 --out run
expect 0 "$EEX" show run
out_has "Against the cut:"
python3 - "$work/run" <<'END' || fail "the budget"
import json, subprocess, os, sys
run = json.loads(subprocess.check_output([os.environ["EEX"], "show", sys.argv[1], "--json"]))
chosen = [t for t in run["pareto"] if t["trial"] == run["chosen"]]
assert run["trials"] == 163, run["trials"]  # sets of at most 4 of 8
assert all(t["ada_macs_cumulative"] <= 5.5e6 for t in chosen), chosen
END
