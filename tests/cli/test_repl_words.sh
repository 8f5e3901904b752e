# What the prompt has besides Lua: _, x?, !command, completion, pictures, and policies as objects.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1

# says INPUT STDOUT STDERR [ARGUMENTS]: a text that is empty is not looked for; what is said on stderr
# is an error, and ends it with 1
says() {
    printf '%s\n' "$1" >in
    expect "$([ -z "$3" ] && echo 0 || echo 1)" "$EEX" repl "${@:4}" <in
    [ -z "$2" ] || out_has "$2"
    [ -z "$3" ] || err_has "$3"
}
make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1 --set 'saliency={"add1", "add2", "add3"}' --set gates.required=true \
    --set gates.blocks=0 --set search.trials=1 --set search.population=1 --set search.sample=1

# ---- words ----
says $'6 * 7\n_ + 1' 43 ''
says $'_ = 5\nnil\nlocal x = 1\n_' 5 ''
says $'1, 2\n_' 1 ''
says 'run:replay?' 'r:replay {' '' runs/tiny
says 'run.best?' 'ada_macs_cumulative' '' runs/tiny
says 'run:policy { policy = "margin" }:without?' 'p:without(exit, ...)' '' runs/tiny
says 'eex.open ?' 'eex.open(path [, options])' ''
says 'help' 'the library:' ''
says 'help(eex.gates.up_to)' 'eex.gates.up_to(n [, options])' ''
says 'help "run:cut"' 'r:cut(exit' ''
says 'nobody?' 'nothing is known about "nobody"' ''
says '1 -- why?' 1 ''
says $'for i = 1, 2 do -- ready?\nprint("line " .. i)\nend' 'line 2' ''
says '!echo shell' '' 'were started with --trust'
says '!echo "$((40 + 2))" shell' '42 shell' '' --trust
says '!exit 3' '' 'exit status 3' --trust
says 'run.best.exits' 'position  node' '' runs/tiny
says '{ { n = 1, word = "a" }, { n = 22, word = "bc" } }' ' 1  a' ''

# ---- Tab ----
completes() {
    says "table.concat(require 'eex.complete'([==[$1]==], [==[$2]==]), ' ')" "" '' runs/tiny --trust
    [ "$(cat out)" = "$3" ] || fail "\"$1\" is completed to \"$(cat out)\", expected \"$3\""
}
completes 'x = run:re' 'run:re' 'run:replay'
completes 'run.se' 'run.se' 'run.seconds run.seed'
completes 'run:se' 'run:se' ''
completes 'run.best.exits[1].ut' '.ut' '.utilisation'
completes 'run:policy { policy = "x" }:wi' ':wi' ':with :without'
completes 'run:policy("}").para' '.para' '.parameters'
completes 'run:replay { po' 'po' 'policy = '
completes 'run:replay { policy = "a", t' 't' 'target =  temperature =  tune = '
completes 'eex.open("x", { th' 'th' 'threads =  threshold = '
completes 'eex.gates.bl' 'eex.gates.bl' 'eex.gates.blocks'
completes 'print("run:re' 'run:re' ''
completes 'whi' 'whi' 'while'
says $'setmetatable(_G, { __index = function() error("looked") end })\n'"#require 'eex.complete'('nobody.x', 'nobody.x')" 0 '' --trust

# What help and completion work with no script has.
for module in api api.classes complete help inspect resolve nets.parts plot_svg; do
    says "require 'eex.$module'" '' 'is for the library alone'
done
says 'for _, name in ipairs { "", ".core", ".gates", ".plot", ".backbones", ".backbones.vgg", ".families.resnet50" } do
  require("eex" .. name) end print "given"' given ''
says 'require "eex.help.of_value"' '' 'there is no module "eex.help.of_value" in the eex library'

# ---- policies against what other commands say ----
expect 0 "$EEX" prune runs/tiny --json --no-latency
cp out prune.json
says 'for k = 1, #run:policy().exits do local p = run:cut(k) local o = p:replay()
  print(("%d %.6f %.3f %d"):format(k, o.accuracy, o.macs, p.parameters)) end' '' '' runs/tiny
