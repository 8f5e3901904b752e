# Half of a run copied over another one, a backup put back in part: files of two runs in one folder are
# not believed together, nor thresholds with the weights of another network.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
same="tiny.lua --threads 1 --set training.epochs=1 --set gates.required=true --set gates.blocks={0}"
for seed in 1 2; do
    # shellcheck disable=SC2086
    expect 0 "$EEX" run $same --out run$seed --seed $seed
done
# Of one seed, and so of one split, trained otherwise.
# shellcheck disable=SC2086
expect 0 "$EEX" run $same --out run3 --seed 1 --set training.lr=0.03

mixed() { # FROM FILE: run1 with a file of another run
    rm -rf mixed
    cp -r run1 mixed
    cp "$1/$2" mixed
}
refused() { # FILE COMMAND...: names what was put there, or what it does not go with
    expect 1 "$EEX" "${@:2}"
    err_has "it was made with another"
    err_has "put that one back"
    err_has "$1"
}
users=("show mixed" "tune mixed --accuracy -0.3" "prune mixed --table --no-latency" "adapt mixed --latency 30"
    "infer mixed --split validation" "report mixed -o page.html")
for file in final.h5 final-calibration.h5 final-validation.h5; do
    for from in run2 run3; do
        mixed $from $file
        for user in "${users[@]}"; do
            # shellcheck disable=SC2086
            refused $file $user
        done
        # shellcheck disable=SC2086
        refused $file run $same --out mixed --seed 1
    done
done
mixed run2 split.h5
for user in "${users[@]}"; do
    # shellcheck disable=SC2086
    refused split.h5 $user
done
for file in base.h5 shared.h5 search.h5 policies.h5 result.h5; do
    mixed run2 $file
    refused $file show mixed
done
for file in policies.h5 result.h5; do
    mixed run3 $file
    refused $file show mixed
done

# What was made again as it was is the same, as the remedy asks for it.
rm -rf mixed
cp -r run1 mixed
rm mixed/base.h5 mixed/result.h5
# shellcheck disable=SC2086
expect 0 "$EEX" run $same --out mixed --seed 1
expect 0 "$EEX" show mixed
rm mixed/final-calibration.h5 mixed/result.h5
# shellcheck disable=SC2086
expect 0 "$EEX" run $same --out mixed --seed 1
expect 0 "$EEX" tune mixed --accuracy -0.3
# Of a network that lies alone nothing is asked, nor of one beside another run's files under a name of its own.
mkdir alone
cp run2/final.h5 alone
expect 0 "$EEX" infer alone/final.h5 --split test
cp run2/final.h5 run1/other.h5
expect 0 "$EEX" infer run1/other.h5 --split test

# Thresholds are of a network's weights, which a device's part of it says too.
expect 0 "$EEX" tune run1 --accuracy -0.5 -o policy.h5
expect 0 "$EEX" infer run1 --split test --policy policy.h5
for other in run2 run3; do
    expect 2 "$EEX" infer $other --split test --policy policy.h5
    err_has "policy.h5: its thresholds were tuned for a network of other weights than $other/final.h5 has"
    err_has "eex tune $other/final.h5 -o FILE"
done
for run in run1 run3; do
    expect 0 "$EEX" export $run --front $run-front.h5
done
expect 0 "$EEX" infer run1-front.h5 --split test --policy policy.h5 --remote 127.0.0.1:1
expect 2 "$EEX" infer run3-front.h5 --split test --policy policy.h5 --remote 127.0.0.1:1
err_has "other weights than run3-front.h5 has"
exit 0
