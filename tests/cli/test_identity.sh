# Sample numbers mean something for one content alone: whoever uses a run's split compares the data
# that are there with those that the run was made from, whatever they are called.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
write_experiment tiny.lua
sed -i 's/out = 10/out = 3/; s/name = "tiny", calibration = 50, validation = 50/name = "pics", calibration = 9, validation = 9/' tiny.lua

# Three classes of twelve pictures each; contact sheets are pictures that need no other program.
mkdir -p pics/ant pics/bee pics/cat
seed=0
for class in ant bee cat; do
    for i in 01 02 03 04 05 06 07 08 09 10 11 12; do
        seed=$((seed + 1))
        expect 0 "$EEX" data make synthetic --train 120 --test 1 --seed $seed --name sheet --force
        expect 0 "$EEX" data info sheet --sheet "pics/$class/$i.png"
    done
done
cp -r pics original
import() { expect 0 "$EEX" data import pics pics --size 32 --force "$@"; }
import
cp "$EEX_DATA/pics.h5" kept.h5
expect 0 "$EEX" run tiny.lua --threads 1
expect 0 "$EEX" prune runs/tiny --exit 1 --no-latency -o cut.h5
mkdir away
cp runs/tiny/final.h5 away/model.h5

# Every user of the split. Lua's message is an error at the prompt, which ends with 0.
users() { # STATUS: expected of all; TEXT: on stderr
    local user
    for user in "infer runs/tiny --split test" "infer runs/tiny --split train" "infer runs/tiny --split calibration" \
        "infer away/model.h5 --split test" "infer cut.h5 --split validation" "infer runs/tiny --split test --data $EEX_DATA/pics.h5" \
        "stream runs/tiny simulated --frames 20" "stream runs/tiny simulated --frames 20 --split calibration" \
        "prune runs/tiny --test" "prune runs/tiny --test --no-latency" "prune cut.h5 --test --min-accuracy 0.1" \
        "profile runs/tiny --images 4 --batch 2 --rounds 2" "profile cut.h5 --images 4 --batch 2 --rounds 2"; do
        # shellcheck disable=SC2086
        expect "$1" "$EEX" $user --threads 1
        [ -z "$2" ] || err_has "$2"
    done
    for user in 'run:model():samples("calibration")' 'run:model():run("test")' \
        'run:model { base = true }:classify("validation", 1)'; do
        echo "print(pcall(function() return $user end))" >ask.lua
        "$EEX" repl runs/tiny <ask.lua >out 2>err || fail "the prompt ended"
        grep -q "^$3" out || fail "$user: not $3"
        [ -z "$2" ] || out_has "$2"
    done
}
users 0 "" true

both_are_described() { # what it was, what it is
    err_has "fingerprint $(attribute kept.h5)"
    err_has "fingerprint $(attribute "$EEX_DATA/pics.h5")"
}
attribute() { h5dump -a fingerprint "$1" | sed -n 's/.*"\([0-9a-f]\{12\}\)[0-9a-f]*".*/\1/p'; }

changed() {
    users 2 "was made from other data" false
    command -v h5dump >/dev/null && {
        expect 2 "$EEX" infer runs/tiny --split test
        both_are_described
    }
    err_has "images of 32x32x3, 3 classes ("
    expect 2 "$EEX" run tiny.lua --threads 1
    err_has "holds a run on other data"
    expect 2 "$EEX" run tiny.lua --threads 1 --move # which changes nothing in run.h5
    expect 2 "$EEX" run tiny.lua --threads 1
    err_has "holds a run on other data"
    expect 0 "$EEX" run tiny.lua --threads 1 --out new --from runs/tiny --fresh
    err_has "was made from other data"
    err_has "taken over from runs/tiny: nothing"
}

# The last image of one class becomes the first of the next.
mv pics/ant/12.png pics/bee/00.png
import
changed
rm -r pics && cp -r original pics

