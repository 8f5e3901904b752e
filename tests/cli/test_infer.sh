# eex infer: what it says about files, folders and splits, and that nothing but the image decides.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1
run=runs/tiny

# What decides about an image: everything but the time that it took.
decisions() {
    sed 's/, "latency_ms": [^,}]*//' out
}

# A split, in every batch size and with every number of threads.
expect 0 "$EEX" infer $run --split test --json
err_has "right: "
[ "$(wc -l <out)" = 60 ] || fail "not a line for each of 60 images"
decisions >one
for options in "--batch 7" "--batch 60" "--batch 4096" "--threads 1" "--threads 2 --batch 16"; do
    # shellcheck disable=SC2086
    expect 0 "$EEX" infer $run --split test --json $options
    decisions >other
    cmp -s one other || fail "$options changed a decision"
done
for split in validation calibration train; do
    expect 0 "$EEX" infer $run --split $split --json
    out_has "\"split\": \"$split\""
done

# The accuracy is the one that the run has stored.
if command -v python3 >/dev/null; then
    "$EEX" show $run --json >show.json || fail "no results"
    python3 - one show.json <<'PY' || fail "the lines are not what was stored"
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
stored = json.load(open(sys.argv[2]))["best"]
for row in rows:
    for key in "split sample class name confidence margin entropy exit node accepted label right".split():
        assert key in row, key
    assert row["right"] == (row["accepted"] and row["class"] == row["label"])
assert abs(sum(r["right"] for r in rows) / len(rows) - stored["accuracy"]) < 1e-12
exits = len(stored["exits"])
for i, e in enumerate(stored["exits"]):
    assert abs(sum(r["exit"] == i + 1 for r in rows) / len(rows) - e["utilisation"]) < 1e-12
PY
fi

# What cannot be read has a row of its own, which says so in full.
expect 0 "$EEX" data info tiny --sheet good.png
echo "no picture" >an_image_with_a_rather_long_name.png
for columns in 40 60 80 200; do
    expect 1 env COLUMNS=$columns "$EEX" infer $run good.png an_image_with_a_rather_long_name.png --threads 1
    grep -q "unreadable$" out || fail "in $columns columns it is not said that an image is unreadable"
done

# To the end, and with another threshold.
expect 0 "$EEX" infer $run --split test --json --to-end
[ "$(grep -o '"exit": [0-9]*' out | sort -u | wc -l)" = 1 ] || fail "--to-end left early"
cp out end
expect 0 "$EEX" infer $run --split test --json --policy confidence --threshold 0
grep -q '"exit": [2-9]' out && fail "with a threshold of 0 somebody went on"
expect 2 "$EEX" infer $run --split test --policy confidance
err_has 'no file and no exit policy "confidance" (did you mean "confidence"?)'
expect 0 "$EEX" tune $run --accuracy -0.1 -o careful # a file by any name that is no kind
expect 0 "$EEX" infer $run --split test --policy careful
expect 2 "$EEX" infer $run --split test --policy careful --threshold 1
err_has "--threshold goes with a kind"
expect 2 "$EEX" infer $run --split test --to-end --policy none
err_has "--to-end"

# Files: the order changes nothing, and neither does who is beside them.
if command -v python3 >/dev/null; then
    mkdir -p pictures/sub
    python3 - <<'PY'
import struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
for i in range(9):
    rows = b"".join(b"\0" + bytes((i * 29 + x * (i + 1) + y * 5 + c * 70) % 256
                    for x in range(40) for c in range(3)) for y in range(30))
    name = "pictures/" + ("sub/" if i % 3 == 0 else "") + f"{i}.png"
    open(name, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 30, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
PY
    expect 0 "$EEX" infer $run pictures --json
    [ "$(wc -l <out)" = 9 ] || fail "not a line for each of 9 files"
    decisions | sort >one
    # shellcheck disable=SC2046
    expect 0 "$EEX" infer $run $(find pictures -name '*.png' | sort -r) --json --batch 4
    decisions | sort >other
    cmp -s one other || fail "the order of files changed a decision"
    expect 0 "$EEX" infer $run pictures
    out_has "pictures/1.png"
    out_has "accepted"

    # What cannot be read is reported, the others are classified all the same.
    echo "no picture" >pictures/5a.png
    expect 1 "$EEX" infer $run pictures nowhere.png --json --batch 3
    err_has "5a.png: neither JPEG, PNG, WebP nor TIFF"
    err_has "nowhere.png"
    err_has "2 of 11 images could not be read"
    grep -v '"error"' out >good
    cp good out
    decisions | sort >other
    cmp -s one other || fail "a broken file changed a decision"

    # More files than a table of options would hold.
    names=()
    for i in $(seq 200); do names+=(pictures/1.png); done
    expect 0 "$EEX" infer $run "${names[@]}" --json --batch 64
    [ "$(wc -l <out)" = 200 ] || fail "not a line for each of 200 files"
fi

# A name is one cell of one row, whatever is in it, and a message one line.
mkdir odd
odd=$'odd/a\nb\tc\x1b[31m.png'
cp good.png "$odd"
for columns in "" 40; do
    expect 1 env COLUMNS=$columns "$EEX" infer $run odd "$odd" $'odd/none\nwarning: x.png' --threads 1
    [ "$(grep -c 'odd/a?b?c?\[31m.png' out)" = 2 ] || fail "a name is not in one line"
    grep -q 'odd/none?warning: x.png' out || fail "the name of what cannot be read is not in one line"
    err_has 'odd/none?warning: x.png: '
    grep -qE $'^b\tc|^warning: x|\x1b' out err && fail "a name reached into the next line"
done
expect 0 bash -c "cp good.png \$'odd/a\\tb\\x1b.png' && printf 'odd/a\\tb\\x1b.png\\n' | '$EEX' infer $run -"
out_has 'odd/a?b?.png'
mkdir $'odd\nwarning: x'
cp good.png $'odd\nwarning: x/'
expect 0 "$EEX" stream $run $'odd\nwarning: x'
out_has 'odd?warning: x: 1 frame in'
expect 0 "$EEX" stream $run odd --decisions -
out_has '"file": "odd/a\nb\tc\u001b[31m.png"'
expect 0 "$EEX" infer $run odd --json
out_has '"file": "odd/a\nb\tc\u001b[31m.png"'

# Of several pages the first is taken, which is said once for each file.
if command -v python3 >/dev/null; then
    mkdir pages
    python3 - <<'PY'
import struct, zlib
def tiff(kinds):
    out, at = bytearray(b"II*\0" + bytes(4)), 4
    for i, kind in enumerate(kinds):
        out[at:at + 4] = struct.pack("<I", len(out))
        pixels = len(out) + 2 + 10 * 12 + 4
        tags = [(254, kind), (256, 2), (257, 2), (258, 8), (259, 1), (262, 1), (273, pixels), (277, 1), (278, 2), (279, 4)]
        out += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, n) for tag, n in tags)
        at = len(out)
        out += bytes(4) + bytes([9, 80, 160, 240]) if i == 0 else bytes(8)
    return out
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
def png(*more):
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)) + b"".join(more)
            + chunk(b"IDAT", zlib.compress(b"\0\x09\x50\0\xa0\xf0")) + chunk(b"IEND", b""))
for name, data in (("one.tif", tiff([0])), ("thumbnail.tif", tiff([0, 1])), ("pages.tif", tiff([2, 2, 1, 2])),
                   ("many.tif", tiff([2] * 1200)), ("frames.png", png(chunk(b"acTL", struct.pack(">II", 7, 0)))),
                   ("still.png", png())):
    open("pages/" + name, "wb").write(data)
