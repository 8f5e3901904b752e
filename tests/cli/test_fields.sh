# Mistakes in experiment files: what is wrong, where, and what was expected. Exit status 2.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
expect 0 "$EEX" help fields
out_has 'search.population = 50'
out_has 'aging, nsga2: how many candidates live (a positive integer)'
out_has 'final.epochs = 0'

write_experiment tiny.lua

# refused ASSIGNMENT MESSAGE
refused() {
    expect 2 "$EEX" run tiny.lua --set "$1"
    err_has "$2"
    err_has "--set $1"
    ! grep -q "^error: tiny.lua: " "$work/err" || fail "the file is blamed for --set $1"
}
refused search.population=twenty 'search.population: a positive integer, got "twenty"'
refused search.popluation=20 'search.popluation: no such field, did you mean "population"?'
refused serach.trials=3 'serach: no such field, did you mean "search"?'
refused search.algorithm=agin 'search.algorithm: one of "aging", "random", "exhaustive", "nsga2" and "surrogate", got "agin"'
expect 2 "$EEX" run tiny.lua --set search.algorithm=nsga2 --set search.population=1 --set search.sample=1
err_has 'search.population: at least 2 for nsga2, got 1'
refused search.initial=1 'search.initial: an integer of 2 or more, got 1'
refused search.batch=0 'search.batch: a positive integer, got 0'
refused search.sample=9 'search.sample: from 1 to search.population, got 9'
refused search.min_accuracy=86 'search.min_accuracy: a number in 0..1, got 86'
refused training.lr=fast 'training.lr: a positive number, got "fast"'
refused training.lr=0 'training.lr: a positive number, got 0'
# What would be zero or infinite as the float32 that it is calculated with; ends of ranges are within.
for lost in 1e-50 1e39; do
    for field in training.lr final.lr training.gate_weight predictor.lr rivals.lr; do
        refused "$field=$lost" "$field: a"
        err_has "as a float32 too, whose amounts are 1.2e-38 to 3.4e+38, got 1e"
    done
done
refused training.clip=1e-50 'training.clip: a number of at least 0 as a float32 too'
refused training.optimizer.eps=9e-13 'training.optimizer.eps: a number in 1e-12..1, got 9e-13'
expect 0 "$EEX" cost tiny.lua --set training.optimizer.eps=1e-12 --set training.ema=0.999999 \
    --set training.optimizer.beta2=0.999999 --set training.distill.temperature=0.01
refused training.epochs=0 'training.epochs: a positive integer, got 0'
refused training.optimizer.kind=adam 'training.optimizer.kind: one of "sgd" and "adamw", got "adam"'
refused training.schedule=cosin 'training.schedule: one of'
refused precision=bfloat16 'precision: one of "float32", "tf32" and "bfloat16-products", got "bfloat16"'
refused training.precision=half \
    'training.precision: one of "float32", "tf32", "bfloat16" and "bfloat16-products", got "half"'
refused training.regime=sandwich 'training.regime: "sandwich" is for elastic backbones'
refused training.shrink.kernel=-1 'training.shrink.kernel: an integer of 0 or more, got -1'
refused candidate.regime=jiont 'candidate.regime: one of'
refused final.from=base 'final.from'
refused gates.blocks='{2, 1}' 'gates.blocks: each block count once, in ascending order'
refused gates.blocks='{1, "2"}' 'gates.blocks[2]'
refused gates.act=tanh 'gates.act: one of'
refused policy.kind=per_clas 'policy.kind: one of'
refused policy.temperature=warm 'policy.temperature: one of "fitted"'
refused partition.latency=1e-7 'partition.latency: 0, or at least 1e-06, got 1e-07'
expect 2 "$EEX" run tiny.lua --set partition.latency=1 --set partition.device_gflops=1e-300
err_has 'error: --set partition.device_gflops=1e-300: partition.device_gflops: a number in 1e-06..1e+09, got 1e-300'
expect 2 "$EEX" run tiny.lua --set partition.latency=1 --set partition.server_gflops=1e-9
err_has 'partition.server_gflops: 0, or at least 1e-06, got 1e-09'