# Labels of two images are exchanged.
mv pics/ant/05.png x && mv pics/cat/05.png pics/ant/05.png && mv x pics/cat/05.png
import
changed
rm -r pics && cp -r original pics

# The classes have other names; the images are the same.
mv pics/bee pics/bug
import
changed
rm -r pics && cp -r original pics

# A sweep of which one of three seeds is done.
echo 'return { experiment = "tiny.lua", seeds = { 1, 2, 3 } }' >seeds.lua
import
expect 0 "$EEX" sweep seeds.lua --threads 1
rm -r sweeps/seeds/*/0001 sweeps/seeds/*/0002

# Another hold-out of the same images.
import --seed 5
changed

# Runs on either are not averaged, not even with one that does not keep what its data are.
for seed in 0 1; do expect 0 "$EEX" run tiny.lua --threads 1 --seed $seed --out runs/five$seed; done
expect 0 "$EEX" show runs/five0 runs/five1
out_has "2 seeds, mean"
! grep -q "fingerprint" out || fail "one data set is said to be two"
expect 0 "$EEX" show runs/tiny runs/five0 runs/five1
out_has "2 seeds, mean"
out_has "fingerprint of the data"
out_has "Runs on other data, by the fingerprint"
expect 0 "$EEX" show runs/tiny runs/five0 --json
out_has '"other_data": true'
[ "$(grep '^      "fingerprint"' out | sort -u | wc -l)" = 2 ] || fail "not a fingerprint each"
[ "$(grep -c '"runs": 1,$' out)" = 20 ] || fail "a mean of two"
expect 0 "$EEX" show runs/tiny runs/five0 --csv
[ "$(sed 1d out | cut -d, -f4 | sort -u | wc -l)" = 2 ] || fail "one fingerprint in both lines"
[ "$(sed 1d out | cut -d, -f8 | sort -u)" = 1 ] || fail "groups of two: $(cut -d, -f1-8 out)"
expect 0 "$EEX" report runs/tiny runs/five0 -o runs.html
grep -q "not all on the same data" runs.html || fail "a page of runs on different data does not say so"
expect 0 "$EEX" report runs/five0 runs/five1 -o runs.html --force
! grep -q "not all on the same data" runs.html || fail "a page says that one data set is two"
cat >compare.lua <<'LUA'
a, b, c = eex.run "runs/tiny", eex.run "runs/five0", eex.run "runs/five1"
list = eex.compare(a, b)
assert(list[1].fingerprint == a.fingerprint and list[2].fingerprint == b.fingerprint and list[2].dataset == "pics")
assert(a.fingerprint ~= b.fingerprint and #a.fingerprint == 64)
list = eex.compare(b, c)
assert(not list[1].fingerprint and not list[2].dataset)
print "comparisons are right"
LUA
"$EEX" repl <compare.lua >out 2>err
out_has "comparisons are right"

# Of two tasks that begin at one moment on different data one is refused, whoever is first; and what a task is on that
# is killed before it has a run does not bind the sweep once it has gone on, or failed, on other data.
mkdir elsewhere
cp kept.h5 elsewhere/pics.h5
"$EEX" sweep seeds.lua --out pair --threads 1 --local 3 >/dev/null 2>&1
[ "$(find pair/tasks -name data.h5 | wc -l)" = 0 ] || fail "tasks that have ended say more than their runs"
for try in 1 2 3; do
    rm -r pair/runs/* pair/tasks/*
    "$EEX" sweep task pair 0 >/dev/null 2>first &
    first=$!
    EEX_DATA=$PWD/elsewhere "$EEX" sweep task pair 1 >/dev/null 2>second
    second=$?
    wait $first
    first=$?
    [ $((first + second)) = 2 ] && [ $first != $second ] || fail "try $try: two tasks on different data ended with $first and $second"
    cat pair/tasks/000[01]/log >log
    grep -q "of this sweep was made from other data" log || fail "try $try: not said why: $(cat log)"
    [ "$(find pair/runs -name run.h5 | wc -l)" = 1 ] || fail "try $try: a run was begun on other data"
done

# A task on other data than those before it fails; where such runs are there, they have no mean.
expect 1 "$EEX" sweep seeds.lua --threads 1
err_has "put the sweep's data back"
err_has "task 0 of this sweep was made from other data"
[ ! -e sweeps/seeds/runs/0001 ] || fail "a run on other data was begun"
expect 0 "$EEX" sweep collect sweeps/seeds
! grep -q "not all on the same data" err || fail "one run is on two data sets"
cp -r runs/five1 sweeps/seeds/runs/0001
expect 0 "$EEX" sweep collect sweeps/seeds
err_has "not all on the same data"
! grep -q "±[0-9]" out || fail "a mean of runs on different data"
[ "$(sed 1d sweeps/seeds/results.csv | tr -d '\r' | sed 's/.*,//' | sort -u | grep -c .)" = 2 ] || fail "$(cat sweeps/seeds/results.csv)"
expect 0 "$EEX" sweep collect sweeps/seeds --json
[ "$(grep -c '"other_data": true' out)" = 2 ] || fail "no word for programs"
[ "$(grep -c '"mean": null' out)" = 9 ] || fail "means of runs on different data"

# Another data set under the old file's name.
expect 0 "$EEX" data make synthetic --train 60 --test 20 --name other
mv "$EEX_DATA/other.h5" "$EEX_DATA/pics.h5"
expect 2 "$EEX" infer runs/tiny --split test
err_has "was made from other data"

# Labels of two images are exchanged in the file itself, whose seal is taken away for that: what it still says
# of its samples is not believed.
rm -rf pics && cp -r original pics
import
"$EEX_FILE_STATE" "$EEX_DATA/pics.h5" edited test/labels >out 2>err || fail "it was not edited"
expect 0 "$EEX" data info pics
expect 2 "$EEX" infer runs/tiny --split test
err_has "was made from other data"
expect 2 "$EEX" run tiny.lua --threads 1
err_has "holds a run on other data"
rm -r pics && cp -r original pics
# Data of another name with other classes: what is right is not known, and why is said.
others() { # WORDS: what is the matter with data set "others"
    expect 0 "$EEX" infer runs/tiny --split test --data others --threads 1
    err_has "others has other classes than the model: $1: its labels are left out"
    err_has "right: not known, for others has other classes"
    expect 0 "$EEX" infer runs/tiny --split test --data others --threads 1 --json
    err_has "right: not known"
    ! grep -q '"right"\|"label"' out || fail "labels of other classes are taken for the model's"
    expect 2 "$EEX" stream runs/tiny simulated --frames 20 --data others
    err_has "others has other classes than the model: $1"
}
for way in "ant bee cut" "ant cow cat"; do
    # shellcheck disable=SC2086
    set -- $way
    rm -rf three && mkdir three
    cp -r original/ant "three/$1" && cp -r original/bee "three/$2" && cp -r original/cat "three/$3"
    expect 0 "$EEX" data import others three --size 32 --force
    [ "$2" = bee ] && others 'class 3 is "cut" there, and "cat" in the model'
    [ "$2" = bee ] || others 'class 2 is "cat" there, and "bee" in the model'
done
rm -r three/cow
expect 0 "$EEX" data import others three --size 32 --force
others "2 of them, the model 3"

# The data come back, from a folder and by a name of their own: that is what counts.
mv pics images
expect 0 "$EEX" data import pics images --size 32 --force
users 0 "" true
expect 0 "$EEX" run tiny.lua --threads 1
expect 0 "$EEX" infer runs/tiny --split test --json --threads 1
sed "s/\"latency_ms\": [0-9.e-]*, //" out >by_name
expect 0 "$EEX" data import renamed images --size 32
expect 0 "$EEX" infer runs/tiny --split test --data renamed --json --threads 1
sed "s/\"latency_ms\": [0-9.e-]*, //" out | cmp -s - by_name || fail "the same data under another name have another test split"
exit 0
