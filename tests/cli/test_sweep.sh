# eex sweep: points and seeds here, what fails, what is killed, a cluster that is a stub, results.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
cat >lr.lua <<'LUA'
return {
  experiment = "tiny.lua",
  set = { ["search.trials"] = 10 },
  grid = { ["training.lr"] = { 0.05, 0.1 } },
  seeds = { 3, 4 },
}
LUA

# All of it, two at a time; again, nothing is left to do.
expect 0 "$EEX" sweep lr.lua --local 2
out_has "4 of 4 tasks done"
sum=$(sha256sum sweeps/lr/runs/*/result.h5)
expect 0 "$EEX" sweep lr.lua
out_has "4 of 4 tasks done"
[ "$sum" = "$(sha256sum sweeps/lr/runs/*/result.h5)" ] || fail "a run that was done was done again"
expect 0 "$EEX" sweep collect sweeps/lr
out_has "test accuracy"
out_has "against cut %"
out_has "±: standard deviation over seeds"
"$EEX" sweep collect sweeps/lr --json | grep -q '"deviation": [0-9]' || fail "no deviation"
[ "$(wc -l <sweeps/lr/results.csv)" -eq 5 ] || fail "a line a task"
head -2 sweeps/lr/results.csv | tail -1 | grep -q "^0,0.05,3,done,0\." || fail "$(cat sweeps/lr/results.csv)"
expect 0 "$EEX" sweep status sweeps/lr --json
out_has '"training.lr": "0.05"'

# A collection replaces the one before it, also one of an earlier version, and nothing of somebody else.
sed -i 's/,seeds_done,fingerprint/,seeds_done/' sweeps/lr/results.csv
expect 0 "$EEX" sweep collect sweeps/lr
cp sweeps/lr/results.h5 own.h5
for mine in 'my notes' 'task,what I think of it' ''; do
    printf '%s\n' "$mine" | tee mine.csv >sweeps/lr/results.csv
    expect 2 "$EEX" sweep collect sweeps/lr
    err_has "results.csv is there already: --force replaces it"
    cmp -s mine.csv sweeps/lr/results.csv || fail "a file of the user was replaced"
    cmp -s own.h5 sweeps/lr/results.h5 || fail "half of a collection was written"
done
expect 0 "$EEX" sweep collect sweeps/lr --force
[ "$(wc -l <sweeps/lr/results.csv)" -eq 5 ] || fail "--force does not replace"
for mine in data/tiny.h5 tiny.lua; do
    cp $mine sweeps/lr/results.h5
    expect 2 "$EEX" sweep collect sweeps/lr --force
    err_has "never replaced"
    cmp -s $mine sweeps/lr/results.h5 || fail "$mine was replaced"
done
cp own.h5 sweeps/lr/results.h5
expect 2 "$EEX" sweep status sweeps/lr --force
err_has "--force goes with collect"

# A task is an ordinary run of that point and seed.
expect 0 "$EEX" run tiny.lua --out alone --set search.trials=10 --set training.lr=0.1 --seed 4 --threads 1
results alone >a
results sweeps/lr/runs/0003 >b
cmp a b || fail "a sweep's run is another one than the same run alone"

# A point that cannot be is refused before anything runs; so is another sweep in the same folder.
sed 's/0.05, 0.1/0.05, -1/' lr.lua >bad.lua
expect 2 "$EEX" sweep bad.lua
err_has "training.lr=-1"
[ ! -e sweeps/bad ] || fail "a sweep that cannot be has left a folder"
sed 's/0.05, 0.1/0.05, 0.2/' lr.lua >other.lua
expect 2 "$EEX" sweep other.lua --out sweeps/lr
err_has "another sweep"
echo 'return { experiment = "tiny.lua", grids = {} }' >typo.lua
expect 2 "$EEX" sweep typo.lua
err_has 'grids'
echo 'return { experiment = "tiny.lua" }' >"two words.lua"
expect 2 "$EEX" sweep "two words.lua"
err_has 'the sweep would be called "two words", as its file is: give it a name'
refused() { # ENTRY WORDS: what a sweep with this entry is told
    echo "return { experiment = \"tiny.lua\", $1 }" >odd.lua
    expect 2 "$EEX" sweep odd.lua
    err_has "$2"
}
# A run that is there twice would count as two, and a seed among the fields would not be used.
refused 'seeds = { 0, 3, 0 }' "seeds: each seed once"
refused 'seeds = 100000, random = { points = 3, fields = { ["training.lr"] = { from = 0.1, to = 1 } } }' "at most 262144 runs"
# Nor what has no place in a list.
refused 'seeds = { 1, foo = 2 }' 'seeds: a list, in which there is no place for ["foo"]'
refused 'grid = { ["training.lr"] = { 0.1, foo = 2 } }' 'no place for ["foo"]'
refused 'set = { ["gates.blocks"] = { 0, foo = 1 } }' 'a value of a sweep: a list, in which there is no place for ["foo"]'
refused 'set = { training = { lr = 1 } }' 'no place for ["lr"]'
refused 'grid = { ["training.lr"] = { 0.1, 0.05, 0.1 } }' "grid.training.lr: each value once"
refused 'grid = { seed = { 1, 2 } }' "grid.seed: the sweep's seeds"
refused 'set = { seed = 5 }' "set.seed: the sweep's seeds"
refused 'grid = { ["training.lr"] = {} }' "grid.training.lr: a list of 1 to"
echo 'return {' >cut.lua
expect 2 "$EEX" sweep cut.lua
err_has 'error: cut.lua:2:'
echo 'return { experiment = "../../etc/passwd" }' >outside.lua
expect 2 "$EEX" sweep outside.lua

