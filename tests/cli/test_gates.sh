# Points that always have a gate, and what gates are made of: counted, searched, run and told.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1

# says TEXT ARGUMENTS...: the command's output, blanks squeezed, has the text
says() {
    local text=$1
    shift
    expect 0 "$EEX" "$@"
    tr -s ' \n' ' ' <"$work/out" | grep -qF -- "$text" || fail "$*: no \"$text\""
}
# refused TEXT ARGUMENTS...
refused() {
    local text=$1
    shift
    expect 2 "$EEX" "$@"
    err_has "$text"
}

make_data
write_experiment tiny.lua
required=(--set gates.required=true)
one=("${required[@]}" --set gates.blocks=1)

# counted
says "3 salient points each has a gate, of 2 block counts to choose from: 2^3.0" cost tiny.lua --points \
    "${required[@]}"
says "each has a gate, of 1 block count to choose from: 2^0.0" cost tiny.lua --points "${one[@]}"
says '"placements_with_saliency": 0' cost tiny.lua --points --json "${one[@]}"
says '"structures_with_saliency": 3' cost tiny.lua --points --json "${required[@]}"
says "smallest: genome 0,0,0" cost tiny.lua --extremes "${required[@]}"
says "largest: genome 1,1,1" cost tiny.lua --extremes "${required[@]}"
says "genome 0,1,0" cost tiny.lua --genome 0,1,0 "${required[@]}"
refused 'has one of 0 1 blocks, not - (gates.required: each point has one)' cost tiny.lua \
    --genome 0,-,1 "${required[@]}"
says "genome 0,-,1" cost tiny.lua --genome 0,-,1
refused 'gates.max_exits: 0, or as many as there are points' run tiny.lua --out wrong "${required[@]}" \
    --set gates.max_exits=2
for family in blocks strided residual; do
    refused "gates.channels: of pooled and linear gates, but gates.family is \"$family\"" run tiny.lua --out wrong \
        --set gates.family=$family --set gates.channels=4
done
refused 'gates.channels: an integer in 1..65536, got 0' run tiny.lua --out wrong --set gates.channels=0
[ -e wrong ] && fail "a refused run left its folder"

experiments=$EEX_SOURCE_DIR/experiments
if [ -d "$experiments" ]; then
    says "total 21 23,272,266 62,742,528 62,877,706" cost "$experiments/edanas_baselines_alexnet.lua"
    says "total 33 28,328,522 247,177,216" cost "$experiments/edanas_baselines_vgg13.lua"
    says "total 68 11,173,962 555,422,720" cost "$experiments/edanas_baselines_resnet18.lua"
    says "total 10 4,259,274 19,769,344" cost "$experiments/edanas_baselines_cnn.lua"
    for row in "alexnet 5" "vgg13 9" "resnet18 9" "cnn 1"; do
        says "${row#* } salient point$([ "${row#* }" = 1 ] || echo s) each has a gate, of 1 block count" cost \
            "$experiments/edanas_baselines_${row% *}.lua" --points
    done
fi

# searched: all eight, and only the one that there is
expect 0 "$EEX" run tiny.lua --threads 1 --out eight "${required[@]}" --set search.algorithm=exhaustive
err_has "searching: exhaustive, 20 trials, 2^3.0 structures"
says "8 trials: all 8 structures tried" show eight
expect 0 "$EEX" run tiny.lua --threads 1 --out one "${one[@]}" --set policy.kind=entropy \
    --set policy.tune=accuracy
err_has "2^0.0 structures"
says "1 trial: the only 1 structure tried" show one
says "1:1 2:1 3:1" show one
says "add2 1" show one
[ "$("$EEX" show one --json | grep -c '"blocks": 1')" -ge 3 ] || fail "not three gates of one block"

# what one is trained as, it is: the shared network's weights are the final ones
results one >first
expect 0 "$EEX" run tiny.lua --threads 1 --out again "${one[@]}" --set policy.kind=entropy \
    --set policy.tune=accuracy --set search.algorithm=random --set search.trials=1
results again >second
grep -v -e '"trials"' -e '"algorithm"' -e '"name"' first >a
grep -v -e '"trials"' -e '"algorithm"' -e '"name"' second >b
cmp a b || fail "another result of the same single structure"

# other thresholds and cuts work as with any run
expect 0 "$EEX" tune one --accuracy -0.5 -o policy.h5
expect 0 "$EEX" prune one --exit 2 -o cut.h5
expect 0 "$EEX" profile --table tiny.lua --threads 1 --structures 2 -o table.h5 "${one[@]}"
expect 0 "$EEX" run tiny.lua --threads 1 --out timed --from one "${one[@]}" --set search.cost=latency \
    --set search.latency_table="$PWD/table.h5"
refused "the space has a single candidate: there is no order to rank" rank one

# other families: trained, kept in a file, opened from it
for family in pooled strided residual linear; do
    channels=
    case $family in pooled | linear) channels="--set gates.channels=4" ;; esac
    # shellcheck disable=SC2086
    expect 0 "$EEX" run tiny.lua --threads 1 --out $family --set gates.family=$family $channels --set search.trials=5 --set search.score=accuracy \
        --set training.epochs=1 "${required[@]}" --set gates.blocks='{1,2}'
    cp $family/final.h5 $family.h5
    expect 0 "$EEX" prune $family --exit 3 --alone -o $family-cut.h5
    expect 0 "$EEX" infer $family.h5 --split test --json
done
says "genome 1,2,1" cost tiny.lua --genome 1,2,1 --set gates.family=strided --set 'gates.blocks={1,2}'
# 8 x 4 x 9 MACs for each of 8 x 8 pixels, then 4 channels of 4 x 4 pixels to 10 classes
says "1 add1 1 50,688 19,072 69,760" cost tiny.lua --genome 1,-,- --set gates.family=pooled \
    --set gates.channels=4 --set gates.blocks=1
exit 0
