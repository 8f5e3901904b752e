# Tables in few columns, what they say of splits and of the same network to its end, and counts of one.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1 --set search.trials=100 --set training.epochs=1
cp "$work/out" "$work/shown"
cp "$work/err" "$work/said"

# ---- what is said ----

# A line an epoch: training and validation, of which exit; as often as there are epochs.
for title in base "shared network"; do
    grep -q "^$title: epoch 1/1, loss .*; right at the end: .* % in training, .* % in validation" \
        "$work/said" || fail "no line about the epoch of the $title"
    [ "$(grep -c "^$title: epoch" "$work/said")" = 1 ] || fail "not one line about the $title"
done
grep -q "^shared network: epoch .*; at the exits before it .* % on average" "$work/said" ||
    fail "nothing about the exits of the shared network"
grep -q "^base: epoch .*exits before" "$work/said" && fail "the base has no exits"

# The line of progress says what is what, in training and in validation.
if command -v script >/dev/null && script -qec true /dev/null >/dev/null 2>&1; then
    SHELL=/bin/bash script -qec "stty cols 200; exec '$EEX' run tiny.lua --threads 1 --out watched \
        --set training.epochs=40 --set search.trials=1" "$work/watched.log" >/dev/null 2>&1
    [ -e watched/result.h5 ] || fail "no run on a terminal"
    tr '\r' '\n' <"$work/watched.log" | grep -aqE ", val\. [0-9.]+%, train [0-9.]+%, epoch [0-9]+/40" ||
        fail "the line of progress does not label its figures"

    # What somebody else's script prints stays within its lines; what goes to a file stays as it is.
    { printf 'print("\\27]0;title\\7one\\ttwo\\194\\155x")\nio.write("\\194"); io.write("\\155x")\nio.write("\\226"); io.write("\\128\\174t"); io.write("\\226\\128"); io.write("\\174u")\n'; cat tiny.lua; } >prints.lua
    for trust in "" --trust; do
        SHELL=/bin/bash script -qec "'$EEX' cost prints.lua $trust" "$work/printed.log" >/dev/null 2>&1
        grep -qaF "one"$'\t'"two" "$work/printed.log" || fail "what a script prints is not there"
        grep -qaF $'\e]0;' "$work/printed.log" && [ -z "$trust" ] && fail "a script speaks to the terminal"
        grep -qaF $'\xc2\x9bx' "$work/printed.log" && [ -z "$trust" ] && fail "a script speaks to the terminal in two bytes"
        grep -qaF $'\xe2\x80\xae' "$work/printed.log" && [ -z "$trust" ] && fail "a script turns what is on the terminal round"
    done
    grep -qaF $'\e]0;' "$work/printed.log" || fail "a script that is trusted may not"
    expect 0 "$EEX" cost prints.lua
    grep -qaF $'\e]0;' err || fail "what goes to a file is changed"
else
    echo "no terminal can be had here: the line of progress was not tried"
fi

# One of a kind is no plural, wherever it is said.
plural='(^|[^0-9.,])1 (epochs|exits|images|trials|points|gates|classes|structures|batches|candidates|layers|frames|windows)'
! grep -E "$plural" "$work/shown" "$work/said" || fail "a plural of one"
expect 0 "$EEX" stream runs/tiny simulated --frames 1 --threads 1
! grep -E "$plural" "$work/out" "$work/err" || fail "a plural of one frame"
expect 0 "$EEX" infer runs/tiny --split test --threads 1
err_has "of the test split"

grep -q "Pareto front .*latency ms" "$work/shown" || fail "no latencies on the front"

# The search ended because there was nothing left.
grep -qE "trials: all [0-9]+ structures tried" "$work/shown" || fail "an exhausted search is not told"

# Against the same network, in words, in the table, and for programs.
out="$work/shown"
for text in "to its end" "Against the same network run to its end, leaving early" "ECE: expected" \
    "test: right of the test split"; do
    tr '\n' ' ' <"$out" | grep -qF "$text" || fail "no \"$text\" at the end of a run"
done
expect 0 "$EEX" show runs/tiny --json
sed -n '/"full"/,/}/p' "$work/out" >"$work/full"
for name in accuracy macs macs_with_gates; do
    grep -qE "\"$name\": [0-9.]+" "$work/full" || fail "full lacks $name"
done
printf 'print(run.full.accuracy == nil, run.full.macs <= run.full.macs_with_gates)\n' |
    "$EEX" repl runs/tiny >"$work/out" 2>"$work/err"
out_has "false	true"
printf 'print(run:replay{ policy = "margin", a = 0.3 }.split)\n' | "$EEX" repl runs/tiny >"$work/out" 2>"$work/err"
out_has "validation"
expect 0 "$EEX" prune runs/tiny --threads 1
out_has "to its end"
expect 0 "$EEX" stream runs/tiny simulated --frames 100 --compare base --threads 1
out_has "to its end"
expect 0 "$EEX" stream runs/tiny simulated --frames 100 --compare base --threads 1 --irrelevant 0,20
out_has "to its end"
out_has "images of the test split"