# Thresholds of a policy lie where its scores do: beyond them nobody leaves, or everybody.
for kind in confidence margin; do
    for wrong in policy.a=2 policy.a=-0.1 policy.b=1.5 "gates.thresholds={0.5,2}"; do
        expect 2 "$EEX" run tiny.lua --set policy.kind=$kind --set "$wrong"
        err_has "${wrong%%=*}: a threshold of "
        err_has " for the $kind: expected 0 to 1"
    done
    expect 0 "$EEX" cost tiny.lua --set policy.kind=$kind --set policy.a=1 --set policy.b=0
    expect 0 "$EEX" cost tiny.lua --set policy.kind=$kind --set 'gates.thresholds={0,1}'
done
expect 2 "$EEX" run tiny.lua --set policy.kind=entropy --set policy.a=-3
err_has 'policy.a: a threshold of -3 for the entropy: expected at least 0 nats'
expect 2 "$EEX" run tiny.lua --set policy.kind=entropy --set 'gates.thresholds={0.1}'
err_has 'gates.thresholds: minus the entropy, where policy.kind is "entropy": at most 0, got 0.1'
expect 0 "$EEX" cost tiny.lua --set policy.kind=entropy --set policy.a=0 --set policy.b=7
expect 0 "$EEX" cost tiny.lua --set policy.a=-3 --set policy.b=3
refused dataset=nil 'dataset: a table, got nothing'
refused dataset.calibration=-1 'dataset.calibration'
refused dataset.augment=yes 'dataset.augment: a table {crop, flip, cutout, jitter}, or false, got "yes"'
refused backbone=mobilenetv2 'backbone: a finished network'
refused saliency=residual_merge 'saliency: one of'
refused saliency='{"add9"}' 'saliency[1]'
refused name=a/b 'name: letters, digits'
refused search.population.x=1 '"population" is a number and has no fields'
refused search 'expected FIELD=VALUE'

# Whose mistake it is: the last assignment that it is about; the file's, if it is about none; both, if
# it is about a field beside one that was set.
expect 2 "$EEX" run tiny.lua --set seed=1 --set training.lr=1 --set training='{epohcs=3}' --set name=x
err_has "error: --set training={epohcs=3}: training.epohcs: no such field"
sed 's/population = 5/population = -5/' tiny.lua >wrong.lua
expect 2 "$EEX" run wrong.lua --set training.lr=0.1
err_has "error: wrong.lua: search.population: a positive integer, got -5"
sed 's/sample = 2/sample = 7/' tiny.lua >wrong.lua
expect 2 "$EEX" run wrong.lua --set search.population=6
err_has "error: --set search.population=6: search.sample: from 1 to search.population, got 7"
expect 2 "$EEX" run tiny.lua --set policy.tune=macs
err_has "error: tiny.lua with --set policy.tune=macs: policy.target: "
expect 2 "$EEX" run tiny.lua --set nonsense
err_has "error: --set nonsense: expected FIELD=VALUE"

expect 1 "$EEX" run tiny.lua --device tpu
err_has 'no device "tpu"'
expect 1 "$EEX" run missing.lua
err_has "missing.lua"
expect 1 "$EEX" run tiny.lua
err_has 'tiny'
err_has "eex data"
[ -e runs/tiny/run.h5 ] && fail "a run without its data set left something behind"

# The script itself: file and line.
printf 'return {\n  name = "x",\n  oops(\n}\n' >broken.lua
expect 2 "$EEX" run broken.lua
err_has "broken.lua:4"
printf 'local t = nil\nreturn t.x\n' >failing.lua
expect 2 "$EEX" run failing.lua
err_has "failing.lua:2"
printf 'return 7\n' >number.lua
expect 2 "$EEX" run number.lua
err_has "a table, got 7"

# What a script's own function says has its file and line already: it is not named twice.
sed 's/  gates = /  saliency = eex.saliency.ranked { metric = function() error("mine") end, count = 2, from = "all" },\n  gates = /
     /^  saliency = [^e]/d' tiny.lua >own.lua
for command in "run own.lua" "cost own.lua"; do
    # shellcheck disable=SC2086
    expect 2 "$EEX" $command
    grep -qE "^error: own\.lua:[0-9]+: mine$" err || fail "eex $command: $(cat err)"
done
exit 0