# What fails says so, the others go on, and retry starts it again.
mv data/tiny.h5 away.h5
expect 1 "$EEX" sweep lr.lua --out failing
out_has "4 failed"
err_has "retry"
mv away.h5 data/tiny.h5
expect 1 "$EEX" sweep lr.lua --out failing
expect 0 "$EEX" sweep retry failing --local 2
out_has "4 of 4 tasks done"

# Ctrl-C saves, the same command goes on; a task that is killed is told apart and goes on too.
sed 's/10/4000/' lr.lua | sed 's/set = {/set = { ["training.epochs"] = 200,/' >long.lua
"$EEX" sweep long.lua >out 2>err &
sweep=$!
for _ in $(seq 100); do
    [ -e sweeps/long/runs/0000/run.h5 ] && break
    sleep 0.1
done
expect 0 "$EEX" sweep status sweeps/long
out_has "running"
kill -INT $sweep
wait $sweep
[ $? -eq 130 ] || fail "interrupted, and not 130"
expect 0 "$EEX" sweep status sweeps/long
out_has "1 stopped"
"$EEX" sweep task sweeps/long 1 >/dev/null 2>&1 &
task=$!
for _ in $(seq 100); do
    [ -e sweeps/long/runs/0001/run.h5 ] && break
    sleep 0.1
done
kill -KILL $task
wait $task 2>/dev/null
expect 0 "$EEX" sweep status sweeps/long
out_has "1 lost"

# However early it is told to end, before a task has a folder too: no error, and nothing has failed.
for i in $(seq 0 15); do
    signal=TERM ends=130
    [ $((i % 2)) = 1 ] && signal=HUP ends=129
    "$EEX" sweep long.lua --out "early-$i" --local 2 >out 2>err &
    sweep=$!
    for _ in $(seq 400); do
        [ -e "early-$i/sweep.h5" ] && break
        sleep 0.01
    done
    sleep "0.$(printf '%03d' $((i * 8)))"
    kill -$signal $sweep
    wait $sweep
    [ $? -eq $ends ] || fail "SIG$signal number $i: $(cat err)"
    err_has "the same command goes on"
    expect 0 "$EEX" sweep status "early-$i"
    grep -q "failed" out && fail "SIG$signal number $i: what was told to end has failed"
    grep -q "running" out && fail "SIG$signal number $i: somebody still runs"
done
# Where the sweep itself is killed its tasks save and end.
"$EEX" sweep long.lua --out orphans --local 2 >out 2>err &
sweep=$!
for _ in $(seq 400); do
    [ -e orphans/runs/0000/run.h5 ] && [ -e orphans/runs/0001/run.h5 ] && break
    sleep 0.05
done
kill -KILL $sweep
wait $sweep 2>/dev/null
for _ in $(seq 200); do
    expect 0 "$EEX" sweep status orphans
    grep -q "running" out || break
    sleep 0.1
done
out_has "2 stopped"