cp out cuts
if command -v python3 >/dev/null; then
    python3 - prune.json cuts <<'PY' || fail "cuts at the prompt are not those of eex prune"
import json, sys
rows = [r for r in json.load(open(sys.argv[1]))["cut"]]
for line in open(sys.argv[2]):
    k, accuracy, macs, parameters = line.split()
    row = rows[int(k) - 1]
    assert abs(row["accuracy"] - float(accuracy)) < 1e-5, (row, line)
    assert abs(row["macs"] - float(macs)) < 1e-2, (row, line)
    assert row["params"] == int(parameters), (row, line)
PY
fi
# A zero is no end of a text.
for text in 'eex.open("runs/tiny\0x")' 'eex.run("runs/tiny\0x")' 'run:replay { policy = "margin\0x" }' \
    'run:replay { ["a\0"] = 1 }' 'run:policy():replay "validation\0"' 'run:cut "end\0"' \
    'run:model():classify("test\0", 1)' 'run:model():run "test\0"' 'plot({ 1 }, { 1 }, { title = "a\0" })'; do
    expect 1 "$EEX" repl runs/tiny <<<"$text"
    grep -qE 'without zeros|[\\]0' err || fail "$text: its zero is not named"
done
# What cannot be a target is refused; one that nothing reaches is one with a word.
for nothing in '"accuracy", target = 99' '"macs", target = -1' '"macs"' '"weighted", target = 1 / 0' \
    '"none", target = 3'; do
    says "run:replay { policy = 'margin', tune = $nothing }" '' 'target:' runs/tiny
    says "run:policy { policy = 'margin' }:with { tune = $nothing }" '' 'target:' runs/tiny
done
for unreached in '"accuracy", target = 1' '"macs", target = 1'; do
    expect 0 "$EEX" repl runs/tiny <<<"run:policy { policy = 'margin', tune = $unreached }.kind"
    err_has "policy.target: no thresholds of runs/tiny"
