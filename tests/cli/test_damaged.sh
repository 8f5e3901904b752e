# What is said of each file of a run in each state that it can be in, by each command that reads it: the file, what
# is the matter, what to do about it, status 1, nothing else printed, and nothing taken for finished before it was read.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
sed -i 's/sample = 2 }/sample = 2, tau = 3 }/' tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1 --out whole
expect 0 "$EEX" tune whole --accuracy -0.9 -o mine.h5
cp -r whole begun
rm begun/result.h5 begun/policies.h5

# Commands, the run that they are given, and the files that they read.
again="run tiny.lua --threads 1 --out run"
kept="run.h5 base.h5 shared.h5 search.h5 tau.h5 final.h5 policies.h5 result.h5"
made="run.h5 split.h5 base.h5 latency.h5 search.h5 final.h5 final-calibration.h5 final-validation.h5"
tuned="latency.h5 search.h5 final.h5 final-calibration.h5 final-validation.h5"

# State, and the words that go with it: FILE becomes the file.
states="folder pipe empty cut text other newer damaged"
declare -A words=(
    [folder]="FILE is not a file, but a folder"
    [pipe]="FILE is not a file, but a pipe"
    [empty]="FILE is empty"
    [cut]="FILE: truncated: it has"
    [text]="FILE is not an HDF5 file"
    [other]="FILE is a \"policy\" file, expected"
    [newer]="has version 101, this eex reads up to 1: use the eex that wrote it"
    [damaged]="FILE: /OBJECT: damaged: wrong checksum"
)
declare -A object=([run.h5]=description [split.h5]=split/train [base.h5]=params [shared.h5]=history [search.h5]=trials/genome
    [tau.h5]=of [final.h5]=policy [policies.h5]=accuracy [result.h5]=best [latency.h5]=trunk_ms
    [final-calibration.h5]=trace/labels [final-validation.h5]=trace)
remedy() {
    case $1:$2 in
    *:newer) echo "use the eex that wrote it, or a newer one" ;;
    run.h5:*) echo "--fresh starts the run again" ;;
    result.h5:*) echo "move the file away and run the experiment again" ;;
    *) echo "move the file away, and result.h5 with it, and run the experiment again" ;;
    esac
}

# bring FILE STATE
bring() {
    case $2 in
    folder) rm "$1" && mkdir "$1" ;;
    pipe) rm "$1" && mkfifo "$1" ;;
    empty) : >"$1" ;;
    cut) truncate -s $(($(stat -c %s "$1") / 2)) "$1" ;;
    text) echo "some text that is none of ours" >"$1" ;;
    other) cp mine.h5 "$1" ;;
    newer) "$EEX_FILE_STATE" "$1" newer ;;
    damaged) "$EEX_FILE_STATE" "$1" damaged "${object[${1##*/}]}" ;;
    esac || fail "$1 cannot be brought into the state $2"
}

# refused RUN FILE STATE COMMAND...
refused() {
    local from=$1 file=$2 state=$3 what
    shift 3
    rm -rf run
    cp -r "$from" run
    bring "run/$file" "$state"
    expect 1 "$EEX" "$@"
    what=${words[$state]//FILE/run/$file}
    err_has "${what//OBJECT/${object[$file]}}"
    err_has "$(remedy "$file" "$state")"
    grep -q "is finished" err && fail "$state $file: said to be finished before it was read"
    [ ! -s out ] || fail "$state $file: something was printed"
}

for state in $states; do
    for file in $kept; do
        refused whole "$file" "$state" show run
    done
done
for file in $kept; do
    refused whole "$file" damaged $again
done
for state in $states; do
    refused whole run.h5 "$state" $again
    refused begun search.h5 "$state" $again
    refused whole final.h5 "$state" infer run --split test
    refused whole split.h5 "$state" infer run --split validation
    refused whole final-calibration.h5 "$state" tune run --accuracy -0.9
done
for file in $made; do
    refused begun "$file" cut $again
done
for file in $tuned; do
    refused whole "$file" damaged tune run --accuracy -0.9
done

# The remedy is one: the file goes away, the result with it, and the same bits are there again.
results whole >whole.json
for file in $made $kept; do
    [ "$file" != run.h5 ] || continue
    rm -rf run
    cp -r whole run
    bring "run/$file" cut
    mv "run/$file" away.h5
    rm -f run/result.h5
    expect 0 "$EEX" $again
    [ -e "run/$file" ] || [ "$file" = shared.h5 ] || fail "$file was not made again" # its traces are all that is used
    results run >run.json
    cmp -s whole.json run.json || fail "with $file made again the result differs"
done
bring run/run.h5 damaged
expect 0 "$EEX" $again --fresh
results run >run.json
cmp -s whole.json run.json || fail "started again, the result differs"

# Files of a run without the one that says of which: never taken for this one's, nor removed.
rm run/run.h5
expect 2 "$EEX" $again
err_has "but no run.h5 that says of which run it is"
expect 2 "$EEX" $again --fresh
err_has "but no run.h5 that says of which run it is"
[ -e run/base.h5 ] && [ ! -e run/run.h5 ] || fail "what was there did not stay"
expect 1 "$EEX" show run
err_has "holds no run"

# What is not there but should be.
rm -rf run
cp -r whole run
rm run/final.h5
expect 1 "$EEX" show run
err_has "run has a result, but no final.h5: put it back, or move result.h5 away"
cp whole/final.h5 run
rm run/final-calibration.h5
expect 1 "$EEX" tune run --accuracy -0.9
err_has "run/final-calibration.h5 is not there: move result.h5 away and run the experiment again"

# A folder by the name of a file stays when the run starts again.
rm -rf run
cp -r whole run
rm run/tau.h5
mkdir run/tau.h5
echo mine >run/tau.h5/notes
expect 1 "$EEX" $again --fresh
err_has "run/tau.h5"
[ -e run/tau.h5/notes ] || fail "a folder was removed"

# What a user may not read.
as_nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
if [ "$(id -u)" -ne 0 ] || ! $as_nobody true 2>/dev/null; then
    as_nobody=
fi
if [ -n "$as_nobody" ] || [ "$(id -u)" -ne 0 ]; then
    chmod 755 .
    rm -rf run
    cp -r whole run
    chmod 0 run/search.h5
    expect 1 $as_nobody "$EEX" show run
    err_has "cannot open run/search.h5: Permission denied: this user may not read it"
    chmod 0 run
    expect 1 $as_nobody "$EEX" show run
    err_has "Permission denied"
    expect 1 $as_nobody "$EEX" infer run --split test
    err_has "Permission denied"
    chmod 755 run
else
    echo "nobody may not be impersonated here: permissions were not tried"
fi

# Models and policies by their own names.
expect 0 "$EEX" prune whole --exit 1 -o cut.h5
for state in pipe empty cut text other newer; do
    cp cut.h5 model.h5
    bring model.h5 $state
    for arguments in "show model.h5" "infer model.h5 --split test"; do
        expect 1 "$EEX" $arguments
        err_has "${words[$state]//FILE/model.h5}"
        [ $state = newer ] || err_has "if it is a run's, move the file away"
    done
    rm model.h5
done
exit 0