# A cluster: what is submitted, put back and cancelled. The stub runs the tasks one by one.
mkdir bin
cat >bin/sbatch <<'SH'
#!/bin/bash
for word; do
    case $word in
    --array=*) tasks=${word#--array=} ;;
    --export=*) export EEX_SWEEP_OFFSET=${word##*=} ;;
    esac
    script=$word
done
echo "$tasks" >>"$STUB/submitted"
[ -n "${STUB_FAILS:-}" ] && { echo "sbatch: error: Invalid partition"; exit 1; }
for range in ${tasks//,/ }; do
    for n in $(seq "${range%-*}" "${range#*-}"); do
        SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=$n bash "$script" >>"$STUB/said" 2>&1
    done
done
echo "7;cluster"
SH
printf '#!/bin/bash\necho "$0 $*" >>"$STUB/commands"\n' | tee bin/scontrol >bin/scancel
chmod +x bin/*
export STUB=$work PATH=$work/bin:$PATH
for lines in 'setup = "touch shell"' 'options = "#SBATCH --wrap=x"' 'container = "sh -c"'; do
    sed "s/^}/  slurm = { $lines },\n}/" lr.lua >foreign.lua # a sweep of somebody else's
    expect 2 "$EEX" sweep foreign.lua --out foreign --slurm
    err_has "slurm.${lines%% *}: the cluster would run it as it is"
    [ ! -e foreign ] || fail "a folder of a sweep that was refused"
done
expect 0 "$EEX" sweep foreign.lua --trust --out foreign --slurm
grep -q "^sh -c '/" foreign/slurm.sh || fail "no container"
rm -rf foreign
sed "s/^}/  slurm = { time = 90 },\n}/" lr.lua >limited.lua
expect 1 env STUB_FAILS=1 "$EEX" sweep limited.lua --out limited --slurm
mkdir limited/cancelled.7
expect 1 "$EEX" sweep limited.lua --out limited --slurm
err_has "cancelled.7"
grep -q "^7 tasks 0 to" limited/slurm.jobs || fail "a job that was submitted cannot be cancelled any more"
rmdir limited/cancelled.7
expect 0 "$EEX" sweep limited.lua --out limited --slurm
grep -qx "#SBATCH --time=90" limited/slurm.sh || fail "no limit of 90 minutes"
sed -i "s/time = 90/time = 0/" limited.lua
expect 2 "$EEX" sweep limited.lua --out refused --slurm
err_has "slurm.time: minutes, or a text of Slurm's"
expect 1 env STUB_FAILS=1 "$EEX" sweep lr.lua --out cluster --slurm
err_has "Invalid partition"
expect 0 "$EEX" sweep lr.lua --out cluster --slurm
out_has "4 of 4 tasks done"
cp cluster/slurm.sh written.sh
cp tiny.lua cluster/slurm.sh
mv cluster/runs/0000/result.h5 result.h5
expect 2 "$EEX" sweep lr.lua --out cluster --slurm
err_has "slurm.sh is there already, and not a script that eex has written"
cmp -s tiny.lua cluster/slurm.sh || fail "a script of the user was replaced"
mv result.h5 cluster/runs/0000/result.h5
mv written.sh cluster/slurm.sh
tail -1 submitted | grep -qx "0-3" || fail "submitted: $(cat submitted)"
grep -q "^7 tasks 0 to 3" cluster/slurm.jobs || fail "no line about the job"
bash -n cluster/slurm.sh || fail "the script is no shell script"
expect 0 "$EEX" sweep cancel cluster
grep -q "scancel 7" commands || fail "nothing was cancelled"
err_has "there was nothing to cancel"
! grep -q "cancelled" err || fail "a sweep that is done is said to be cancelled"

# A job that the queue has forgotten is over; one that cannot be cancelled is told. The others are.
cat >bin/scancel <<'SH'
#!/bin/bash
echo "$0 $*" >>"$STUB/commands"
[ "$1" = 7 ] && { echo "scancel: error: Kill job error on job id 7: Invalid job id specified"; exit 1; }
[ "$1" = 8 ] && { echo "scancel: error: slurm_kill_job: Unable to contact slurm controller"; exit 1; }
true
SH
printf '8 tasks 0 to 3\n9 tasks 0 to 3\n' >>cluster/slurm.jobs
expect 1 "$EEX" sweep cancel cluster
grep -q "scancel 9" commands || fail "the job behind those is not cancelled: $(cat commands)"
err_has "cannot cancel job 8 tasks 0 to 3: scancel failed: scancel: error: slurm_kill_job"
err_has "not cancelled: 1 of 3 jobs"
sed -i '/^8/d' cluster/slurm.jobs
result=$(find cluster/runs -name result.h5 | head -1)
mv "$result" result.h5 # one task waits
expect 0 "$EEX" sweep cancel cluster
err_has "1 job cancelled"
mv result.h5 "$result"
[ -e cluster/cancelled.9 ] || fail "the tasks of a cancelled job would come back"

# A line that has no number is a job that somebody has to look for.
cp cluster/slurm.jobs jobs
for line in " tasks 0 to 3" "-5 tasks 0 to 3" "hello tasks 0 to 3" "12x tasks 0 to 3" "0 tasks 0 to 3"; do
    printf '%s\n11 tasks 0 to 3\n' "$line" >cluster/slurm.jobs
    rm -f commands
    expect 1 "$EEX" sweep cancel cluster
    err_has "cannot cancel job $line: "
    err_has "does not begin with its number"
    err_has "not cancelled: 1 of 2 jobs"
    grep -q "scancel 11" commands || fail "the job behind \"$line\" is not cancelled"
done
cp jobs cluster/slurm.jobs

# An sbatch that does not say which job it is.
cp bin/sbatch sbatch
for said in "" "hello" "-5" "7x" "job 7" "0" "7;a\n8;a" "hello \033[31m" "99999999999999999999999999999999999999999999999999999999999999999"; do
    printf '#!/bin/bash\n[ "$1" = --version ] || printf -- "%s\\n"\n' "$said" >bin/sbatch
    rm -rf unsaid
    expect 1 "$EEX" sweep lr.lua --out unsaid --slurm
    err_has "sbatch has not said which job it is"
    grep -q "submitted" err && fail "\"$said\" is no job, and yet submitted"
    [ ! -e unsaid/slurm.jobs ] || fail "\"$said\" is in slurm.jobs"
    ! grep -q "$(printf '\033')" err || fail "what it said goes to the terminal as it is"
done
err_has 'got "9999'
# Whatever stands around the number; and the same again says that the tasks may wait already.
for said in "7" "7;cluster" "hello\n7;cluster" "7\nsbatch: warning: can't run 1 processor on 2 nodes"; do
    printf '#!/bin/bash\n[ "$1" = --version ] || printf -- "%s\\n"\n' "$said" >bin/sbatch
    rm -rf unsaid
    expect 0 "$EEX" sweep lr.lua --out unsaid --slurm
    err_has "submitted 4 tasks as job 7"
    ! grep -q "submitted before" err || fail "nothing was submitted before"
    [ "$(cat unsaid/slurm.jobs)" = "7 tasks 0 to 3" ] || fail "slurm.jobs: $(cat unsaid/slurm.jobs)"
done
expect 0 "$EEX" sweep lr.lua --out unsaid --slurm
err_has "4 of these tasks were submitted before, the last of them as job 7, and may still be queued"
expect 0 "$EEX" sweep cancel unsaid
expect 0 "$EEX" sweep lr.lua --out unsaid --slurm
! grep -q "submitted before" err || fail "what was cancelled is not queued any more"
mv sbatch bin/sbatch

# A job that is told of its time limit saves and is put back; one that is cancelled is not.
run_job() {
    SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=2 bash sweeps/long/slurm.sh >/dev/null 2>&1 &
    job=$!
    for _ in $(seq 100); do
        [ -e sweeps/long/runs/0002/run.h5 ] && break
        sleep 0.1
    done
    sleep 0.5
    kill -TERM $job
    wait $job
}
sed 's#cluster#long#' cluster/slurm.sh >sweeps/long/slurm.sh
sed -i "s#$work/long#$work/sweeps/long#g" sweeps/long/slurm.sh
rm -f commands
run_job
[ $? -eq 130 ] || fail "a job that was told to end"
grep -q "requeue 7_2" commands || fail "it was not put back"
rm -f commands
: >sweeps/long/cancelled.7
run_job
[ -e commands ] && fail "a cancelled job was put back"

# A point that cannot be searched is told before any other is run.
never() { # MESSAGE GRID
    rm -rf never
    echo "return { experiment = \"tiny.lua\", set = { [\"search.trials\"] = 10 }, grid = { $2 } }" >never.lua
    expect 2 "$EEX" sweep never.lua --out never
    err_has "task 1 ($3"
    err_has "$1"
    [ ! -e never ] || fail "a folder for what is not run: $2"
}
never 'limits.macs: 10, but the first way out' '["search.limits.macs"] = { 1e9, 10 }' "search.limits.macs=10"
never 'limits.params: 10, but the smallest' '["search.limits.params"] = { 1e9, 10 }' "search.limits.params=10"
sed -i 's/search = {/search = { tau = 2,/' tiny.lua
never 'tau: 0 where the space has a single candidate' '["gates.required"] = { true }, ["gates.blocks"] = { { 0, 1 }, { 0 } }' "gates.blocks={0}"
sed -i 's/search = { tau = 2,/search = {/' tiny.lua

# The sweeps of seeds that are shipped are whole: they stop at the data, which nobody has here.
for sweep in "$EEX_SOURCE_DIR"/experiments/seeds_*.lua; do
    [ -e "$sweep" ] || continue
    expect 1 env EEX_DATA="$work/none" "$EEX" sweep "$sweep" --out "seeds/$(basename "$sweep" .lua)"
    err_has "3 of 3 tasks failed"
    out_has "is not in $work/none"
done
exit 0
