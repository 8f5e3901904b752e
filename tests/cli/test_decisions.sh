# What becomes of each frame and image, while it happens: eex stream --decisions, eex infer -.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
command -v python3 >/dev/null || skip "no python3"
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1
run=runs/tiny

# A line a frame, and the lines say what the figures say.
cat >check.py <<'PY'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
said = json.load(open(sys.argv[2]))["streams"]
done = [r for r in rows if "class" in r]
assert len(done) == sum(s["frames"] for s in said), len(done)
assert sum(r.get("dropped", False) for r in rows) == sum(s["dropped"] for s in said)
assert sum("error" in r for r in rows) == sum(s["skipped"] for s in said)
for k in range(len(said[0]["model"]["exits"])):
    assert sum(r["exit"] == k + 1 for r in done) == sum(s["model"]["exits"][k]["frames"] for s in said)
for r in done:
    for key in "frame time_s class name confidence margin entropy exit node accepted latency_ms".split():
        assert key in r, key
if len(said) == 1:
    assert sorted(r["frame"] for r in rows) == list(range(len(rows)))
PY
expect 0 "$EEX" stream $run simulated --frames 90 --irrelevant 20 --json --decisions one.jsonl
mv out figures
python3 check.py one.jsonl figures || fail "lines and figures differ"
expect 0 bash -c "'$EEX' stream $run simulated --frames 90 --irrelevant 20 --json --batch 7 --decisions - 2>figures"
python3 check.py out <(sed -n '/^{/,$p' figures) || fail "lines and figures differ with -"
[ "$(head -c 10 out)" = '{"frame": ' ] || fail "something else is on the standard output"
strip() { sed -E 's/"(time_s|latency_ms|delay_ms)": [^,}]*(, )?//g' "$1"; }
cmp -s <(strip one.jsonl) <(strip out) || fail "--batch changed a decision"
expect 0 "$EEX" stream $run simulated --fps 20000 --queue 2 --frames 800 --json --decisions two.jsonl
mv out figures
python3 check.py two.jsonl figures || fail "lines and figures differ where frames are dropped"
expect 0 "$EEX" stream $run simulated --frames 40 --irrelevant 0,50 --compare base --json --decisions one.jsonl --force
mv out figures
python3 check.py one.jsonl figures || fail "lines and figures of two streams differ"
[ "$(grep -c '"irrelevant": 0.5,' one.jsonl)" = 40 ] || fail "lines do not say which stream is theirs"
printf 'YUV4MPEG2 W4 H4 C444\nFRAME\n%048dFRAME\n%030dFRAME\n%048d' 0 0 0 >cut.y4m
expect 0 "$EEX" stream $run cut.y4m --json --decisions cut.jsonl
mv out figures
python3 check.py cut.jsonl figures || fail "a skipped frame has no line"

# What is there stays, and what cannot be written is said.
expect 2 "$EEX" stream $run simulated --decisions one.jsonl
err_has "--force"
expect 2 "$EEX" stream $run simulated --decisions $run/final.h5 --force
expect 2 "$EEX" stream $run simulated --force
ln -s cut.y4m other.y4m
cp cut.y4m kept.y4m
for source in cut.y4m ./other.y4m; do # what is read is not what is replaced
    expect 2 "$EEX" stream $run $source --decisions cut.y4m --force
    err_has "would replace"
done
cmp -s cut.y4m kept.y4m || fail "the video is gone"
# Nor is an image of a folder that is read, wherever in it, by whatever name, or a link to it.
expect 0 "$EEX" data info tiny --sheet sheet.png
mkdir -p still/deep/er outside
cp sheet.png still/a.png
cp sheet.png still/deep/er/b.png
cp sheet.png outside/c.png
ln -s ../outside/c.png still/link.png
ln still/a.png outside/hard.txt
echo 'no image' >still/notes.txt
sum=$(find still outside -type f -exec sha256sum {} + | sort)
for written in still/a.png ./still/deep/../a.png "$PWD/still/deep/er/b.png" outside/c.png still/link.png outside/hard.txt; do
    expect 2 "$EEX" stream $run still --decisions "$written" --force
    err_has "$written is an image of still, which --decisions would replace: give that another name"
done
[ "$sum" = "$(find still outside -type f -exec sha256sum {} + | sort)" ] || fail "an image was replaced"
[ -L still/link.png ] || fail "a link to an image was replaced"
for written in still/notes.txt still/new.png; do # what is not read may be
    expect 0 "$EEX" stream $run still --decisions $written --force
    [ "$(grep -c '"frame"' $written)" = 3 ] || fail "$written: $(cat $written)"
done
expect 1 "$EEX" stream $run simulated --decisions /dev/full
err_has "No space left on device"
out_has "final.h5"
# A file that may not grow, as on a full disk: whole lines, and how many.
expect 1 bash -c "ulimit -f 8 && '$EEX' stream $run simulated --frames 500 --decisions full.jsonl"
err_has "$(wc -l <full.jsonl) lines are in it"
[ "$(wc -l <full.jsonl)" -gt 5 ] || fail "not what fits is kept"
python3 -c 'import json; [json.loads(l) for l in open("full.jsonl")]' || fail "a line is cut off"
# Nobody reads any more.
"$EEX" stream $run simulated --frames 100000000 --decisions - 2>err | head -2 >out
[ "${PIPESTATUS[0]}" = 0 ] || fail "a reader that is gone is a failure"
[ "$(wc -l <out)" = 2 ] || fail "not the two lines"
err_has "nobody reads the decisions any more"

# Names on the standard input, answered one by one.
expect 0 "$EEX" data info tiny --sheet good.png
expect 0 "$EEX" infer $run good.png --json
sed 's/, "latency_ms".*//' out >one
cat >ask.py <<'PY'
import json, subprocess, sys
p = subprocess.Popen([sys.argv[1], "infer", sys.argv[2], "-", "--json", "--batch", "8"],
                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
def ask(name):
    p.stdin.write(name + b"\n")
    p.stdin.flush()
    return json.loads(p.stdout.readline())
for name in b"good.png", b"./good.png":
    answer = ask(name)
    assert "class" in answer and answer["file"] == name.decode(), answer
assert "nowhere" in ask(b"nowhere")["error"]
assert "empty" in ask(b"")["error"]
assert "folder" in ask(b".")["error"]
assert "byte of 0" in ask(b"a\0b")["error"]
assert "more than" in ask(b"x" * 100000)["error"]
p.stdin.write(b"good.png") # the last line needs no end
p.stdin.close()
assert "class" in json.loads(p.stdout.readline())
assert p.wait() == 1 and p.stdout.read() == b""
PY
expect 0 python3 ask.py "$EEX" $run
expect 0 bash -c "'$EEX' infer $run - --json <good.png"
out_has '"file": "standard input"'
cmp -s <(sed 's/standard input/good.png/; s/, "latency_ms".*//' out) one || fail "an image's bytes are another image"
expect 1 bash -c "{ head -c 100000 /dev/zero | tr '\\0' x; echo; echo good.png; } | '$EEX' infer $run -"
err_has "name 1 has more than"
out_has good.png
expect 1 bash -c "head -c 300 good.png | '$EEX' infer $run -"
err_has "standard input"
expect 2 "$EEX" infer $run good.png -
err_has "stands alone"
exit 0