done
says 'run:policy { policy = "margin", tune = "accuracy", target = -0.5 }:with { tune = "none" }.kind' margin '' runs/tiny
[ -s err ] && fail "a target that is reached has a word"
cat >policies.lua <<'LUA'
local r = require "eex".run "runs/tiny"
local own = r:policy()
assert(own:replay().accuracy == r.best.validation_accuracy, "its own policy is another")
local p = r:policy { policy = "margin", a = 0.002 }
assert(p:replay().macs == r:replay { policy = "margin", a = 0.002 }.macs)
-- A gate that is dropped lets nobody leave and costs nothing.
local o, less = p:replay(), p:without(1):replay()
local gate = p.exits[1].macs - p:cut(1, { alone = true }).macs
assert(gate == 0, "alone, a first exit costs what it costs")
assert(#less.exits == #o.exits - 1 and less.exits[1].exit == 2)
local shut = p:set(1, { a = 2 }):replay() -- a margin that there is not
assert(shut.exits[1].utilisation == 0 and shut.accuracy == less.accuracy)
assert(shut.macs > less.macs, "the gate that is there costs something")
for k = 1, #less.exits do
  assert(shut.exits[k + 1].utilisation == less.exits[k].utilisation)
end
-- by number and by name
assert(p:without(p.exits[2].node):replay().macs == p:without(2):replay().macs)
assert(p:without(1, 2):without(3).macs == p:cut("end", { alone = true }).macs)
-- with: the rule again; set: by hand
assert(p:with { a = 0.5 }:replay().macs == r:replay { policy = "margin", a = 0.5 }.macs)
local e = r:policy { policy = "entropy", a = 2.25, temperature = 2 }
assert(math.abs(e.exits[1].a - 2.25) < 1e-6 and e.exits[1].temperature == 2)
assert(e:set(1, { a = 2.25 }):replay().macs == e:replay().macs)
assert(e:set(2, { temperature = 4 }).exits[2].temperature == 4 and e.exits[2].temperature == 2)
-- one image: the first exit that does not let it go on is where it leaves
local left, rows = 0, p:image(3)
for k, row in ipairs(rows) do
  if row.decision ~= "goes on" and left == 0 then left = k end
end
local shares = {}
for i = 1, 50 do
  for k, row in ipairs(p:image(i)) do
    if row.decision ~= "goes on" then shares[k] = (shares[k] or 0) + 1 break end
  end
end
for k, exit in ipairs(o.exits) do
  assert(math.abs((shares[k] or 0) / 50 - exit.utilisation) < 1e-9, "images leave elsewhere")
end
assert(not pcall(p.image, p, 51) and not pcall(p.image, p, 0))
local function refused(why, f, ...)
  local ok, message = pcall(f, ...)
  assert(not ok and message:find(why, 1, true), message)
end
refused("the network has 1 to 4", p.without, p, 5)
refused("is where it ends", p.without, p, 4)
refused("is not there any more", p:without(2).without, p:without(2), 2)
refused("kept as it was fitted", own.with, own, { a = 1 })
refused("no such field", p.set, p, 1, { threshold = 1 })
refused("calibration", p.replay, p, "test")
refused("is about the validation split", require "eex".compare, p, p:replay "calibration")
refused("expected runs", require "eex".compare, 1)
refused('eex.run("FOLDER") is a run', require "eex".compare, "runs/tiny")
refused("prompt may", require "eex".plot, { 1 }, { 2 }, { file = "a.svg" }) -- a script
print "policies are right"
LUA
says '1' 'policies are right' '' policies.lua
[ -e a.svg ] && fail "a script wrote a picture"

# ---- plots and pictures ----
says 'plot({ 1, 2, 3 }, { 3, 1, 2 }, { height = 4, width = 30 })' '*' ''
says 'plot({ { a = 1, b = 2 }, { a = 2, b = 0 / 0 } }, "a", "b")' '*' ''
says 'plot({ 0 / 0 })' '' 'no finite number'
says 'plot({ 1, 2 }, { 1 })' '' 'as many x as y'
# What is not drawn is said; all that is finite is drawn, also what is farther apart than a number can be.
says 'plot({ 1, 2, 0 / 0, 1 / 0 }, { 1, 2, 3, 4 })' 'not drawn: 2 of 4 points, which are not finite' ''
says 'plot({ 1, 2, 3 }, { 1, -1 / 0, 3 }, { file = "a.svg" })' a.svg ''
grep -q '>not drawn: 1 of 3 points' a.svg || fail "a picture does not say what is not in it"
for list in '1e308, -1e308' '1.7e308, -1.7e308' 'math.maxinteger, math.mininteger' '5e-324, 0' '1.79e308, 1.79e308' \
    '5e-324, 5e-324' '1e16, 1e16 + 2'; do
    says "select(2, plot({ $list }, { 1, 2 }):gsub('[*]', '*'))" 2 ''
    says "plot({ $list }, { 1, 2 }, { file = 'a.svg', force = true })" a.svg ''
    [ "$(grep -c '<circle' a.svg)" = 2 ] || fail "$list: not both points are in the picture"
    grep -qE 'nan|inf' a.svg && fail "$list: places that are none"
done
says 'plot({ 1, 2 }, { 3, 4 }, { file = "a.svg", force = true, title = "<&>" })' a.svg ''
grep -q '&lt;&amp;&gt;' a.svg && grep -q '</svg>' a.svg || fail "the picture is wrong"
says 'plot({ 1, 2 }, { 3, 4 }, { file = "a.png" })' '' 'ends in .svg'
says 'plot({ 1 }, { 2 }, { file = "../a.svg" })' '' 'outside'
ln -s /etc out.d
says 'plot({ 1 }, { 2 }, { file = "out.d/a.svg" })' '' 'outside'
echo kept >target
ln -sf target link.svg
says 'plot({ 1 }, { 2 }, { file = "link.svg", force = true })' link.svg ''
[ "$(cat target)" = kept ] || fail "a picture was written through a link"
echo mine >mine.svg
ln -s nowhere dangling.svg
cp runs/tiny/final.h5 net.svg
cp net.svg kept.h5
for there in mine dangling net; do
    says "plot({ 1 }, { 2 }, { file = \"$there.svg\" })" '' "$there.svg is there already"
done
says 'plot({ 1 }, { 2 }, { file = "net.svg", force = true })' '' 'never replaced'
[ "$(cat mine.svg)" = mine ] && [ -L dangling.svg ] && cmp -s net.svg kept.h5 || fail "a picture took the place of a file"
says 'plot({ 1 }, { 2 }, { file = "mine.svg", force = true })' mine.svg ''
grep -q '</svg>' mine.svg || fail "force = true does not replace"

# ---- eex.repl() ----
cat >stops.lua <<'LUA'
local eex = require "eex"
local outer = "upvalue" setmetatable(_G, { __index = function() print "LOOKED" end, __eq = function() print "LOOKED" end })
local function build(size)
  local depth = 3
  eex.repl()
  print("went on with", depth, size, outer)
  return { name = "x" }
end
return build(32)
LUA
printf '%s\n' 'size, depth, outer' 'depth = 7' 'outer = "changed"' 'new = 1' 'os.execute' 'keep = function() return depth end' 'keep()' >in
expect 0 "$EEX" repl stops.lua <in
out_has 'stopped at stops.lua:5; locals: size, depth'
out_has '32	3	upvalue'
out_has 'went on with	7	32	changed'
expect 2 "$EEX" cost stops.lua <in
err_has 'nobody is at a terminal'
says 'eex.repl()' 'stopped at stdin:1' ''

# ---- what is asked runs nothing of the script ----
says $'nobody?\nnobody.x?\nsize?\neex.plot?\nplot?' 'eex.plot(x, y' '' stops.lua
[ "$(grep -c LOOKED out)" = 0 ] || fail "a question asks the metatable of the globals"
says 'setmetatable(_G, { __index = function() print "LOOKED" end })
nobody?' 'nothing is known' ''
[ "$(grep -c LOOKED out)" = 0 ] || fail "a question asks the metatable of the globals"

# ---- pictures are for what is typed, not for what a script slips in ----
# draws PICTURE INPUT TRICK: the trick has draw(...), which draws and returns its arguments
draws() {
    rm -f sly.svg
    cat >sly.lua <<LUA
local eex, fetch, pack, unpack, try = require "eex", require, table.pack, table.unpack, pcall
local plot, busy = eex.plot, false
library = { plot = plot }
function draw(...)
  if not busy then
    busy = true
    try(plot, { 1 }, { 2 }, { file = "sly.svg" })
    busy = false
  end
  return ...
end
local function draws_first(t)
  local names = {}
  for name, f in next, t do
    if type(f) == "function" and f ~= draw then names[name] = f end
  end
  for name, f in next, names do
    t[name] = function(...) draw() return f(...) end
  end
end
$3
return {}
LUA
    printf '%s\n' "$2" >in
    "$EEX" repl sly.lua <in >out 2>err
    local there=no
    [ -e sly.svg ] && there=yes
    [ "$there" = "$1" ] || fail "drawn: $there, expected: $1: $3: $2: $(cat out err)"
}
draws no 'nobody' 'draw()'
draws yes 'draw()' '' # which a person has said
draws no $'1\neex?' 'function require(name) draw() return fetch(name) end'
draws no $'1\n{ { n = 1 } }\neex?\nlibrary.plot({ 1 }, { 2 })' 'draws_first(_G)'
draws no $'1\n{ { n = 1 } }\neex?\n("x")?\nplot({ 1 }, { 2 })' 'draws_first(string) draws_first(table) draws_first(math)'
for module in eex eex.core eex.gates eex.backbones; do
    draws no $'1\nrun\neex?\neex.help?\nhelp(1)\nplot({ 1 }, { 2 })' "draws_first(fetch '$module')"
done
draws no 'x' 'x = setmetatable({}, { __tostring = function() return draw "x" end })'
draws no '{ a = { x } }' 'x = setmetatable({}, { __tostring = function() return draw "x" end })'
draws no 'error(x)' 'x = setmetatable({}, { __tostring = function() return draw "x" end })'
draws no $'f()\nx' 'x = setmetatable({}, { __tostring = function() return draw "x" end })
function f() eex.repl() end'
draws no 'x' 'x = setmetatable({ { n = 1 }, { n = 2 } }, { __metatable = "fields", __len = function() return draw(2) end,
  __index = function(t, k) return draw(nil) end, __pairs = draw })'
