# What is said at once: films that are no frames yet, data folders that are files, outputs that cannot
# be written. And what does not end the rest: folders that are deep, or cannot be listed.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1
run=runs/tiny

# ---- films ----

# film NAME KIND BYTES: by what it begins with, or by its name.
film() {
    local name=$1 kind=$2
    printf "$3" >"$name"
    printf 'some bytes more of what is no picture' >>"$name"
    expect 1 "$EEX" stream $run "$name"
    err_has "is a video ($kind)"
    err_has "ffmpeg -i $name -f yuv4mpegpipe -pix_fmt yuv420p - | eex stream $run -"
    expect 1 "$EEX" infer $run "$name"
    err_has "is a video ($kind)"
    err_has "ffmpeg -i $name -f yuv4mpegpipe -pix_fmt yuv420p - | eex stream RUN -"
}
film film MP4 '\0\0\0\030ftypisom'
film clip.bin QuickTime '\0\0\0\030ftypqt  '
film clip.dat "WebM or Matroska" '\032\105\337\243'
film clip AVI 'RIFF\0\0\0\0AVI LIST'
film clip Ogg 'OggS'
film clip "Windows Media" '\060\046\262\165\216\146\317\021'
for name in mp4:MP4 MKV:Matroska webm:WebM avi:AVI mov:QuickTime mpg:MPEG ts:MPEG wmv:"Windows Media" \
    m4v:MP4 flv:"Flash video" 3gp:3GP; do
    film "nothing.${name%%:*}" "${name#*:}" 'xxxx'
done
printf '\0\0\0\030ftypisom' >"it's one.mp4"
expect 1 "$EEX" stream $run "it's one.mp4"
err_has "ffmpeg -i 'it'\\''s one.mp4' -f"
expect 1 "$EEX" stream $run - <film
err_has "the standard input is a video (MP4)"
expect 1 "$EEX" stream $run film --format y4m
err_has "is a video (MP4)"
printf 'YUV4MPEG2 W8 H8 C420\nFRAME\n' >a.y4m
expect 1 "$EEX" infer $run a.y4m
err_has "streamed like this: eex stream RUN a.y4m"
for still in '\0\0\0\030ftypheic' '\0\0\0\030ftypavif' 'GIF89a'; do # no films
    printf "$still and more" >still
    expect 1 "$EEX" infer $run still
    grep -q "is a video" err && fail "a still image is taken for a video"
done
: >empty.mp4
expect 1 "$EEX" infer $run empty.mp4
err_has "the file is empty"

# ---- folders ----

if command -v python3 >/dev/null; then
    mkdir -p pictures/a pictures/z
    python3 - <<'PY'
import os, struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)) + \
    chunk(b"IDAT", zlib.compress((b"\0" + b"\x40" * 24) * 8)) + chunk(b"IEND", b"")
for name in "a/1.png", "z/2.png":
    open("pictures/" + name, "wb").write(png)
deep = "pictures/m" + "/d" * 200
os.makedirs(deep)
open(deep + "/3.png", "wb").write(png)
# Deeper than any path that the system takes.
os.makedirs("pictures/n")
here = os.open("pictures/n", os.O_RDONLY)
for i in range(30):
    os.mkdir("f" * 200, dir_fd=here)
    below = os.open("f" * 200, os.O_RDONLY, dir_fd=here)
    os.close(here)
    here = below
PY
    expect 1 "$EEX" infer $run pictures --json
    [ "$(grep -c '"class"' out)" -eq 3 ] || fail "not three images were classified"
    err_has "1 of 4 images could not be read"
    err_has "ffffffffff"
    grep -q '/d/3.png' out || fail "the deep image is missing"
    python3 - <<'PY'
import os
names = []
here = os.open("pictures/n", os.O_RDONLY)
stack = [here]
for i in range(30):
    here = os.open("f" * 200, os.O_RDONLY, dir_fd=here)
    stack.append(here)
while len(stack) > 1:
    os.close(stack.pop())
    os.rmdir("f" * 200, dir_fd=stack[-1])
PY
    expect 0 "$EEX" infer $run pictures
    if [ "$(id -u)" != 0 ]; then
        chmod 0 pictures/a
        expect 1 "$EEX" infer $run pictures --json
        err_has "pictures/a"
        [ "$(grep -c '"class"' out)" -eq 2 ] || fail "a folder that cannot be listed ends the others"
        chmod 755 pictures/a
    fi
fi

# ---- the data folder ----

echo x >file
for command in "data list" "data info tiny" "data make synthetic --name other" "data import other pictures" \
    "run tiny.lua --out elsewhere" "infer $run --split test" "stream $run simulated"; do
    expect 2 env EEX_DATA="$work/file" "$EEX" $command
    err_has "the data folder (EEX_DATA, or --data) is $work/file, which is a file"
done
expect 2 "$EEX" data list --data file
err_has "which is a file"

# ---- outputs, before the work ----

# unwritable STATUS PATH TEXT: each command that writes a file there says so and measures nothing.
unwritable() {
    local status=$1 path=$2 text=$3
    for command in "tune $run --accuracy -0.1 -o" "prune $run --exit 1 -o" \
        "profile $run --images 20 --batch 10 --trace" "profile --table tiny.lua -o" \
        "data info tiny --sheet"; do
        expect "$status" "$EEX" $command "$path"
        err_has "$text"
        [ ! -s out ] || fail "eex $command works first"
    done
}
# What is read comes first: whoever mistypes that is not told of a file that is there.
echo mine >there
for command in "tune nosuch --accuracy -0.1 -o there" "prune nosuch --exit 1 -o there" \
    "adapt nosuch --latency 10 -o there" "adapt nosuch --latency 10 -o there.svg" "bottleneck nosuch -o there" \
    "profile nosuch -o there.svg" "profile nosuch --trace there" "profile nosuch --table -o there" \
    "export nosuch --safetensors there" "export nosuch --onnx there" "export nosuch --c there" \
    "import nosuch --into tiny.lua -o there" "import nosuch.onnx --dataset tiny -o there" \
    "stream nosuch simulated --decisions there" "stream $run nosuch --decisions there" \
    "data info nosuch --sheet there" "report nosuch -o there" "report $run nosuch -o there" "rank nosuch"; do
    # shellcheck disable=SC2086
    expect 1 "$EEX" $command
    err_has nosuch
    ! grep -q "there\( is there\|:\)" err || fail "eex $command complains of what it would write"
done
mkdir folder
unwritable 2 folder "folder is a folder, expected the name of a file"
unwritable 1 none/file "cannot write none/file"
unwritable 1 file/x "cannot write file/x"
unwritable 1 "$(printf '%0250d' 0)" "cannot write 000"
[ -z "$(find . -name '*.part')" ] || fail "a part was left"
expect 1 "$EEX" run tiny.lua --out file/run
err_has "cannot make the folder file/run"
if [ "$(id -u)" != 0 ]; then
    chmod 555 folder
    unwritable 1 folder/x "Permission denied"
    expect 1 "$EEX" run tiny.lua --out folder/a/b
    err_has "cannot write into folder/a/b"
    expect 1 "$EEX" data make synthetic --data folder --name y
    err_has "Permission denied"
fi
mkdir bin
expect 1 env PATH="$work/bin" "$EEX" profile $run -o picture.svg
err_has "gnuplot is not installed"
[ ! -s out ] || fail "it measures before it looks for gnuplot"
exit 0
