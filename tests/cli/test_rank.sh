# eex rank: of a finished run, from what the run keeps of its experiment.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
printf '%s' '-- --set gates.blocks=nonsense' >>tiny.lua # a comment, which says nothing to anybody
small="--candidates 4 --repeated 2 --trainings 2 --epochs 1 --threads 1"
expect 0 "$EEX" run tiny.lua --threads 1 --out r --set search.trials=30 --seed 3
sum=$(sha256sum r/result.h5 r/run.h5 r/search.h5)

# The script and what --set changed come from run.h5: the file itself is not needed.
mv tiny.lua elsewhere.lua
expect 0 "$EEX" rank r $small
for word in "Kendall's tau" "MACs alone" "perfect judge" "clear pairs" "deviation of one training" "4 candidates, 2 of them"; do
    out_has "$word"
done
[ "$sum" = "$(sha256sum r/result.h5 r/run.h5 r/search.h5)" ] || fail "the run was touched"

# It is kept: shown again, in JSON too, and replaced only by force.
expect 0 "$EEX" rank r $small --json
grep -q "comparing evaluators" err && fail "a ranking that is there was made again"
out_has '"regret"'
expect 2 "$EEX" rank r --candidates 3 --repeated 0 --epochs 1 --threads 1
err_has "--force"
expect 0 "$EEX" rank r --candidates 3 --repeated 0 --epochs 1 --threads 1 --force
out_has "None was trained twice"

# A space of fewer candidates than were asked for: as many as there are, and that is said.
write_experiment few.lua
expect 0 "$EEX" run few.lua --threads 1 --out few --from r --set 'saliency={"add1"}' --set 'gates.blocks={0}'
expect 0 "$EEX" rank few --candidates 4 --repeated 3 --trainings 2 --epochs 1 --threads 1
err_has "4 candidates were asked for, 2 were found in the space: so many are compared"

# What cannot be ranked.
expect 1 "$EEX" rank nowhere
err_has "nowhere"
expect 2 "$EEX" rank r --candidates 1
expect 2 "$EEX" rank r --candidates 2 --repeated 3 --force
err_has "repeated: 0 to the number of candidates, 2, got 3"
expect 2 "$EEX" rank
