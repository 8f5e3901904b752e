#!/usr/bin/env bash
# A model file is what it holds, whatever it is called and wherever it lies.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --out run --threads 1 --seed 1 --set search.trials=6

# Without a policy nobody would leave at the exits in front: one exit alone needs none.
expect 2 "$EEX" prune run --policy none --exit 2 -o calm.h5
err_has "keeps one exit alone"
expect 0 "$EEX" prune run --policy none --exit 2 --alone -o calm.h5
expect 0 "$EEX" infer calm.h5 --split test

# The name of a run's file does not make a run.
expect 0 "$EEX" prune run --exit 2 -o two.h5
mkdir elsewhere
cp two.h5 elsewhere/final.h5
expect 0 "$EEX" tune elsewhere/final.h5
expect 0 "$EEX" show elsewhere/final.h5
expect 1 "$EEX" stream elsewhere/final.h5 simulated --frames 20 --compare base
err_has "its base is not in it"
