# Results that cannot be written are no success: every subcommand into a full disk, and into a pipe that nobody
# reads any more.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
[ -c /dev/full ] || skip "there is no /dev/full"

make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --out runs/tiny --threads 1
cp -r runs/tiny runs/copy
expect 0 "$EEX" data info tiny --sheet image.png
cp image.png one.png
mkdir images
for i in $(seq 40); do
    cp image.png "images/an_image_with_a_rather_long_name_number_$i.png"
done
mkdir -p folder/train/a folder/train/b
cp image.png folder/train/a
cp image.png folder/train/b
echo 'print("x") return 7' >prompt
echo 'for i = 1, 5000 do print(("x"):rep(100)) end' >long

echo 'return { experiment = "tiny.lua" }' >one.lua
commands=(
    "help"
    "--help"
    "--version"
    "help run"
    "help fields"
    "run --help"
    "run tiny.lua --out runs/tiny --threads 1"
    "run tiny.lua --out runs/tiny --threads 1 --json"
    "show runs/tiny"
    "show runs/tiny --json"
    "show runs/tiny runs/copy --csv"
    "report runs/tiny -o page.html --force"
    "watch runs/tiny"
    "infer runs/tiny images"
    "infer runs/tiny one.png"
    "infer runs/tiny one.png --json"
    "infer runs/tiny --split test"
    "infer runs/tiny --split test --json"
    "prune runs/tiny -o cut.h5 --exit 1 --force"
    "prune runs/tiny"
    "stream runs/tiny images"
    "stream runs/tiny images --json"
    "profile runs/tiny --images 20 --batch 4 --rounds 2"
    "profile runs/tiny --images 20 --batch 4 --rounds 2 --json"
    "data list"
    "data info tiny"
    "data info tiny --json"
    "data import other folder --size 8 --force"
    "data make synthetic --train 30 --test 6 --name small --force"
    "cost tiny.lua"
    "cost tiny.lua --json"
    "tune runs/tiny --accuracy -0.1"
    "tune runs/tiny --accuracy -0.1 --json"
    "rank runs/tiny --candidates 2 --repeated 0 --epochs 1 --threads 1"
    "rank runs/tiny --candidates 2 --repeated 0 --epochs 1 --threads 1 --json"
    "predictor runs/tiny --epochs 1 --force"
    "predictor runs/tiny --epochs 1 --force --json"
    "bottleneck runs/tiny -o narrow.h5 --epochs 1 --more-epochs 1 --force"
    "bottleneck runs/tiny -o narrow.h5 --epochs 1 --more-epochs 1 --force --json"
    "adapt runs/tiny --latency 1000"
    "adapt runs/tiny --latency 1000 --json"
    "export runs/tiny --safetensors tiny.safetensors --force"
    "import tiny.safetensors --into tiny.lua -o weights.h5 --force"
    "import tiny.safetensors --into tiny.lua -o weights.h5 --force --json"
    "sweep one.lua"
    "sweep status sweeps/one --json"
    "sweep collect sweeps/one"
    "devices"
    "devices --json"
)
for command in "${commands[@]}"; do
    # shellcheck disable=SC2086
    "$EEX" $command >usual 2>err || fail "eex $command: $?"
    [ -s usual ] || continue
    # shellcheck disable=SC2086
    "$EEX" $command >/dev/full 2>err
    [ $? = 1 ] || fail "eex $command: success into a full disk"
    err_has "cannot write to the standard output"
    # Whoever ignores SIGPIPE gets the usual status and no message.
    # shellcheck disable=SC2086
    (trap '' PIPE; "$EEX" $command 2>err; echo $? >status) | :
    [ "$(cat status)" = 0 ] || fail "eex $command: status $(cat status) without a reader"
    grep -q error: err && fail "eex $command complains of a reader that is gone"
done
for input in prompt long; do
    "$EEX" repl runs/tiny <$input >/dev/full 2>err
    [ $? = 1 ] || fail "eex repl: success into a full disk"
    err_has "cannot write to the standard output"
done
# Nobody goes on for long with what cannot be written, nor for a reader that has gone: here 2,000 images are left.
mkdir many
for i in $(seq 2000); do ln image.png many/$i.png; done
fewer() { # than half of the images were read
    [ "$(sed -n 's/^\([0-9]*\) images\? in .*/\1/p' err)" -lt 1000 ] || fail "all was read: $(cat err)"
}
names() {
    for i in $(seq 1000); do echo image.png; sleep 0.05; done
}
for command in "infer runs/tiny many" "infer runs/tiny many --json --batch 7" "infer runs/tiny -" "infer runs/tiny - --json"; do
    # shellcheck disable=SC2086
    names | { "$EEX" $command >/dev/full 2>err; echo $? >status; }
    [ "$(cat status)" = 1 ] || fail "eex $command: status $(cat status) into a full disk"
    err_has "cannot write to the standard output"
    fewer
    # shellcheck disable=SC2086
    names | (trap '' PIPE; "$EEX" $command 2>err; echo $? >status) | :
    [ "$(cat status)" = 0 ] || fail "eex $command: status $(cat status) without a reader"
    grep -q error: err && fail "eex $command complains of a reader that is gone"
    fewer
done
# So it is where there is no standard output at all.
for command in "show runs/tiny" "infer runs/tiny --split test" "stream runs/tiny images --json" --version; do
    # shellcheck disable=SC2086
    "$EEX" $command 2>err >&-
    [ $? = 1 ] || fail "eex $command: success without a standard output"
    err_has "cannot write to the standard output: it is closed"
done
"$EEX" stream runs/tiny images --decisions - 2>err >&-
[ $? = 1 ] || fail "eex stream --decisions -: success without a standard output"
err_has "cannot write the decisions: the standard output is closed"
"$EEX" stream runs/tiny images --decisions /dev/stdout 2>err >&-
[ $? = 1 ] || fail "eex stream --decisions /dev/stdout: success without a standard output"
"$EEX" repl runs/tiny <prompt 2>err >&-
[ $? = 1 ] || fail "eex repl: success without a standard output"
# No standard input is no empty one, and what cannot be read is said.
for command in "infer runs/tiny -" "stream runs/tiny -" repl "repl tiny.lua" "repl runs/tiny"; do
    # shellcheck disable=SC2086
    "$EEX" $command >out 2>err <&-
    [ $? = 1 ] || fail "eex $command: success without a standard input"
    err_has "cannot read the standard input: it is closed"
    # shellcheck disable=SC2086
    "$EEX" $command >out 2>err <"$work"
    [ $? = 1 ] || fail "eex $command: success with a folder as its standard input"
    err_has "standard input: Is a directory"
done
expect 0 "$EEX" infer runs/tiny - </dev/null
expect 0 "$EEX" repl runs/tiny </dev/null
# A server says where it listens before it serves anybody.
timeout 60 "$EEX" serve runs/tiny --port 0 >/dev/full 2>err
[ $? = 1 ] || fail "eex serve: success into a full disk"
err_has "cannot write to the standard output"
for command in $("$EEX" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
    case " ${commands[*]} repl serve " in
    *" $command "*) ;;
    *) [[ " ${commands[*]}" = *"$command"* ]] || fail "eex $command is not tested" ;;
    esac
done

# Nothing is lost where something went wrong before: that message stays.
"$EEX" show missing >/dev/full 2>err
[ $? = 1 ] || [ $? = 2 ] || fail "another status"
err_has missing
exit 0
