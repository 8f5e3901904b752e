#!/usr/bin/env bash
# eex data from outside: results on stdout, messages on stderr, exit status, downloads from files.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
failed=0

# prints STATUS TEXT ARGUMENTS...: the status, and the text somewhere in what was printed
prints() {
    local status=$1 text=$2 printed
    shift 2
    printed=$("$EEX" "$@" 2>&1)
    local got=$?
    if [ $got != "$status" ]; then
        echo "eex $*: exit status $got, expected $status: $printed"
        failed=1
    elif [[ $printed != *"$text"* ]]; then
        echo "eex $*: printed \"$printed\", expected \"$text\""
        failed=1
    fi
}

prints 0 "make synthetic" data list
prints 0 "usage: eex data" data --help
for command in list get import make info; do
    prints 0 "usage: eex data $command" data $command --help
done
prints 2 "needs a command" data
prints 2 'did you mean "import"' data imprt x y
prints 2 'did you mean "--train"' data make synthetic --trian 3
prints 2 "--train: an integer" data make synthetic --train many
prints 2 "no name for a data set" data make synthetic --name ../x
for words in "import x.h5 $work" "import cifar10.h5 $work" "make synthetic --name x.h5"; do
    prints 2 'leave the ending out, "' data $words
done
[ -e "$EEX_DATA" ] && [ -n "$(ls -A "$EEX_DATA")" ] && { echo "a data set whose name cannot be used was written"; failed=1; }
# What CIFAR's files leave no choice of is refused, each by its name.
for option in "--size 64" "--fit crop" --grey --background "--test 0.2" "--test 0" "--seed 0"; do
    for words in "import cifar10 $work" "import cifar100 $work" "get cifar10" "get cifar100"; do
        prints 2 ": ${option%% *} cannot be followed" data $words $option
    done
done
prints 2 "cifar10: --size, --grey, --seed cannot be followed" data import cifar10 "$work" --seed 3 --grey --size 8
for kind in fine coarse; do
    prints 2 "--labels $kind is for cifar100 alone" data import cifar10 "$work" --labels $kind
    prints 2 "--labels $kind is for cifar100 alone" data import x "$work" --labels $kind
done
prints 2 'unknown fit "stretch"' data import x "$work" --fit stretch
prints 2 "there are caltech101" data get mnist
prints 2 "made, not got" data get synthetic
prints 1 "eex data make synthetic" data info synthetic
prints 1 "get it: eex data get cifar10" data info cifar10

prints 0 "synthetic: 100 training and 50 test images" data make synthetic --train 100 --test 50
[ "$("$EEX" data make synthetic --train 100 --test 50 --force 2>/dev/null)" = \
    "synthetic: 100 training and 50 test images of 32 x 32 in 10 classes, in $EEX_DATA/synthetic.h5" ] ||
    { echo "results belong on stdout, alone"; failed=1; }
prints 0 "synthetic" data list
prints 0 "crescent" data info synthetic
prints 0 '"train": 100' data info synthetic --json
prints 0 "crescent" data info synthetic --sheet "$work/sheet.png"
[ "$(head -c 4 "$work/sheet.png" | tail -c 3)" = PNG ] || { echo "no contact sheet"; failed=1; }
prints 0 "disc" data info --data "$EEX_DATA" synthetic
prints 0 "disc" data info "$EEX_DATA/synthetic.h5"

# damaged data sets
head -c 20000 "$EEX_DATA/synthetic.h5" >"$EEX_DATA/cut.h5"
prints 1 "cut.h5" data info cut
prints 0 "cut.h5" data list
rm "$EEX_DATA/cut.h5"

# image folders, made of the contact sheet
mkdir -p "$work/pictures/cat" "$work/pictures/dog" "$work/broken/cat"
for i in 1 2 3 4 5; do
    cp "$work/sheet.png" "$work/pictures/cat/$i.png"
    cp "$work/sheet.png" "$work/pictures/dog/$i.png"
    echo broken >"$work/broken/cat/$i.png"
