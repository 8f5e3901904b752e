# A trusted script sets a locale with a decimal comma: what is printed and kept has points all the same.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1

name=de_DE.UTF-8
if ! locale -a 2>/dev/null | grep -qi '^de_DE.utf-\?8$'; then
    mkdir locale
    localedef -i de_DE -f UTF-8 "locale/$name" 2>/dev/null || skip "localedef makes no $name"
    export LOCPATH=$work/locale
    export ASAN_OPTIONS=detect_leaks=0 # the C library keeps the list of these paths
fi
make_data
write_experiment tiny.lua
(
    echo "assert(os.setlocale('$name'), 'no such locale')"
    echo "assert(os.setlocale(nil, 'numeric') == '$name')"
    echo "assert(('%.1f'):format(1.5) == '1.5' and tostring(1.5) == '1.5' and tonumber('1.5') == 1.5)"
    cat tiny.lua
) >comma.lua
expect 0 "$EEX" run tiny.lua --out plain --threads 1 --json
expect 0 "$EEX" run comma.lua --out comma --trust --threads 1 --json --set name=tiny
grep -q '": [0-9]*,[0-9]' out && fail "a comma within a number"
# What is kept says the same (the two runs differ in their scripts alone).
results plain >plain.json
results comma >comma.json
cmp plain.json comma.json >/dev/null || fail "$(diff plain.json comma.json)"
expect 0 "$EEX" cost comma.lua --trust
cp out comma.txt
expect 0 "$EEX" cost tiny.lua
cmp out comma.txt || fail "eex cost has other numbers"
printf 'os.setlocale("%s")\n1.5\nrun.best.accuracy == tonumber(tostring(run.best.accuracy))\n' $name >in
"$EEX" repl plain --trust <in >out 2>err || fail "the prompt"
out_has "1.5"
# The environment says nothing.
LC_ALL=$name expect 0 "$EEX" show plain --json
grep -q '": [0-9]*,[0-9]' out && fail "a comma within a number"
exit 0