# ---- widths ----

# A pipe has any width, so nothing is folded.
for command in "show runs/tiny" "tune runs/tiny --accuracy 0.1" "cost tiny.lua"; do
    expect 0 "$EEX" $command
    ! grep -q "(folded" "$work/out" || fail "eex $command is folded in a pipe"
done

# dense FILE: without blanks and ends of lines.
dense() {
    tr -d ' \n' <"$1"
}
# folds COLUMNS WORDS COMMAND...: no line is wider, and all that it shows is there.
folds() {
    local columns=$1 words=$2 word
    shift 2
    expect 0 env COLUMNS="$columns" "$EEX" "$@"
    ! grep -q ".\{$((columns + 1))\}" "$work/out" || fail "eex $* is wider than $columns columns"
    for word in $words; do
        dense "$work/out" | grep -qF -- "$word" || fail "eex $* in $columns columns lacks $word"
    done
}
for columns in 20 33 40 60 80 119; do
    folds $columns "network test MACs meanms speed-up base earlyexit toitsend blocks leave right ECE \
        after point Paretofront validation gates(point:blocks) policy,tunedalike" show runs/tiny
    folds $columns "exit blocks leave right alone MACs validation" show runs/tiny/final.h5
    folds $columns "calibration validation totheend before after right% againstend MACs leaveat1%" \
        tune runs/tiny --accuracy 0.1
    folds $columns "block output layers parameters macs ptflops thop torchprofile stem total" \
        cost tiny.lua
    folds $columns "class name train test" data info tiny
    folds $columns "cutafterexit validation MACs mostMACs ms params MB onlyexit toitsend" \
        prune runs/tiny --threads 1
    folds $columns "network cumulative meanms p99ms accuracy speed-up toitsend exit node leave" \
        stream runs/tiny simulated --frames 60 --compare base --threads 1
    folds $columns "leavingatexit images right MACs uptoexit ofMACs us,by1 oftime,by1 GFLOP/s,by50 \
        slowestlayers speed-up theoretical" profile runs/tiny --threads 1 --batch 50 --images 50 \
        --rounds 2
    folds $columns "input class confidence exit decision ms right accepted" \
        infer runs/tiny --split test --threads 1
done
COLUMNS=30 "$EEX" show runs/tiny >"$work/out" 2>"$work/err"
out_has "(folded: "
expect 0 env COLUMNS=30 "$EEX" show runs/tiny --json
! grep -q "folded" "$work/out" || fail "JSON is not for terminals"

# What is no width says nothing.
for columns in 0 -5 x ""; do
    expect 0 env COLUMNS="$columns" "$EEX" show runs/tiny
    ! grep -q "(folded" "$work/out" || fail "COLUMNS=\"$columns\" folds"
done

# Names that no terminal shows in bytes, and no colour anywhere.
for locale in C C.UTF-8; do
    expect 0 env LC_ALL=$locale TERM=dumb NO_COLOR=1 COLUMNS=40 "$EEX" show runs/tiny
    ! grep -q "$(printf '\033')" "$work/out" || fail "escapes with TERM=dumb"
done

# ---- whatever is printed keeps to the columns that there are, and never has fewer than 20 ----

cat >family.lua <<'LUA'
local eex = require "eex"
return {
  name = "family",
  dataset = { name = "tiny", calibration = 50, validation = 50 },
  backbone = eex.families.resnet_small { size = 32, stem_stride = 2, blocks = 2, widths = { 0.5, 1 } },
  saliency = eex.saliency.stage_ends(),
}
LUA
mkdir some
cp -r runs/tiny runs/twin
expect 0 "$EEX" data info tiny --sheet some/a.png
for command in help "help run" "help fields" "help terms" "help lua" "data list" "data info tiny" devices \
    "show runs/tiny" "show runs/tiny runs/twin" "watch runs/tiny" "cost tiny.lua" "cost family.lua" "prune runs/tiny" \
    "tune runs/tiny --accuracy -0.1" "adapt runs/tiny --latency 100" "profile runs/tiny --images 4 --batch 2 --rounds 2" \
    "profile tiny.lua --table --structures 2 --threads 1" "stream runs/tiny simulated --frames 20" \
    "stream runs/tiny simulated --frames 20 --irrelevant 0,50" "infer runs/tiny --split test" "infer runs/tiny some"; do
    for columns in 20 40; do
        # shellcheck disable=SC2086
        COLUMNS=$columns expect 0 "$EEX" $command
        wide=$(LC_ALL=C.UTF-8 awk -v most=$columns 'length($0) > most' out)
        [ -z "$wide" ] || fail "eex $command, $columns columns: $wide"
    done
done
COLUMNS=20 expect 0 "$EEX" show runs/tiny
mv out twenty
COLUMNS=1 expect 0 "$EEX" show runs/tiny
cmp -s out twenty || fail "one column is not taken for the least"
echo "tables: kept to their columns"