done
prints 0 "pets: 8 training and 2 test images of 24 x 24 in 2 classes" \
    data import pets "$work/pictures" --size 24
# All of it to train with, or none of that.
prints 0 "whole: 10 training and 0 test images" data import whole "$work/pictures" --size 8 --test 0
for share in 1 -1 0.95 nan; do
    prints 2 "--test: a number from 0 to 0.9, got \"$share\"" \
        data import none "$work/pictures" --size 8 --test $share
done
cp "$work/broken/cat/1.png" "$work/pictures/cat/9.png"
prints 0 "cat/9.png: neither JPEG, PNG, WebP nor TIFF" data import pets "$work/pictures" --force
prints 0 "1 of 11 files could not be read" data import pets "$work/pictures" --force
# What is there is replaced when that is asked for, and not before.
before=$(sha256sum <"$EEX_DATA/pets.h5")
prints 2 "--force replaces it" data import pets "$work/pictures" --size 8
prints 2 "--force replaces it" data make synthetic --train 5 --test 0 --name pets
[ "$before" = "$(sha256sum <"$EEX_DATA/pets.h5")" ] || { echo "it was replaced unasked"; failed=1; }
# A file there that is no data set never is.
"$EEX" import "$EEX_SOURCE_DIR/tests/fixtures/network_plain.onnx" --dataset nowhere \
    -o "$EEX_DATA/model.h5" >/dev/null 2>&1 || { echo "no model file"; failed=1; }
cp "$EEX_DATA/model.h5" "$EEX_DATA/cifar10.h5"
echo "my notes" >"$EEX_DATA/notes.h5"
kept=$(cat "$EEX_DATA"/{model,cifar10,notes}.h5 | sha256sum)
for force in "" --force; do
    prints 2 'model.h5 is there already, and not what this command writes but a "weights" file' \
        data import model "$work/pictures" $force
    prints 2 'but a "weights" file: it is never replaced' \
        data make synthetic --train 5 --test 0 --name model $force
    prints 2 'but a "weights" file: it is never replaced' data get cifar10 $force
    prints 2 "a damaged file or none of eex's: it is never replaced: remove it" data import notes "$work/pictures" $force
done
[ "$kept" = "$(cat "$EEX_DATA"/{model,cifar10,notes}.h5 | sha256sum)" ] ||
    { echo "a file that is no data set was replaced"; failed=1; }
rm "$EEX_DATA"/{model,cifar10,notes}.h5
# Of several pages the first is taken, and that is said once, with their number.
python3 - "$work/pictures/cat" <<'PY' || failed=1
import struct, sys
out, at = bytearray(b"II*\0" + bytes(4)), 4
for _ in range(3):
    out[at:at + 4] = struct.pack("<I", len(out))
    tags = [(256, 2), (257, 2), (258, 8), (259, 1), (262, 1), (273, 0), (277, 1), (278, 2), (279, 4)]
    out += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, n) for tag, n in tags)
    at = len(out)
    out += bytes(4)
for name in "xy":
    open(f"{sys.argv[1]}/{name}.tif", "wb").write(out)
PY
prints 0 "2 of 12 images have several pages or frames: the first of each was taken" \
    data import pages "$work/pictures" --size 8
rm "$work"/pictures/cat/?.tif
# Parts of which nothing could be read.
mkdir -p "$work/parts"
cp -r "$work/pictures" "$work/parts/train"
cp -r "$work/broken" "$work/parts/test"
prints 0 "none of the 5 test images could be read: the data set has none" \
    data import parts "$work/parts" --size 8
