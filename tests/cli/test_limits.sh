# Too little memory, in steps from where the program starts to where it is enough: never a crash, always a message and
# status 1, nothing lost that was there, and a run that goes on afterwards ends with the same bits.
#
# EEX_LIMIT_STEP=KIB: steps of that size (4096 takes some minutes); by itself a few.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
ldd "$EEX" 2>/dev/null | grep -q -e libasan -e libtsan && skip "a sanitizer reserves more than any limit"
step=${EEX_LIMIT_STEP:-0}
most=2097152 # KiB
make_data
write_experiment tiny.lua
expect 0 "$EEX" data info tiny --sheet sheet.png
mkdir -p pictures/one pictures/two
for i in 1 2 3 4; do cp sheet.png pictures/one/$i.png && cp sheet.png pictures/two/$i.png; done
expect 0 "$EEX" run tiny.lua --threads 1 --out whole
results whole >whole.json

# limited KIB COMMAND...: true when it succeeds, false when it says that it cannot; anything else is a failure. A
# program that cannot be loaded ends with 127, or by the loader's hand before it says anything.
limited() {
    local limit=$1 status
    shift
    (ulimit -v "$limit" && exec "$@") >out 2>err
    status=$?
    [ $status -ne 0 ] || return 0
    if [ $status -eq 127 ] || grep -q "error while loading shared libraries" err; then
        return 1
    fi
    [ $status -eq 1 ] || fail "with $limit KiB \"${*:2}\" ended with $status"
    grep -q "^error: ..*" err || fail "with $limit KiB \"${*:2}\" ended without a message"
    return 1
}

# From where --help works: in even steps, or in some that grow.
start=8192
until (ulimit -v $start && exec "$EEX" --help) >out 2>err; do
    start=$((start + 2048))
    [ $start -lt $most ] || fail "the program does not start in $most KiB"
done
following() {
    if [ "$step" -gt 0 ]; then echo $(($1 + step)); else echo $(($1 + 4096 + ($1 - start) / 2)); fi
}

# sweep CHECK COMMAND...: up to the first limit that is enough, and CHECK after each that is not.
sweep() {
    local check=$1 limit=$start
    shift
    until limited $limit "$@"; do
        $check
        limit=$(following $limit)
        [ $limit -lt $most ] || fail "\"${*:2}\" is never done in $most KiB"
    done
    echo "${*:2:2}: from $start KiB, done in $limit"
}
parts() {
    local left
    left=$(find . -name '*.part')
    [ -z "$left" ] || fail "left behind: $left"
}
whole() {
    parts
    cmp -s <(results whole) whole.json || fail "the run that was read has changed"
}
# Each file that a run has earned stays, or is followed by what it led to.
earned=
going_on() {
    local file
    parts
    for file in $earned; do
        [ -e limited/"$file" ] || case $file in
        *checkpoint* | trials-*) ;;
        *) fail "$file was earned, and is lost" ;;
        esac
    done
    earned=$(ls limited 2>/dev/null)
}
data() {
    parts
    expect 0 "$EEX" data info tiny
}

sweep data "$EEX" data make synthetic --train 300 --test 60 --name other
sweep data "$EEX" data import pictures pictures --size 16
sweep whole "$EEX" show whole
sweep whole "$EEX" tune whole --accuracy -0.9 -o tuned.h5
sweep whole "$EEX" infer whole --split test --threads 1
sweep whole "$EEX" prune whole --exit 1 -o cut.h5 --threads 1 --no-latency
sweep whole "$EEX" stream whole simulated --frames 20 --threads 1
sweep going_on "$EEX" run tiny.lua --threads 1 --out limited
cmp -s <(results limited) whole.json || fail "after limits the result differs"

# The same, but each start in a folder of its own that is then gone on with.
limit=$start
for i in 1 2 3 4 5 6; do
    limited $limit "$EEX" run tiny.lua --threads 1 --out own$i
    expect 0 "$EEX" run tiny.lua --threads 1 --out own$i
    cmp -s <(results own$i) whole.json || fail "begun with $limit KiB, the result differs"
    limit=$((limit + 12288))
done

# A stack of a few KiB: the program starts or does not, but does not crash when it has started.
for stack in 16 32 64 128 256 1024; do
    (ulimit -s $stack && exec "$EEX" show whole) >out 2>err
    status=$?
    case $status in
    0 | 1 | 126 | 127) ;;
    *) [ ! -s err ] && [ $stack -lt 64 ] && continue # the system's own part of the start
        fail "with a stack of $stack KiB \"show\" ended with $status" ;;
    esac
done
exit 0
