# eex run --from: a new run takes over the phases that the same fields have shaped, and no others.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1

# Another search: everything up to the traces is there; the result is that of a run from nothing.
expect 0 "$EEX" run tiny.lua --threads 1 --set search.trials=30 --out other --from runs/tiny
err_has "taken over from runs/tiny: split.h5, base.h5, shared.h5, trace-calibration.h5, trace-validation.h5, latency.h5"
grep -q "training the base" err && fail "the base was trained again"
cmp -s other/shared.h5 runs/tiny/shared.h5 || fail "the shared network is another one"
cmp -s other/search.h5 runs/tiny/search.h5 && fail "the search was taken over too"
expect 0 "$EEX" run tiny.lua --threads 1 --set search.trials=30 --out fresh
results other >a
results fresh >b
cmp -s a b || fail "a run that took over differs from one that did not"

# Other gates: the base alone. Another seed: nothing, and the output says why.
expect 0 "$EEX" run tiny.lua --threads 1 --set gates.blocks=1 --out gates --from runs/tiny
err_has "taken over from runs/tiny: split.h5, base.h5"
grep -q "shared.h5" err && fail "the shared network of other gates was taken over"
err_has "gates.blocks = 0 1"
expect 0 "$EEX" run tiny.lua --threads 1 --seed 3 --out seed --from runs/tiny
err_has "taken over from runs/tiny: nothing"
err_has "seed = 0"

# A run that was killed while it took over goes on with that.
rm other/result.h5 other/final.h5 other/search.h5 other/trace-validation.h5 other/shared.h5
expect 0 "$EEX" run tiny.lua --threads 1 --set search.trials=30 --out other --from runs/tiny
err_has "taken over from runs/tiny: shared.h5, trace-validation.h5"
results other >a
cmp -s a b || fail "a run that took over in two goes differs"

# One that has it all says nothing of it when it goes on.
rm other/result.h5
expect 0 "$EEX" run tiny.lua --threads 1 --set search.trials=30 --out other --from runs/tiny
grep -q "taken over" err && fail "a run that goes on tells what it did not take over"

# Latencies are those of a table where one is named.
expect 0 "$EEX" profile --table tiny.lua --threads 1 --structures 2 -o table.h5
expect 0 "$EEX" run tiny.lua --threads 1 --set search.latency_table=table.h5 --out table --from runs/tiny
grep -q "latency.h5" err && fail "measured latencies were taken over in spite of a table"

# The folder itself is refused, and so is one without a run; nothing is removed or begun by that.
expect 2 "$EEX" run tiny.lua --threads 1 --fresh --from runs/tiny
err_has "own folder"
[ -e runs/tiny/result.h5 ] || fail "--fresh removed what --from refused"
expect 1 "$EEX" run tiny.lua --threads 1 --fresh --from runs/tyni
[ -e runs/tiny/result.h5 ] || fail "--fresh removed the run though --from was mistyped"
mkdir empty
expect 1 "$EEX" run tiny.lua --threads 1 --out none --from empty
err_has "empty: there is no run in this folder"
[ -e none/run.h5 ] && fail "a run was begun all the same"
exit 0