echo "my notes" >"$work/notes.txt"
prints 2 "$work/notes.txt is a file: expected a folder of images" data import none "$work/notes.txt"
prints 2 "argument 2 is an empty text, which names nothing" data import none ""
prints 2 "--force replaces it" data info pets --sheet "$work/notes.txt"
[ "$(cat "$work/notes.txt")" = "my notes" ] || { echo "notes were overwritten"; failed=1; }
prints 0 "pets" data info pets --sheet "$work/notes.txt" --force

# A layout of parts makes no classes of them, and a doubt is said.
mkdir -p "$work/turned/cat" "$work/turned/dog"
cp -r "$work/pictures/cat" "$work/turned/cat/train"
cp -r "$work/pictures/cat" "$work/turned/cat/test"
prints 1 '"cat" holds "train" and "test"' data import turned "$work/turned" --size 8
[ -e "$EEX_DATA/turned.h5" ] && { echo "parts became classes"; failed=1; }
mkdir "$work/flat"
cp -r "$work/pictures/cat" "$work/flat/train"
cp -r "$work/pictures/cat" "$work/flat/test"
prints 0 'warning: '"$work"'/flat: "test" and "train" are taken for classes' \
    data import flat "$work/flat" --size 8
# What one may not look into is counted, be it a file or a folder.
as=() shut=$work/shut
[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
mkdir -p "$shut"
chmod 777 "$work" "$shut" # whoever it is
if "${as[@]}" mkdir "$shut/in" "$shut/in"/{a,b,c} "$shut/in/a"/{deep,blind} 2>/dev/null &&
    (cd "$shut" && "${as[@]}" test -x "$EEX"); then
    for to in a a/deep a/blind b c; do
        "${as[@]}" cp "$work/pictures/cat/1.png" "$work/pictures/cat/2.png" "$shut/in/$to"
    done
    "${as[@]}" chmod 000 "$shut/in/a/deep" "$shut/in/b" "$shut/in/c/1.png"
    "${as[@]}" chmod 444 "$shut/in/a/blind"
    said=$("${as[@]}" env EEX_DATA="$shut" "$EEX" data import shut "$shut/in" --size 8 2>&1) ||
        { echo "folders that may not be listed end an import: $said"; failed=1; }
    for text in "2 folders that cannot be listed ($shut/in/a/deep)" "3 of 6 files could not be read" \
        "2 things that are there" "in 2 classes"; do
        [[ $said = *"$text"* ]] || { echo "importing as nobody: no \"$text\" in: $said"; failed=1; }
    done
else
    echo "not tested: folders that may not be listed (no setpriv, or the program is out of reach)"
fi
chmod -R u+rwx "$shut"

# What is the same in every image does not deviate, whatever it is divided by.
python3 - "$work/constant/a" <<'PY' || failed=1
import os, struct, sys, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
os.makedirs(sys.argv[1])
for i in range(3):
    rows = b"".join(b"\0" + bytes([100, 40 * i, 7]) * 8 for _ in range(8))
    open(f"{sys.argv[1]}/{i}.png", "wb").write(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)) +
        chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
PY
prints 0 "" data import constant "$work/constant" --size 8 --test 0
prints 0 "std      0.0000 0.1281 0.0000" data info constant
[ "$("$EEX" data info constant --json | tr -d ' \n' | grep -c '"std":\[0,0.128[0-9]*,0\]')" = 1 ] ||
    { echo "a constant channel deviates in --json"; failed=1; }

