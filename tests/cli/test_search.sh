# Search algorithms of a run: each finds a front, the same one twice, and says what its models are worth.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh"
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --out first

# search NAME FOLDER OPTION...
search() {
    local name=$1 folder=$2
    shift 2
    expect 0 "$EEX" run tiny.lua --from first --out "$folder" --set search.algorithm="$name" "$@"
}
for name in random nsga2 surrogate; do
    options=()
    [ $name = surrogate ] && options=(--set search.initial=8 --set search.batch=4)
    search $name $name "${options[@]}"
    err_has "searching: $name, 20 trials"
    [ $name = surrogate ] && err_has 'after 8 trials: accuracy by ' && err_has 'after 16 trials: accuracy by '
    search $name again-$name "${options[@]}"
    [ "$(results $name)" = "$(results again-$name)" ] || fail "$name: another result the second time"
done