draws no $'x?\nx.y?\nx[1].z?' 'x = setmetatable({}, { __index = draw, __len = draw, __eq = draw, __tostring = draw })'
draws no $'f()\nx?' 'setmetatable(_G, { __index = draw, __eq = draw }) function f() eex.repl() end'
# An error that a line catches is no end of what was typed; what it runs to tell itself was not typed.
drawn='; plot({ 1, 2 }, { 3, 4 }, { file = "typed.svg" })'
for caught in 'load("\27Lua")' 'load(function() error "x" end)' 'load(function() error {} end)' \
    'load(function() error(setmetatable({}, { __tostring = error })) end)'; do
    rm -f typed.svg
    says "$caught$drawn" '' ''
    [ -e typed.svg ] || fail "behind $caught nothing is typed any more"
done
draws no 'load(function() error(x) end)' 'x = setmetatable({}, { __tostring = function() return draw "x" end })'
says 'error(setmetatable({}, { __tostring = error }))' '' 'error object is a table value'

says $'function string.trim(s) return s:match "^%s*(.-)%s*$" end\n(" a "):trim() .. "|"' 'a|' ''

# ---- at a terminal ----
command -v python3 >/dev/null || exit 0
cat >terminal.py <<'PY'
import os, pty, select, sys, termios, time
pid, fd = pty.fork()
if pid == 0:
    os.execvpe(sys.argv[1], sys.argv[1:], dict(os.environ, TERM="xterm", COLUMNS="80", XDG_STATE_HOME=os.getcwd()))