# Names from files do not reach the terminal as they are.
mkdir -p "$work/odd/"$'a\e[31mred'
cp "$work/pictures/cat/1.png" "$work/pictures/cat/2.png" "$work/odd/"$'a\e[31mred'
prints 0 "" data import odd "$work/odd" --size 8
"$EEX" data info odd | grep -q $'\e' && { echo "control characters on the terminal"; failed=1; }
mkdir -p "$work/marks/a"$'\xe2\x80\xae'b "$work/marks/c"$'\xe2\x81\xa6'd$'\xe2\x80\xa8'e
for class in "$work"/marks/*; do cp "$work"/pictures/cat/[12].png "$class"; done
prints 0 "" data import marks "$work/marks" --size 8
prints 0 "a???b" data info marks
prints 0 "c???d???e" data info marks
# Nor do they break a line, or leave it open what they are.
mkdir -p "$work/lines/"$'a\nwarning: forged'
cp "$work"/pictures/cat/[12].png "$work/lines/"$'a\nwarning: forged'
echo broken >"$work/lines/"$'a\nwarning: forged/3\nb.png'
echo >"$work/lines/"$'stray\nb\t.txt'
prints 0 'stray\nb\t.txt)' data import lines "$work/lines" --size 8
prints 0 '3?b.png: neither' data import lines "$work/lines" --size 8 --force
prints 0 'a?warning: forged' data info lines
"$EEX" data import lines "$work/lines" --size 8 --force 2>&1 | grep -qE '^(warning: forged|b)' &&
    { echo "a name broke a line"; failed=1; }
mv "$work/lines" "$work/"$'li\nnes'
prints 0 "" data import lines "$work/"$'li\nnes' --size 8 --force
prints 0 'image folder li\nnes:' data info lines
# Folders whose names differ in what hardly shows are classes of their own, which is said.
for class in train/{Dog,hot\ dog,cat} val/{dog,"dog ",hotdog,cat} val/$'dog\xc2\xa0'; do
    mkdir -p "$work/alike/$class"
    cp "$work/pictures/cat/1.png" "$work/alike/$class"
done
prints 0 '"Dog", "dog", "dog " and "dog\u00a0" are taken as different classes' \
    data import alike "$work/alike" --size 8
prints 0 '"hot dog" and "hotdog" are taken as different classes' \
    data import alike "$work/alike" --size 8 --force
prints 0 "rename or merge the folders" data import alike "$work/alike" --size 8 --force
prints 0 "in 7 classes" data import alike "$work/alike" --size 8 --force
[ "$("$EEX" data import alike "$work/alike" --size 8 --force 2>&1 | grep -c "taken as different")" = 2 ] ||
    { echo "other classes than those are said to be alike"; failed=1; }
"$EEX" data import alike "$work/pictures" --size 8 --force 2>&1 | grep -q "taken as different" &&
    { echo "cat and dog are said to be alike"; failed=1; }
# An accent is stored with its letter or behind it.
mkdir -p "$work/accents/caf"$'\xc3\xa9' "$work/accents/cafe"$'\xcc\x81' "$work/accents/cafe"
for class in "$work"/accents/*; do cp "$work/pictures/cat/1.png" "$class"; done
prints 0 '"cafe\u0301" and "caf'$'\xc3\xa9''" are taken as different classes' \
    data import accents "$work/accents" --size 8
# Letters are alike in pairs, all of them: the first few are shown.
for letter in {A..G} {a..g}; do
    mkdir -p "$work/letters/$letter"
    cp "$work/pictures/cat/1.png" "$work/letters/$letter"
done
prints 0 "and 2 more such groups" data import letters "$work/letters" --size 8
[ "$("$EEX" data import letters "$work/letters" --size 8 --force 2>&1 | grep -c "taken as different")" = 5 ] ||
    { echo "not five groups of names that are alike are shown"; failed=1; }
# Names of classes are text.
mkdir -p "$work/latin/caf"$'\xe9' "$work/latin/dog"
cp "$work/pictures/cat/1.png" "$work/latin/caf"$'\xe9'
cp "$work/pictures/cat/1.png" "$work/latin/dog"
prints 1 "latin: 1 of the 2 classes' folders have names that are not UTF-8, as names are stored, the first \"caf\\xe9\": rename them" \
    data import latin "$work/latin" --size 8
for part in train val test; do
    mkdir -p "$work/latins/$part/dog"
    cp "$work/pictures/cat/1.png" "$work/latins/$part/dog"
done
for part in test val train; do # each time the first one that there is
    mkdir -p "$work/latins/$part/caf"$'\xe9'
    cp "$work/pictures/cat/1.png" "$work/latins/$part/caf"$'\xe9'
    prints 1 "latins/$part: 1 of the 2 classes' folders" data import latin "$work/latins" --size 8
done
rm -r "$work/latins/"*/caf* "$work/latins/test" # what there is to choose with becomes the test
mkdir "$work/latins/val/caf"$'\xe9'
cp "$work/pictures/cat/1.png" "$work/latins/val/caf"$'\xe9'
prints 1 "latins/val: 1 of the 2 classes' folders" data import latin "$work/latins" --size 8
[ -e "$EEX_DATA/latin.h5" ] && { echo "names that are no text were stored"; failed=1; }
prints 1 "none of the 5 image files" data import other "$work/broken"
prints 1 "no such folder" data import other "$work/nowhere"
[ -e "$EEX_DATA/other.h5" ] && { echo "a failed import left a file"; failed=1; }

