#!/usr/bin/env bash
# A model file is what it holds, whatever it is called and wherever it lies.
. "$(dirname "$0")/lib.sh"
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --out run --threads 1 --seed 1 --set search.trials=6

# Cut without a policy: nobody leaves early, which is a policy too, and can be changed.
exits=$("$EEX" show run --json | grep -o '"node"' | wc -l)
[ "$exits" -ge 2 ] || skip "the search chose no exits"
expect 0 "$EEX" prune run --policy none --exit 2 -o calm.h5
expect 0 "$EEX" infer calm.h5 --split test --json
grep -q '"exit": 1,' out && fail "somebody left early without a policy"
expect 0 "$EEX" tune calm.h5 --policy confidence --macs 90%
expect 1 "$EEX" stream calm.h5 simulated --frames 20 --compare base
err_has "its base is not in it"

# The name of a run's file does not make a run.
mkdir elsewhere
cp calm.h5 elsewhere/final.h5
expect 0 "$EEX" tune elsewhere/final.h5 --policy confidence --macs 90%
expect 0 "$EEX" show elsewhere/final.h5
