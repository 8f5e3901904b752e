#!/usr/bin/env bash
# eex export --c: plain C99 that decides about every image as eex does, in the memory that it says.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
[ -d "$EEX_SOURCE_DIR/export/c99" ] || skip "the kernels are not here"
command -v make >/dev/null && command -v cc >/dev/null || skip "there is no make or no cc"
command -v h5dump >/dev/null || skip "there is no h5dump"
warnings="-Wall -Wextra -Werror -pedantic -Wno-unknown-pragmas"

make_data
write_experiment tiny.lua
h5dump -d /test/images -b LE -o images "$work/data/tiny.h5" >/dev/null || fail "no images"

# agree FLAGS MODEL OPTIONS...: built with these flags, the program says what eex says.
agree() {
    local flags=$1 model=$2
    shift 2
    expect 0 "$EEX" export "$model" --c c --force "$@"
    expect 0 make -s -C c clean all CFLAGS="$flags $warnings"
    expect 0 "$EEX" infer "$model" --split test --threads 1 --json "$@"
    sed 's/.*"class": \([0-9]*\),.*"exit": \([0-9]*\),.*"accepted": \([a-z]*\),.*/\1 \2 \3/
         s/true/1/; s/false/0/' "$work/out" >said
    [ -z "${alone:-}" ] || sed -i 's/ [0-9]* / 1 /' said # the end is its only exit
    expect 0 c/model <images
    cut -d' ' -f1-3 "$work/out" >got
    [ "$(wc -l <got)" -eq 60 ] || fail "not every image"
    diff said got >"$work/err" || fail "they decide differently: $model $*"
}
exits() { # N: so many exits are taken
    [ "$(cut -d' ' -f2 got | sort -u | wc -l)" -ge "$1" ] || fail "fewer than $1 exits are taken"
}

expect 0 "$EEX" run tiny.lua --out run --threads 1 --set training.epochs=4 --set search.trials=4 \
    --set search.population=2 --set policy.kind=margin --set gates.required=true
agree "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all" run
grep -q "^#define MODEL_MEMORY [0-9]* " c/model.h || fail "the memory is no constant"
! grep -E "(malloc|calloc|alloca) *\\(|stdlib" c/*.[ch] || fail "it allocates"
agree "-O2" run --policy margin --threshold 0.004
exits 2
agree "-O3 -march=native -ffp-contract=fast" run --policy confidence --threshold 0.119
exits 2
agree "-O2" run --policy entropy --threshold 2.296
exits 2
alone=yes agree "-O2" run --policy none
for by in score distance; do
    expect 0 "$EEX" tune run --accuracy -0.9 --reject 0.3 --reject-by $by -o $by.h5
    agree "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all" run --policy $by.h5
    grep -q ' 0$' got || fail "nothing is rejected by $by"
done

# MobileNetV3's layers and gates, at another size than the images have; a plain network with a
# linear layer on all pixels, and channels that no vector's length divides.
sed 's/^  backbone = backbone(),/  backbone = eex.backbones.mobilenet_v3 { size = 24, classes = 10, width = 0.25, depths = 1, strides = {1, 2, 1, 1, 2} },/
     s/gates = { blocks = { 0, 1 } }/gates = { family = "eec", blocks = { 1 } }/' tiny.lua >v3.lua
sed 's/^  backbone = backbone(),/  backbone = eex.backbones.vgg { size = 32, classes = 10, depth = 11, width = 0.125, hidden = 20, batch_norm = true },\n  saliency = { "features.7", "features.14" },/' tiny.lua >vgg.lua
# Groups of channels, and SiLU.
sed 's/"block" .. i, { out = 8, kernel = 3 }/"block" .. i, { out = 8, kernel = 3, groups = 2 }/; s/"relu"/"silu"/' tiny.lua >groups.lua
for network in v3 vgg groups; do
    expect 0 "$EEX" run $network.lua --out $network --threads 1 --set training.epochs=1 \
        --set search.trials=2 --set search.population=2
    agree "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all" $network
    agree "-O3 -march=native" $network
done

# A gate that says the same of every image, whose score is then a threshold.
sed 's/gates = .*/gates = { family = "residual", blocks = { 1 }, required = true },\n  saliency = { "add1", "add2" },/' tiny.lua >same.lua
expect 0 "$EEX" run same.lua --out same --threads 1 --set training.epochs=2 --set search.trials=4 \
    --set search.population=2
agree "-O2" same

# Names of classes are texts of C whatever is in them; the end of an image is missed.
head -c 100 images >part
expect 1 c/model <part
err_has "the last image has 100 of 3072 bytes"

# Whole or not at all, as on a full disk.
expect 1 bash -c "ulimit -f 20 && '$EEX' export run --c fresh"
[ ! -e fresh ] || fail "a part of an export stays: $(ls -a fresh)"
cksum c/*.[ch] >before
expect 1 bash -c "ulimit -f 20 && '$EEX' export run --base --c c --force"
cmp -s before <(cksum c/*.[ch]) || fail "an export that failed has changed one that is there"
[ -z "$(ls -A c | grep part)" ] || fail "parts stay"

# What is there already stays.
expect 2 "$EEX" export run --c c
err_has "kernels.c is there already: --force replaces it"
expect 1 "$EEX" export run --c tiny.lua
err_has "is a file"
expect 2 "$EEX" export run --c other --all-exits
[ ! -e other ] || fail "a folder was made"
expect 0 "$EEX" export run --base --c "deep/er"
[ -s deep/er/model.c ] || fail "no model.c"
exit 0