seen = whole = ""
def wait(text):
    """Until that has been printed."""
    global seen, whole
    end = time.monotonic() + 60
    while text not in seen:
        if time.monotonic() > end or not select.select([fd], [], [], 60)[0]:
            sys.exit(f"no {text!r} after: {seen!r}")
        read = os.read(fd, 4096).decode(errors="replace")
        seen += read
        whole += read
    seen = seen[seen.index(text) + len(text):]
def typed(keys, answer):
    os.write(fd, keys.encode())
    wait(answer)
wait("stopped at stops.lua:5")
wait("stop> ")
typed("dep\t * 111\n", "333")
wait("stop> ")
typed("plot({ 1 }, { 2 }, { tit\t", "le = ")
typed("\x15nobody.x\t", "nobody.x")
assert "LOOKED" not in whole, "completing asks the metatable of the globals"
typed("\x15plot({ 1 }, { 2 }, { tit\t", "le = ")
typed("\"seen\" })\n", "seen\r\n")
wait("stop> ")
typed("while true do end\n", "while true do end\r\n")
time.sleep(0.3) # or Ctrl-C would end the line, which does as well
os.write(fd, b"\x03")
wait("stop> ")
# Before the prompt reads keys one by one, Ctrl-D is something else: an end, or a NUL behind what was typed too.
typed("\x00\x15size = 33 print('set ' .. size) for i = 1, 5e7 do end\n", "set 33")
assert termios.tcgetattr(fd)[3] & termios.ICANON, "it reads keys while it calculates"
typed("\x04", "went on with\t3\t33")
PY
expect 0 python3 terminal.py "$EEX" cost stops.lua
exit 0
