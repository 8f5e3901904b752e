# Scripts of other people.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1

# refused SCRIPT MESSAGE
refused() {
    printf '%s\n' "$1" >evil.lua
    expect 2 "$EEX" run evil.lua
    err_has "$2"
    [ -e "$work/touched" ] && fail "the script got through: $1"
}
refused "os.execute('touch $work/touched') return {}" "evil.lua:1"
refused "io.popen('touch $work/touched') return {}" "evil.lua:1"
refused "return { name = io.open('/etc/passwd'):read('a') }" "evil.lua:1"
refused "return { name = assert(loadfile('/etc/passwd')) }" "evil.lua:1"
refused "for line in io.lines('../../../../../../etc/passwd') do error(line) end" "evil.lua:1"
refused "require('package').loadlib('libc.so.6', 'system')" "evil.lua:1"
refused "load(string.dump(function() end))() return {}" "evil.lua:1"
refused "io.open('$work/touched', 'w') return {}" "evil.lua:1"
refused "local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end" "memory"

# A data set is one by name, or a file that the script may read.
make_data
write_experiment tiny.lua
mkdir folder
cp data/tiny.h5 folder/own.h5
ln -s ../data/tiny.h5 folder/link.h5
said() { # DATASET
    sed "s|name = \"tiny\", calibration|name = \"$1\", calibration|" tiny.lua >folder/script.lua
}
for name in /etc/passwd "$work/data/tiny.h5" ./data/tiny.h5 folder/link.h5 folder/../data/tiny.h5 \
    /no/such/file.h5; do
    said "$name"
    expect 2 "$EEX" run folder/script.lua --out "$work/touched"
    err_has "dataset.name"
    err_has "outside the experiment's folder"
    [ -e "$work/touched" ] && fail "\"$name\" was opened"
done
printf 'return { dataset = "/etc/passwd", backbone = require("eex").backbones.mobilenetv2 {} }' >folder/script.lua
expect 2 "$EEX" run folder/script.lua
err_has "outside the experiment's folder"
said folder/own.h5
expect 0 "$EEX" run folder/script.lua --out own --threads 1 --set search.trials=5
# What the user says is the user's own, and so is what he trusts.
said /etc/passwd
expect 0 "$EEX" run folder/script.lua --out set --threads 1 --set dataset.name=data/tiny.h5 --set search.trials=5
said "$work/data/tiny.h5"
expect 0 "$EEX" run folder/script.lua --out trust --threads 1 --set search.trials=5 --trust

# What lies beside a model is read with it.
cp -r own folder/model
ln -sf "$work/data/tiny.h5" folder/model/split.h5
for model in model model/final.h5; do
    printf 'require("eex").open("%s")\n' $model >folder/script.lua
    expect 2 "$EEX" run folder/script.lua
    err_has split.h5
    err_has "outside the experiment's folder"
done

# A loop without end is stopped by Ctrl-C, also under pcall.
for loop in "while true do end" "while true do pcall(function() while true do end end) end"; do
    printf '%s\n' "$loop" >loop.lua
    "$EEX" run loop.lua >out 2>err &
    pid=$!
    sleep 0.3
    kill -INT $pid
    wait $pid
    [ $? -eq 130 ] || fail "Ctrl-C did not stop \"$loop\""
done
exit 0
