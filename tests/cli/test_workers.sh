# search.workers: candidates of one search in several processes; workers and the search are killed in the
# middle, and the search is the same in the end.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
search() { # search STATUS FOLDER OPTION...
    local status=$1 folder=$2
    shift 2
    expect "$status" "$EEX" run tiny.lua --out "$folder" --set search.evaluator=train --threads 2 "$@"
}
begin() { # begin FOLDER OPTION...: in the background, as $search
    local folder=$1
    shift
    : >err # or what the one before has said would count
    "$EEX" run tiny.lua --out "$folder" --set search.evaluator=train --threads 2 "$@" >out 2>err &
    search=$!
}
# until_true COMMAND...: or it never is.
until_true() {
    local i
    for i in $(seq 600); do
        "$@" && return
        sleep 0.05
    done
    fail "never: $*"
}
works_on() { # works_on FOLDER NUMBER: leaves the worker's process in $worker
    worker=$(sed -n 's/^running [^ ]* \([0-9]*\) [0-9]*$/\1/p' "$1/candidates/000000$2/status" 2>/dev/null)
    [ -n "$worker" ] && kill -0 "$worker" 2>/dev/null
}
is_gone() {
    ! kill -0 "$1" 2>/dev/null
}

few="--set search.trials=6 --set candidate.epochs=20"
# shellcheck disable=SC2086
search 0 whole $few --set search.workers=2
[ ! -e whole/candidates ] || fail "what was judged is still there"
# shellcheck disable=SC2086
search 2 whole $few --set search.workers=3
err_has "search.workers"
# shellcheck disable=SC2086
search 2 refused --set search.evaluator=shared --set search.workers=2
err_has 'search.workers: 0 unless search.evaluator is "train"'
search 2 refused --elsewhere
err_has "search.workers is 0"
expect 1 "$EEX" run tiny.lua --out nothing --set search.evaluator=train --set search.workers=2 --worker
[ ! -e nothing ] || fail "a worker has made a folder"

# A worker dies, the search dies, then it is interrupted: three times the same command goes on.
# shellcheck disable=SC2086
begin killed $few --set search.workers=2
until_true works_on killed 1
kill -KILL "$worker"
until_true grep -q "was ended by signal 9" err
until_true works_on killed 2
kill -KILL $search
wait $search 2>/dev/null
until_true is_gone "$worker" # nobody is left behind
[ -e killed/search.h5 ] && fail "the search was done before it was killed"
# shellcheck disable=SC2086
begin killed $few --set search.workers=2
until_true grep -q "taken over" err
until_true works_on killed 3
kill -INT $search
wait $search
[ $? -eq 130 ] || fail "interrupted, and not 130"
is_gone "$worker" || fail "a worker goes on behind the search"
err_has "the same command goes on from there"
# shellcheck disable=SC2086
search 0 killed $few --set search.workers=2
results whole >whole.txt
results killed >b
cmp whole.txt b || fail "another search after deaths: $(diff whole.txt b)"
h5dump -d /trials/genome whole/search.h5 2>/dev/null | tail -n +2 >a
h5dump -d /trials/genome killed/search.h5 2>/dev/null | tail -n +2 >b
cmp a b || fail "other candidates after deaths: $(diff a b)"

# Workers of somebody else's: the search waits for them, and they end with it.
# shellcheck disable=SC2086
begin apart $few --set search.workers=2 --elsewhere
until_true grep -q "searching" err
for i in 1 2; do
    # shellcheck disable=SC2086
    "$EEX" run tiny.lua --out apart --set search.evaluator=train $few --set search.workers=2 --threads 1 \
        --worker >said$i 2>&1 &
    helpers[i]=$!
done
wait $search || fail "a search whose workers are elsewhere"
for i in 1 2; do
    wait "${helpers[i]}" || fail "a worker of a search that is done: $(cat said$i)"
done
results apart >b
cmp whole.txt b || fail "another search with workers elsewhere: $(diff whole.txt b)"

# What kills its workers fails, and is no reason to go on for ever.
begin deadly --set search.trials=1 --set search.workers=1 --set candidate.epochs=100000
for death in 0 1 2; do
    until_true grep -q " $death$" deadly/candidates/0000000/status 2>/dev/null
    works_on deadly 0 || fail "nobody works"
    kill -KILL "$worker"
done
wait $search
[ $? -eq 1 ] || fail "a search without a candidate that lives"
err_has "3 workers that judged it were killed"

# A worker that cannot work says why, and the search ends with it.
begin blind --set search.trials=2 --set search.workers=2 --set candidate.epochs=100000
until_true works_on blind 0
mv data/tiny.h5 away.h5
kill -KILL "$worker"
wait $search
[ $? -eq 1 ] || fail "a search whose workers cannot begin"
err_has 'ended with status'
err_has 'tiny'
exit 0
