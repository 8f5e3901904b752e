# eex prune --filters: really fewer filters, trained on, in a model file that every command takes.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1 --set gates.required=true --set search.trials=1
run=runs/tiny
value() { # KEY: of the last JSON
    tr -d ' \n' <out | sed -n "s/.*\"$1\":\([0-9.e+-]*\).*/\1/p"
}

expect 0 "$EEX" prune $run --filters 0.25 --epochs 0 -o plain.h5 --json --threads 1
[ "$(value gone)" -gt 0 ] && [ $((4 * $(value gone))) -le "$(value filters)" ] || fail "not a quarter"
[ "$(value params)" -lt "$(value params_before)" ] || fail "no fewer parameters"
macs=$(value macs)
[ "$macs" -lt "$(value macs_before)" ] || fail "it costs no less"
cut=$(value cut)

# What it costs is what the file says, up to the exit that it was pruned to.
expect 0 "$EEX" show plain.h5 --json
out_has "$macs"
expect 0 "$EEX" infer plain.h5 --split test --threads 1
expect 0 "$EEX" infer plain.h5 --split test --to-end --threads 1

expect 0 "$EEX" show plain.h5
out_has "made of runs/tiny/final.h5, with all of its exits"

# A share that takes nothing makes no file.
expect 2 "$EEX" prune $run --filters 0.001 --epochs 0 -o none.h5 --threads 1
err_has "a share of 0.001 takes no filter out of any layer"
[ ! -e none.h5 ] || fail "a network that lost nothing was written"

# The same again, and trained on: another network of the same size.
expect 0 "$EEX" prune $run --filters 0.25 --epochs 0 -o again.h5 --threads 1
out_has "filters up to exit $cut are gone"
cmp -s plain.h5 again.h5 || fail "another file the second time"
expect 0 "$EEX" prune $run --filters 0.25 --epochs 1 --batch 16 --no-augment -o trained.h5 --json --threads 1
[ "$(value macs)" = "$macs" ] || fail "training changes what it costs"
cmp -s plain.h5 trained.h5 && fail "nothing was trained"
ls | grep -q checkpoint && fail "a checkpoint is left"

# Up to the first exit fewer can go; without gates it is the whole network.
filters=$(value filters)
expect 0 "$EEX" prune $run --filters 0.25 --cut 1 --epochs 0 -o first.h5 --json --threads 1
[ "$(value filters)" -lt "$filters" ] || fail "as many filters up to the first exit as to the last"
expect 0 "$EEX" prune $run/base.h5 --filters 0.5 --epochs 0 -o base.h5 --json --threads 1
[ "$(value macs)" -lt "$(value macs_before)" ] || fail "the whole costs no less"

# It is cut between a device and a server like any other, and compared with.
expect 0 "$EEX" adapt $run --filtered plain.h5 --device-gflops 0.004 --latency 1000 --threads 1
out_has "static, filters"
expect 0 "$EEX" prune $run --filters 0.5 --epochs 0 -o half.h5 --threads 1
expect 0 "$EEX" bottleneck half.h5 -o small.h5 --epochs 1 --more-epochs 1 --batch 16 --no-augment --threads 1

refused() { # TEXT OPTION...
    local text=$1
    shift
    expect 2 "$EEX" prune $run "$@"
    err_has "$text"
}
refused "above 0 and below 1" --filters 0 -o x.h5
refused "above 0 and below 1" --filters 1 -o x.h5
refused "where to write" --filters 0.1
refused "cuts nothing" --filters 0.1 --exit 1 -o x.h5
refused "--epochs goes with --filters" --epochs 3 --exit 1 -o x.h5
refused "up to exit 99" --filters 0.1 --cut 99 -o x.h5
refused "--force" --filters 0.1 -o plain.h5
exit 0
