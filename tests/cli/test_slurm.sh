# eex sweep on a real Slurm: a node dies in the middle, and no point is lost.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh"
nodes=$EEX_SOURCE_DIR/tests/cli/two_nodes.sh
bash "$nodes" start "$work/slurm" >said || { [ $? = 77 ] && skip "$(tail -1 said)" || fail "$(cat said)"; }
trap 'scancel -u "$(id -un)" 2>/dev/null; bash "$nodes" stop "$work/slurm"; sleep 0.5; rm -rf "$work"' EXIT
export SLURM_CONF=$work/slurm/slurm.conf

# until SECONDS COMMAND...: or it fails.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "never: $*
$("$EEX" sweep status sweeps/points)
$(squeue)
$(tail -5 slurm/log/ctld.log)"
        sleep 0.3
    done
}
status_has() {
    "$EEX" sweep status sweeps/points | grep -q "$1"
}

make_data
write_experiment tiny.lua
cat >points.lua <<'LUA'
return {
  experiment = "tiny.lua",
  set = { ["search.trials"] = 10, ["training.epochs"] = 150 },
  grid = { ["training.lr"] = { 0.05, 0.1, 0.2 } },
  seeds = 2,
  slurm = { partition = "p", cpus = 1, time = "10" },
}
LUA
expect 0 "$EEX" sweep points.lua --slurm
grep -q "^#SBATCH --partition=p" sweeps/points/slurm.sh || fail "no partition"
until_true 90 status_has "2 running"

# The task on the node that dies is told of nothing. The cluster puts it back, and it goes on.
bash "$nodes" fail "$work/slurm" n2
until_true 90 status_has "1 lost"
until_true 90 sh -c 'sinfo -h -t down -o %D | grep -q 1'
bash "$nodes" node "$work/slurm" n2
until_true 300 status_has "6 of 6"
expect 0 "$EEX" sweep collect sweeps/points
out_has "test accuracy"
[ "$(grep -c ',done,' sweeps/points/results.csv)" = 6 ] || fail "$(cat sweeps/points/results.csv)"

# Whatever was interrupted on its way: each is the run that it is alone.
expect 0 "$EEX" run tiny.lua --out alone --set search.trials=10 --set training.epochs=150 --threads 1 \
    --set training.lr=0.05 --seed 1
results alone >a # with the threads that the cluster has given it, not all of the machine's
results sweeps/points/runs/0001 >b
cmp a b || fail "the run of a cluster is another one than the same run alone: $(diff a b)"

# Cancelling saves what runs, and nothing is put back.
sed 's/150/20000/' points.lua >long.lua
expect 0 "$EEX" sweep long.lua --slurm
until_true 90 sh -c "\"$EEX\" sweep status sweeps/long | grep -q '2 running'"
expect 0 "$EEX" sweep cancel sweeps/long
until_true 90 sh -c "\"$EEX\" sweep status sweeps/long | grep -q '2 stopped'"
until_true 90 sh -c '[ -z "$(squeue -h)" ]'
exit 0
