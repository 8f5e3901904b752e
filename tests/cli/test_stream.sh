# eex stream: simulated video, files and pipes, damage, signals.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1
run=runs/tiny

# What is counted, without what was measured.
counts() {
    grep -v -e seconds -e '_s"' -e '_ms"' -e mean -e 'p[59]' -e '"max"' -e speedup -e '"batch"' out
}

# Simulated video: its shares, one table, the base on the same frames.
expect 0 "$EEX" stream $run simulated
out_has "simulated: 60 frames"
out_has "0 skipped, 0 dropped"
expect 0 "$EEX" stream $run simulated --split validation
out_has "simulated: 50 frames"
expect 2 "$EEX" stream $run simulated --split holdout
expect 2 "$EEX" stream $run . --split validation
err_has "--split goes with the source"
expect 0 "$EEX" stream $run simulated --irrelevant 0,10,50 --compare base --frames 200
out_has "speed-up"
grep -qE ' [0-9.]+x \([0-9.]+ to [0-9.]+\) ' out || fail "a speed-up has no interval"
for share in "0 %" "10 %" "50 %"; do out_has " $share"; done
expect 0 "$EEX" stream $run simulated --irrelevant 30 --frames 200 --compare base --json
out_has '"relevant": 140'
out_has '"low_entropy": 30'
out_has '"out_of_distribution": 30'
counts >one
for options in "--batch 9" "--batch 64 --threads 1"; do
    # shellcheck disable=SC2086
    expect 0 "$EEX" stream $run simulated --irrelevant 30 --frames 200 --compare base --json $options
    counts >other
    cmp -s one other || fail "$options changed what was counted"
done
awk 'length($0) > 150 { print; bad = 1 } END { exit bad }' out || fail "lines of a table are too long"
[ -x "$(command -v python3)" ] || exit 0
expect 0 "$EEX" stream $run simulated --frames 100 --irrelevant 20 --compare $run/base.h5 --json
python3 -c '
import json
s = json.load(open("out"))["streams"][0]
for side in "model", "base":
    t = s[side]
    assert sum(e["frames"] for e in t["exits"]) == s["frames"] == 100
    for key in "mean p50 p95 p99 max".split():
        assert t["latency_ms"][key] > 0
assert s["skipped"] == 0 and 0 < s["speedup_low"] <= s["speedup"] <= s["speedup_high"]
assert s["speedup_frames"] == 100 and s["speedup_rounds"] == 11
assert sum(i["frames"] for i in s["intervals"]) == 100
' || fail "the object is not what it should be"

# Unlike frames from another data set, which does not have the model's classes.
expect 0 "$EEX" data info tiny --sheet sheet.png
mkdir -p others/one others/two
for i in 1 2 3 4 5; do tee others/one/$i.png <sheet.png >others/two/$i.png; done
expect 0 "$EEX" data import others others --size 32
expect 0 "$EEX" stream $run simulated --irrelevant 30 --frames 200 --ood others --seed 4
expect 0 "$EEX" data make synthetic --train 50 --test 20 --name likewise
for name in tiny likewise; do
    expect 2 "$EEX" stream $run simulated --irrelevant 30 --ood $name
    err_has "--ood $name: its classes are those that the model knows"
done

# Video from a file and through a pipe is the same; raw frames too.
cat >video.py <<'PY'
import random, sys
width, height, frames, kind = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
random.seed(1)
out = sys.stdout.buffer
if kind == "y4m":
    out.write(f"YUV4MPEG2 W{width} H{height} F25:1 Ip C420jpeg\n".encode())
