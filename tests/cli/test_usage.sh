# Help, versions, and what is said about wrong usage.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1

commands="run show infer prune stream serve profile cost tune adapt devices repl export import"
data_commands="list get import make info"

# ---- help ----

expect 0 "$EEX" --version
out_has "eex "
expect 0 "$EEX" --help
out_has "usage: eex COMMAND"
cp "$work/out" "$work/overview"
for way in help -h "help help" "help --help"; do
    expect 0 "$EEX" $way
    cmp -s "$work/overview" "$work/out" || fail "eex $way is not eex --help"
done
for command in $commands data help; do
    grep -q "^  $command  " "$work/overview" || fail "the overview lacks $command"
done

# has_help COMMAND...: what it is for and its options, whatever else is said.
has_help() {
    expect 0 "$EEX" "$@" --help
    out_has "usage: eex $*"
    out_has "  --help               show this"
    cp "$work/out" "$work/help"
    expect 0 "$EEX" "$@" a b c d -h --nonsense
    cmp -s "$work/help" "$work/out" || fail "eex $* -h is not eex $* --help"
}
for command in $commands; do
    has_help $command
    expect 0 "$EEX" help "$command"
    cmp -s "$work/help" "$work/out" || fail "eex help $command is not eex $command --help"
done
for command in $data_commands; do
    has_help data $command
done
for command in $data_commands; do
    expect 0 "$EEX" data $command --help
    cp "$work/out" "$work/help"
    expect 0 "$EEX" help data $command
    cmp -s "$work/help" "$work/out" || fail "eex help data $command is not its --help"
done
for way in "data --help" "data -h" "data help" "help data"; do
    expect 0 "$EEX" $way
    out_has "usage: eex data COMMAND ..."
    out_has "  import NAME PATH     import CIFAR's"
    out_has "eex data COMMAND --help says more."
done

# What has pages of its own is named where it is looked for.
expect 0 "$EEX" help
out_has "eex help fields"
out_has "eex help terms"
expect 0 "$EEX" help run
out_has "eex help fields"
expect 0 "$EEX" help terms
for term in ECE after point trial leave "val., train" "validation split" "to its end"; do
    grep -qE "^  ([^ ].*, )?$term(,|\$)" "$work/out" || fail "eex help terms lacks $term"
done

# Words that are too many are named, and not passed over.
for way in "fields x" "terms x" "run x" "data get x" "help x" "--help x" "fields --json"; do
    expect 2 "$EEX" help $way
    err_has "\"${way##* }\" is one argument too many: eex help [COMMAND]"
done
expect 2 "$EEX" help data gte
err_has 'unknown command "gte": did you mean "get"?'

# All help fits 80 columns, and fewer where the user says so.
fits() { # COLUMNS COMMAND...
    local columns=$1
    shift
    if [ "$columns" = 0 ]; then
        expect 0 "$EEX" "$@"
        columns=80
    else
        expect 0 env COLUMNS="$columns" "$EEX" "$@"
    fi
    ! grep -q ".\{$((columns + 1))\}" "$work/out" || fail "eex $* is wider than $columns columns"
}
for columns in 0 80 60 40 20; do
    for command in $commands data help fields lua terms; do
        fits $columns help $command
    done
    for command in $commands data; do
        fits $columns $command --help
    done
    for command in $data_commands; do
        fits $columns data $command --help
    done
    fits $columns --help
done

# An option, and one with a letter, as help has them.
expect 0 "$EEX" prune --help
out_has "  --exit K             cut after exit K"
out_has "  -o, --out MODEL.h5   write the network"

# ---- commands ----

expect 2 "$EEX"
err_has "a command is missing"
expect 2 "$EEX" rnu x.lua
err_has 'unknown command "rnu": did you mean "run"?'
expect 2 "$EEX" --json
err_has 'unknown option "--json": there are run, show, infer, prune'
expect 2 "$EEX" help shwo
err_has 'did you mean "show"?'
expect 2 "$EEX" data
err_has "eex data needs a command: list, get, import, make or info"
expect 2 "$EEX" data ifno x
err_has 'unknown command "ifno": did you mean "info"?'
expect 2 "$EEX" data --json
err_has 'unknown command "--json": there are list, get, import, make, info'

# ---- words ----

for command in run show report watch infer prune stream profile cost tune adapt export import "data get" "data import" "data make" \
    "data info"; do
    expect 2 "$EEX" $command
    err_has "eex $command needs more than that: eex $command "