# a read-only data folder
if [ "$(id -u)" != 0 ]; then
    mkdir "$work/readonly"
    chmod 555 "$work/readonly"
    prints 1 "Permission denied" data make synthetic --train 10 --test 0 --data "$work/readonly"
fi

# getting: a descriptor of our own with a file: address, so that no network is needed
mkdir -p "$work/share/datasets"
rm "$work/pictures/cat/9.png"
tar -C "$work" -czf "$work/pets.tar.gz" pictures
describe() {
    cat >"$work/share/datasets/pets.txt" <<END
# for this test
title = Pets
url = file://$1
file = pets.tar.gz
size = $(stat -c %s "$work/pets.tar.gz")
md5 = $(md5sum <"$work/pets.tar.gz" | cut -d' ' -f1)
sha256 = $2
layout = folder
END
}
sha=$(sha256sum <"$work/pets.tar.gz" | cut -d' ' -f1)
export EEX_SHARE=$work/share
rm "$EEX_DATA/pets.h5"

if "$EEX" data get pets 2>&1 | grep -q "without libcurl"; then
    echo "this build cannot download: the rest is skipped"
    exit $failed
fi
describe "$work/pets.tar.gz" "$sha"
prints 0 "pets: 8 training and 2 test images" data get pets
prints 0 "there already" data get pets
prints 0 "pets" data list
[ -e "$EEX_DATA/downloads/pets.unpacked" ] && { echo "what was unpacked stayed"; failed=1; }

# an interrupted download goes on: the first bytes are there already
rm "$EEX_DATA/downloads/pets.tar.gz"
head -c 1000 "$work/pets.tar.gz" >"$EEX_DATA/downloads/pets.tar.gz.download"
prints 0 "pets: 8 training" data get pets --force
cmp -s "$work/pets.tar.gz" "$EEX_DATA/downloads/pets.tar.gz" || { echo "the download differs"; failed=1; }

# a wrong checksum, a server that is not there, a broken archive, a broken descriptor
describe "$work/pets.tar.gz" "${sha//[0-9]/0}"
prints 1 "its SHA-256 is $sha, expected" data get pets --force
[ -e "$EEX_DATA/downloads/pets.tar.gz" ] && { echo "a damaged archive stayed"; failed=1; }
describe "$work/nowhere.tar.gz" "$sha"
prints 1 "By hand: download file://$work/nowhere.tar.gz" data get pets --force
head -c 3000 "$work/pets.tar.gz" >"$work/cut" && mv "$work/cut" "$work/pets.tar.gz"
describe "$work/pets.tar.gz" ""
prints 1 "tar could not unpack" data get pets --force
prints 0 "pets" data info pets # the old one is still whole
echo "colour = blue" >>"$work/share/datasets/pets.txt"
prints 1 'pets.txt:9: unknown key "colour"' data get pets --force

exit $failed
