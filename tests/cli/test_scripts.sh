# Scripts and sweeps of somebody else: what they can hand to C in another shape than it thinks, and what they may
# not reach by way of a file that sets fields.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
ends() { printf '%s\nreturn require("eex").backbones.resnet_small { size = 32 }\n' "$1" >script.lua; }
holds() { # LUA: it runs to its end, in which assertions stand
    ends "$1"
    expect 0 "$EEX" cost script.lua
}

# ---- the language's own functions, in large ----

holds 'for unit, n in pairs { abc = 6000000, abcdefg = 2000000, x = 9000000, [("q"):rep(300) .. "z"] = 40000 } do
    local s, length = unit:rep(n), #unit
    assert(#s == length * n and s:sub(-length) == unit)
    for i = 1, #s - length + 1, length * 977 do assert(s:sub(i, i + length - 1) == unit, i) end
end
assert(("ab"):rep(3, "-") == "ab-ab-ab" and ("ab"):rep(3000000, "-"):sub(-5) == "ab-ab" and ("a"):rep(1, "-") == "a")'
holds 'assert(table.remove({}, 0) == nil and table.remove({}, nil) == nil and table.remove({ 1, 2 }, 3) == nil)
assert(not pcall(table.remove, { 1, 2 }, 4) and not pcall(table.remove, {}, 2))'

# ---- tables whose functions take away what was lent ----

holds 'local core = require "eex.core"
local spec = { name = ("n"):rep(40), kind = "choice" }
setmetatable(spec, { __index = function(t, key)
    t.name = nil
    for i = 1, 50 do collectgarbage(); local _ = ("z"):rep(40) .. i end
    return key == "names" and { "a", "b" } or nil
end })
local ok, message = pcall(core.fields, "path", { [("n"):rep(40)] = "a" }, { spec })
assert(not ok and message:find("names: a list of texts", 1, true), message)'
holds 'local core = require "eex.core"
local row = { ("y"):rep(20 << 20) }
local rows = {}
for i = 1, 200 do rows[i] = row end
local ok, message = pcall(core.table, { "t" }, rows)
assert(not ok and message:find("at most", 1, true), message)
local titles, empty = {}, {}
for i = 1, 100000 do titles[i], empty[i] = "t", {} end
ok, message = pcall(core.table, titles, empty)
assert(not ok and message:find("cells", 1, true), message)'
ends 'local depth = 0
local function dig() depth = depth + 1; if depth < 150000 then return 1 + dig() end; require("eex.core").fail("x") end
load("local dig = ...; return dig()", "=x")(dig)'
begin=$(date +%s)
"$EEX" cost script.lua >out 2>err
[ $(($(date +%s) - begin)) -lt 15 ] || fail "where a script failed takes ages to find"

# ---- the prompt ----

echo 'setmetatable(_G, { __newindex = function() error "strict" end }); return { 7 }' >strict.lua
echo 'experiment[1]' | "$EEX" repl strict.lua >out 2>err || fail "globals that take no names end the prompt"
out_has 7

# ---- a base that reads other images ----

expect 0 "$EEX" run tiny.lua --threads 1 --set training.epochs=1
expect 0 "$EEX" import "$EEX_SOURCE_DIR/tests/fixtures/network_plain.onnx" --dataset elsewhere -o other.h5
expect 2 "$EEX" profile runs/tiny --base other.h5 --images 20 --batch 1 --rounds 3 --threads 1
err_has "reads images of 32x32x3, the base other.h5 of 8x8x3: both are timed on the same images"
expect 0 "$EEX" profile runs/tiny --base runs/tiny/base.h5 --images 20 --batch 1 --rounds 3 --threads 1

# ---- what a sweep's file sets is the file's, not the user's ----

mkdir -p elsewhere sweep
cp data/tiny.h5 elsewhere/secret.h5
cp tiny.lua sweep
cat >sweep/s.lua <<LUA
return { experiment = "tiny.lua", set = { ["dataset.name"] = "$work/elsewhere/secret.h5" }, grid = { seed = { 1 } } }
LUA
sed -i 's/grid = { seed = { 1 } }/grid = { ["training.lr"] = { 0.1 } }/' sweep/s.lua
expect 2 "$EEX" sweep sweep/s.lua --local 1 --out swept
err_has "is outside the experiment's folder"
expect 1 "$EEX" run sweep/tiny.lua --set dataset.name="$work/elsewhere/nothing.h5" --out mine
grep -q "outside the experiment" err && fail "what the user sets is the user's own"
for name in .. . .hidden; do
    echo "return { name = \"$name\", experiment = \"tiny.lua\", grid = { [\"training.lr\"] = { 0.1 } } }" >sweep/named.lua
    expect 2 "$EEX" sweep sweep/named.lua --local 1
    err_has "no dot in front"
done
echo 'return { experiment = "tiny.lua", grid = { ["training.lr"] = { 0.1 } },
    slurm = { partition = "gpu --error=/tmp/x" } }' >sweep/cluster.lua
"$EEX" sweep sweep/cluster.lua --slurm --out clustered >out 2>err
[ $? = 2 ] || fail "an option within a partition's name is taken"
err_has 'slurm.partition: letters, digits and -_.,:+@/ alone, got "gpu --error=/tmp/x"'
echo "scripts of others: large texts, borrowed ones, strict globals, sweeps"
