# eex sweep on a real Slurm: a node dies in the middle, and no point is lost.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
nodes=$EEX_SOURCE_DIR/tests/cli/two_nodes.sh
export SLURM_CONF=$work/slurm/slurm.conf
trap 'scancel -u "$(id -un)" 2>/dev/null; bash "$nodes" stop "$work/slurm"; rm -rf "$work"' EXIT
bash "$nodes" start "$work/slurm" >said || { [ $? = 77 ] && skip "$(tail -1 said)" || fail "$(cat said)"; }

# until_true COMMAND...: or never, on however busy a machine.
until_true() {
    local end=$((SECONDS + 600))
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "never: $*
$("$EEX" sweep status sweeps/points)
$(squeue)
$(tail -5 slurm/log/ctld.log)"
        sleep 0.1
    done
}
status_has() { # status_has SWEEP TEXT
    "$EEX" sweep status "sweeps/$1" | grep -q "$2"
}

make_data
write_experiment tiny.lua
cat >points.lua <<'LUA'
return {
  experiment = "tiny.lua",
  set = { ["search.trials"] = 10, ["training.epochs"] = 30 },
  grid = { ["training.lr"] = { 0.05, 0.1 } },
  seeds = 2,
  slurm = { partition = "p", cpus = 1, time = "10" },
}
LUA
expect 0 "$EEX" sweep points.lua --slurm
grep -q "^#SBATCH --partition=p" sweeps/points/slurm.sh || fail "no partition"

# Stops a task in the middle of its work on n2, so that it cannot be done before the node dies: leaves
# its process in $stopped.
stop_one() {
    local file
    for file in sweeps/points/tasks/*/status; do
        stopped=$(sed -n 's/^running [^ ]* \([0-9]*\)$/\1/p' "$file" 2>/dev/null)
        [ -n "$stopped" ] || continue
        tr '\0' '\n' <"/proc/$stopped/environ" | grep -qx SLURMD_NODENAME=n2 || continue
        kill -STOP "$stopped" || continue
        grep -q "^running [^ ]* $stopped$" "$file" && return
        kill -CONT "$stopped"
    done
    return 1
}
until_true stop_one

# The task on the node that dies is told of nothing. The cluster puts it back once it has noticed, at once
# where nobody wants to wait, and it goes on.
bash "$nodes" fail "$work/slurm" n2
until_true status_has points "1 lost"
bash "$nodes" notice "$work/slurm" n2
bash "$nodes" node "$work/slurm" n2
all_done() {
    local job
    for job in $(squeue -h -t PENDING -o %A); do
        scontrol update JobId="$job" StartTime=now
    done
    status_has points "4 of 4"
}
until_true all_done
expect 0 "$EEX" sweep collect sweeps/points
out_has "test accuracy"
[ "$(grep -c ',done,' sweeps/points/results.csv)" = 4 ] || fail "$(cat sweeps/points/results.csv)"

# Whatever was interrupted on its way: each is the run that it is alone.
expect 0 "$EEX" run tiny.lua --out alone --set search.trials=10 --set training.epochs=30 --threads 1 \
    --set training.lr=0.05 --seed 1
results alone >a # with the threads that the cluster has given it, not all of the machine's
results sweeps/points/runs/0001 >b
cmp a b || fail "the run of a cluster is another one than the same run alone: $(diff a b)"

# Cancelling saves what runs, and nothing is put back.
sed 's/30/20000/' points.lua >long.lua
expect 0 "$EEX" sweep long.lua --slurm
until_true status_has long "2 running"
expect 0 "$EEX" sweep cancel sweeps/long
until_true status_has long "2 stopped"
is_quiet() {
    [ -z "$(squeue -h -t PENDING,RUNNING)" ]
}
until_true is_quiet

# A search's workers: it submits them, and ends them. They find what workers on this machine would.
search() {
    expect 0 "$EEX" run tiny.lua --out "$1" --set search.evaluator=train --set search.trials=3 --threads 1 \
        --set search.workers=2 "${@:2}"
}
search far --slurm --set search.slurm.partition=p --set search.slurm.time=0:10:00 --set search.slurm.cpus=1
grep -q "candidate" far/workers/worker-*.log || fail "no worker of the cluster: $(cat far/workers/*.log)"
until_true is_quiet
search here
results far >a
results here >b
cmp a b || fail "a search with a cluster's workers is another one: $(diff a b)"
exit 0
