# Scripts of other people.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh"

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