done
for command in run watch prune stream profile cost tune adapt devices repl export import "data list" "data get" \
    "data import" "data make" "data info"; do
    expect 2 "$EEX" $command a b c d
    err_has "is one argument too many: eex $command "
done
expect 2 "$EEX" run
err_has "eex run FILE.lua"
expect 2 "$EEX" run a.lua b.lua
err_has '"b.lua" is one argument too many'
expect 2 "$EEX" run --seed 1 a.lua --fresh -- --fresh # behind "--" all are words
err_has '"--fresh" is one argument too many'
expect 2 "$EEX" run a.lua - # so is "-"
err_has '"-" is one argument too many'

# ---- options ----

expect 2 "$EEX" run --sed 3 x.lua
err_has 'unknown option "--sed": did you mean "--seed"?'
expect 2 "$EEX" run --sed=3 x.lua
err_has 'unknown option "--sed": did you mean "--seed"?'
expect 2 "$EEX" show --jsn runs/x
err_has 'did you mean "--json"?'
expect 2 "$EEX" data list --hlep
err_has 'did you mean "--help"?'
expect 2 "$EEX" show -o x runs/x # a letter of other commands
err_has 'unknown option "-o"'
expect 2 "$EEX" prune runs/x -ofile
err_has 'unknown option "-ofile"'

expect 2 "$EEX" run a.lua --threads many
err_has '--threads: an integer from 1 to 1024, got "many"'
expect 2 "$EEX" run a.lua --threads=0
err_has '--threads: an integer from 1 to 1024, got "0"'
expect 2 "$EEX" tune runs/x --delta 1.5
err_has '--delta: a number from 1e-12 to 0.999, got "1.5"'
expect 2 "$EEX" tune runs/x --delta nan
err_has '--delta: a number from'
expect 2 "$EEX" run a.lua --threads
err_has "--threads needs a value: --threads N"
expect 2 "$EEX" prune runs/x -o
err_has "--out needs a value: --out MODEL.h5"
for way in "run a.lua --out" "prune runs/x --exit 1 --out" "export runs/x --onnx" "export runs/x --c" \
    "bottleneck runs/x --out" "serve runs/x --key" "data list --data" "run a.lua --device" "profile runs/x --trace"; do
    option=${way##* }
    expect 2 "$EEX" $way ""
    err_has "$option: expected "
    err_has ", got an empty text"
    expect 2 "$EEX" ${way% *} "$option="
    err_has "$option: expected "
done
for way in show run infer tune prune report adapt "data info" cost repl export; do
    # shellcheck disable=SC2086
    expect 2 "$EEX" $way ""
    err_has "argument 1 is an empty text"
    # shellcheck disable=SC2086
    expect 2 "$EEX" $way --help=1
    err_has '--help takes no value, got "1"'
done
expect 2 "$EEX" tune runs/x --delta "$(head -c 100000 /dev/zero | tr '\0' x)"
err_has '--delta: a number from'
expect 2 "$EEX" run a.lua --fresh=yes
err_has '--fresh takes no value, got "yes"'

# Words that are one of several: the nearest is named.
for way in "data get cifr10:cifar10" "cost a.lua --convention toolprofile:torchprofile" \
    "run a.lua --fersh:--fresh"; do
    expect 2 "$EEX" ${way%:*}
    err_has "did you mean \"${way#*:}\"?"
done
expect 0 "$EEX" help run
for text in "--set 'gates.blocks={0, 1, 2}'" "nil for the default"; do
    out_has "$text"
done

# The last of several is the one that counts, but for lists; "=" and a letter are other ways to
# say the same.
for way in "-o a --out b" "--out=a -o=b" "--out a -o b" "-o b"; do
    expect 2 "$EEX" prune runs/x $way
    err_has "-o b: where to cut?"
done
many=
for i in $(seq 64); do many="$many --set seed=$i"; done
expect 2 "$EEX" run a.lua $many --set seed=65
err_has "--set: at most 64 of them"

expect 0 "$EEX" devices
out_has "cpu"
expect 1 "$EEX" show "$work"
err_has "holds no run"

# What people are told to type has names as a shell wants them.
mkdir "ein lauf"
expect 1 "$EEX" show "ein lauf"
err_has "ein lauf holds no run: \"eex run FILE.lua --out 'ein lauf'\" makes one"

# A full disk behind stdout is a failure.
if [ -w /dev/full ]; then
    "$EEX" --version >/dev/full 2>"$work/err" && fail "writing to a full disk went unnoticed"
    err_has "cannot write to the standard output"
fi