PY
    expect 0 "$EEX" infer $run pages --json --threads 1
    err_has "pages/pages.tif: 3 pages or frames, of which the first is taken"
    err_has "pages/frames.png: 7 pages or frames, of which the first is taken"
    err_has "pages/many.tif: at least 1000 pages or frames, of which the first is taken"
    [ "$(grep -c "pages or frames" err)" = 3 ] || fail "a file of one image is said to have more"
    [ "$(decisions | sed 's/"file": "[^"]*"//' | sort -u | wc -l)" = 1 ] || fail "not the first of each was taken"
    expect 0 "$EEX" stream $run pages --json
    [ "$(grep -c "pages or frames" err)" = 3 ] || fail "a stream says nothing of pages, or more than once"
    expect 0 bash -c "'$EEX' infer $run - <pages/pages.tif"
    err_has "standard input: 3 pages or frames, of which the first is taken"
    # Images one behind the other likewise; a picture within the header of one is none.
    expect 0 bash -c "cat pages/still.png pages/one.tif | '$EEX' infer $run -"
    err_has "standard input: more than one image, of which the first is taken"
    for first in one.tif pages.tif still.png; do
        expect 0 bash -c "cat pages/$first pages/pages.tif | '$EEX' infer $run -"
        err_has "standard input: more than one image, of which the first is taken"
    done
    printf 'II+\0' | "$EEX" infer $run - >out 2>err && fail "four bytes are an image"
    grep -q "name 1" err && fail "a BigTIFF is taken for names"
    expect 0 bash -c "'$EEX' infer $run - <pages/still.png"
    grep -q "more than one image" err && fail "one image is more than one"
    expect 0 bash -c "{ cat pages/still.png; echo; } | '$EEX' infer $run -"
    grep -q "more than one image" err && fail "an image and a line's end are two images"
    # Names in lines of Windows are not there, and why is said; a name may end so.
    expect 1 bash -c "printf 'pages/still.png\r\npages/one.tif\r\n' | '$EEX' infer $run -"
    [ "$(grep -c "its line ends in CR LF" err)" = 2 ] || fail "names in lines that end in CR LF: not why"
    cp pages/still.png $'strange\r'
    expect 0 bash -c "printf 'strange\r\n' | '$EEX' infer $run -"
    expect 0 bash -c "ls pages/*.tif | '$EEX' infer $run -"
    [ "$(grep -c "pages or frames" err)" = 2 ] || fail "files named on the standard input: nothing of their pages"
    mkdir many
    for i in $(seq 10); do cp pages/pages.tif many/$i.tif; done
    expect 0 "$EEX" stream $run many --json
    [ "$(grep -c "pages or frames" err)" = 10 ] || fail "of ten files of several pages not each is told of"
    for i in $(seq 11 15); do cp pages/frames.png many/$i.png; done
    for command in infer stream; do
        expect 0 "$EEX" $command $run many --json
        [ "$(grep -c "pages or frames, of which the first is" err)" = 10 ] ||
            fail "$command: not the first ten files of several pages are told of"
        [ "$(grep -c "(more of these are only counted)" err)" = 1 ] || fail "$command: not said once that it counts"
        [ "$(grep -c "5 more files of several pages or frames" err)" = 1 ] || fail "$command: not said how many more"
    done
fi

# Wrong usage.
mkdir empty
expect 2 "$EEX" infer
expect 2 "$EEX" infer $run
err_has "what to classify is missing"
expect 2 "$EEX" infer $run --split tset
err_has 'unknown split "tset"'
expect 2 "$EEX" infer $run x.png --split test
expect 2 "$EEX" infer $run x.png --data tiny
expect 2 "$EEX" infer $run x.png --fit stretch
err_has "crop"
expect 1 "$EEX" infer $run empty
err_has "no JPEG, PNG, WebP or TIFF files"
expect 1 "$EEX" infer empty x.png
err_has "holds no run"
expect 1 "$EEX" infer nowhere x.png
err_has "no such run or model"
echo text >text.h5
expect 1 "$EEX" infer text.h5 x.png
err_has "text.h5"
expect 1 "$EEX" infer data/tiny.h5 x.png
err_has "tiny.h5"

# A run that has not come that far.
cp -r $run unfinished
rm unfinished/final.h5
expect 1 "$EEX" infer unfinished --split test
err_has "has no network with exits yet"
expect 0 "$EEX" infer $run/base.h5 --split test --json
out_has "\"node\": \"classifier\""
exit 0