for i in range(frames):
    level = i * 37 % 200
    if kind == "y4m":
        out.write(b"FRAME\n" + bytes([level]) * (width * height) + random.randbytes(2 * ((width + 1) // 2) * ((height + 1) // 2)))
    else:
        out.write(random.randbytes(width * height * 3))
PY
python3 video.py 50 40 30 y4m >v.y4m
python3 video.py 50 40 30 rgb >v.rgb
expect 0 "$EEX" stream $run v.y4m --json
out_has '"frames": 30'
counts | grep -v '"source"' >one
expect 0 bash -c "'$EEX' stream $run - --json <v.y4m"
counts | grep -v '"source"' >other
cmp -s one other || fail "a pipe gives other counts than a file"
expect 0 bash -c "cat v.y4m | '$EEX' stream $run - --batch 8 --json"
counts | grep -v '"source"' >other
cmp -s one other || fail "a pipe gives other counts than a file"
expect 0 bash -c "cat v.rgb | '$EEX' stream $run - --format rgb --size 50x40"
out_has "30 frames"
expect 0 "$EEX" stream $run v.rgb --format rgb --size 50x40 --frames 7
out_has ": 7 frames"

# Damage is counted and passed over.
python3 - <<'PY'
video = open("v.y4m", "rb").read()
cut = len(video) // 2 + 1000
open("short.y4m", "wb").write(video[:cut] + video[cut + 500:])
open("long.y4m", "wb").write(video[:cut] + b"x" * 500 + video[cut:])
open("end.y4m", "wb").write(video[:-1])
open("endless.y4m", "wb").write(b"YUV4MPEG2 " + b"W" * 3000000)
open("huge.y4m", "wb").write(b"YUV4MPEG2 W60000 H60000\nFRAME\n")
open("lying.y4m", "wb").write(b"YUV4MPEG2 W8000 H8000\nFRAME\n" + b"x" * 1000)
open("deep.y4m", "wb").write(b"YUV4MPEG2 W8 H8 C420p10\n")
PY
expect 0 "$EEX" stream $run short.y4m
out_has "29 frames"
out_has "1 skipped"
err_has "is cut off"
expect 0 "$EEX" stream $run long.y4m
out_has "30 frames"
out_has "1 skipped"
expect 0 "$EEX" stream $run end.y4m
out_has "29 frames"
limited() { # in 400 MB of memory, reserved stacks and all
    (ulimit -v 400000 && exec "$@")
}
unlimited=1
limited "$EEX" --version >/dev/null 2>&1 && unlimited=0 # not where sanitizers reserve terabytes
[ $unlimited = 1 ] && limited() { "$@"; }
expect 1 limited "$EEX" stream $run endless.y4m --threads 1
err_has "without an end"
expect 1 limited "$EEX" stream $run huge.y4m --threads 1
err_has "60000 x 60000"
expect 1 limited "$EEX" stream $run lying.y4m --threads 1
err_has "no frames that could be used"
expect 1 "$EEX" stream $run deep.y4m
err_has "C420p10"
expect 1 bash -c "yes | head -c 40000000 | (printf 'YUV4MPEG2 W8 H8\n'; cat) | '$EEX' stream $run -"
err_has "no YUV4MPEG2 any more"
expect 1 bash -c "(cat v.y4m && yes | head -c 40000000) | '$EEX' stream $run - --batch 64"
err_has "no YUV4MPEG2 any more"
out_has "30 frames"

# At a rate: nothing is lost between what was classified, dropped and skipped.
expect 0 "$EEX" stream $run simulated --fps 20000 --queue 2 --frames 2000 --json
python3 -c '
import json
s = json.load(open("out"))["streams"][0]
assert s["frames"] + s["dropped"] + s["skipped"] == 2000, s["frames"]
assert s["delay_ms"]["p50"] > 0
' || fail "frames got lost"
expect 0 "$EEX" stream $run simulated --fps 20000 --drop none --queue 2 --frames 500
out_has "500 frames"
out_has "0 dropped"

# Ctrl-C and SIGTERM: the figures so far. A busy machine may take its time to come to the first one.
for signal in INT TERM; do
    for seconds in 1 5 25; do
        "$EEX" stream $run simulated --frames 500000000 >out 2>err &
        pid=$!
        sleep $seconds
        kill -$signal $pid
        wait $pid
        [ $? -eq 130 ] || fail "SIG$signal did not end with 130"
        err_has "interrupted after"
        grep -q final.h5 out && break
    done
    out_has "final.h5"
done
mkfifo pipe
(printf 'YUV4MPEG2 W8 H8\n' && sleep 20) >pipe &
writer=$!
"$EEX" stream $run pipe >out 2>err &
pid=$!
sleep 0.5
kill -INT $pid
wait $pid
[ $? -eq 130 ] || fail "Ctrl-C did not end the wait for a silent pipe"
kill $writer 2>/dev/null
wait $writer 2>/dev/null

# A pipe that nobody writes to yet: one signal ends the wait, and a writer who comes late is heard to the end.
for signal in INT TERM; do
    timeout --foreground -s KILL 20 "$EEX" stream $run pipe >out 2>err &
    pid=$!
    sleep 1
    kill -$signal $pid
    wait $pid
    [ $? -eq 130 ] || fail "SIG$signal did not end the wait for somebody who writes to the pipe"
done
"$EEX" stream $run pipe --json >out 2>err &
pid=$!
sleep 1
cat v.y4m >pipe
wait $pid || fail "a pipe whose writer comes late is not read"
out_has '"frames": 30'

# Wrong usage.
expect 2 "$EEX" stream $run
expect 2 "$EEX" stream $run v.rgb --format rgb
err_has "--size"
expect 2 "$EEX" stream $run v.rgb --format rgb --size 50
err_has "WIDTHxHEIGHT"
expect 2 "$EEX" stream $run v.y4m --format avi
expect 2 "$EEX" stream $run v.y4m --irrelevant 10
err_has "simulated"
expect 2 "$EEX" stream $run simulated --irrelevant 10,200
expect 2 "$EEX" stream $run simulated --irrelevant ,
expect 2 "$EEX" stream $run simulated --drop oldest
err_has "--fps"
expect 2 "$EEX" stream $run simulated --drop some --fps 3
expect 2 "$EEX" stream $run simulated --compare base --fps 5
expect 1 "$EEX" stream $run nowhere.y4m
err_has "nowhere.y4m"
expect 1 "$EEX" stream nowhere simulated
expect 1 "$EEX" stream $run/final.h5 simulated --compare base
err_has "its base is not in it"
exit 0
