# eex run --slurm: a search hands its workers to a cluster as an array job, goes on whenever they come, and
# ends them. The cluster is a stub that starts tasks when the test says so (test_slurm.sh has a real one).
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
until_true() { # until_true COMMAND...: or it never is
    local i
    for i in $(seq 1200); do
        "$@" && return
        sleep 0.05
    done
    fail "never: $*"
}
few="--set search.evaluator=train --set search.trials=4 --set candidate.epochs=20 --set search.workers=2"
search() { # search STATUS FOLDER OPTION...
    local status=$1 folder=$2
    shift 2
    # shellcheck disable=SC2086
    expect "$status" "$EEX" run tiny.lua --out "$folder" $few --threads 2 "$@"
}

# What cannot be is said before anything is made.
# shellcheck disable=SC2086
expect 1 env PATH=/nowhere "$EEX" run tiny.lua --out none $few --slurm
err_has "no sbatch on this machine"
search 2 none --slurm --elsewhere
err_has "one of them"
search 2 none --slurm --set search.workers=0
err_has "search.workers is 0"
search 2 none --slurm --set 'search.slurm.setup="touch owned"'
err_has "search.slurm.setup"
search 2 none --slurm --set 'search.slurm.time="10\ntouch owned"'
err_has "search.slurm.time: letters, digits and"
for time in 0 1.5 true; do
    search 2 none --slurm --set search.slurm.time=$time
    err_has 'search.slurm.time: minutes, or a text of Slurm'"'"'s such as "1:00:00", got'
done
[ ! -e none ] || fail "a run that cannot be has a folder"

mkdir bin
cat >bin/sbatch <<'SH'
#!/bin/bash
[ "$1" = --version ] && exit
echo "$*" >>"$STUB/submitted"
echo "$(wc -l <"$STUB/submitted");cluster"
SH
printf '#!/bin/bash\necho "${0##*/} $*" >>"$STUB/commands"\n' | tee bin/scontrol >bin/scancel
chmod +x bin/*
export STUB=$work PATH=$work/bin:$PATH
cp bin/sbatch sbatch
for said in "" "hello" "-5"; do
    printf '#!/bin/bash\n[ "$1" = --version ] || echo "%s"\n' "$said" >bin/sbatch
    search 1 unsaid --slurm
    err_has "sbatch has not said which job it is"
done
mv sbatch bin/sbatch
begin() { # begin FOLDER OPTION...: in the background, as $search
    local folder=$1
    shift
    # shellcheck disable=SC2086
    "$EEX" run tiny.lua --out "$folder" $few --threads 2 "$@" >out 2>err &
    search=$!
}
task() { # task FOLDER JOB N: the cluster starts it, as ${tasks[N]}
    (
        cd /
        cd "$(sed -n 's/^#SBATCH --chdir="\(.*\)"$/\1/p' "$work/$1/workers/slurm.sh")" || exit
        SLURM_CPUS_PER_TASK=1 SLURM_ARRAY_JOB_ID=$2 SLURM_ARRAY_TASK_ID=$3 \
            exec bash "$work/$1/workers/slurm.sh" >>"$work/said$3" 2>&1
    ) &
    tasks[$3]=$!
}
submitted() { # how often so far
    [ -e submitted ] && [ "$(wc -l <submitted)" = "$1" ]
}
works() {
    grep -qs "^running" "$1"/candidates/*/status
}

search 0 here

# The queue is slow: that is said, with the job and what helps; then the tasks come.
begin far --slurm --set search.slurm.partition=p --set search.slurm.gpus=1 --set search.slurm.time=10
until_true grep -q "no worker for" err
err_has "job 1 waits in the queue"
err_has "sbatch --array=1-N"
grep -q -- "--array=1-2 .*far/workers/slurm.sh" submitted || fail "submitted: $(cat submitted)"
bash -n far/workers/slurm.sh || fail "no shell script"
grep -qx "#SBATCH --partition=p" far/workers/slurm.sh || fail "no partition"
grep -qx "#SBATCH --gres=gpu:1" far/workers/slurm.sh || fail "no GPU"
grep -qx "#SBATCH --time=10" far/workers/slurm.sh || fail "no limit of ten minutes"
task far 1 1
until_true works far

# Told of its time limit, the task saves and is put back; while it waits the other one works.
kill -TERM "${tasks[1]}"
wait "${tasks[1]}"
grep -q "scontrol requeue 1_1" commands || fail "it was not put back: $(cat said1)"
task far 1 2

# The search dies. The same command cancels what it has left, and asks again; what it has left may take
# longer to end than that, and does not come again.
until_true works far
kill -KILL $search
wait $search 2>/dev/null
begin far --slurm --set search.slurm.time=1:00:00
until_true submitted 2
grep -qx "scancel 1" commands || fail "workers of a search that was killed are still wanted"
grep -qx "#SBATCH --time=1:00:00" far/workers/slurm.sh || fail "no limit of an hour"
kill -TERM "${tasks[2]}"
wait "${tasks[2]}"
[ $? -eq 130 ] || fail "an earlier worker was told to end, and did not: $(cat said2)"
grep -q "scontrol requeue 1_2" commands && fail "a cancelled worker was put back"
task far 2 1
task far 2 2
wait $search || fail "a search whose workers a cluster has"
grep -qx "scancel 2" commands || fail "its workers are not ended"
[ -e far/workers/cancelled.2 ] || fail "its workers would come back"
for i in 1 2; do
    wait "${tasks[i]}" || fail "a worker of a search that is done: $(cat said$i)"
done
results here >a
results far >b
cmp a b || fail "another search on a cluster: $(diff a b)"

# Starting again removes what its workers have said. Ctrl-C cancels them.
: >far/workers/worker-1.log
begin far --slurm --fresh
until_true submitted 3
[ ! -e far/workers/worker-1.log ] || fail "what was said before is still there"
kill -INT $search
wait $search
[ $? -eq 130 ] || fail "interrupted, and not 130"
grep -qx "scancel 3" commands || fail "its workers are not cancelled"
err_has "the same command goes on from there"
exit 0
