# All that the Lua library exports is described, and nothing else; help and docs/lua-api.md say so.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1

expect 0 "$EEX" help lua --markdown
if [ -f "$EEX_SOURCE_DIR/docs/lua-api.md" ]; then
    mv out page
    diff "$EEX_SOURCE_DIR/docs/lua-api.md" page >out 2>err ||
        fail "docs/lua-api.md is not what it was made from: eex help lua --markdown >docs/lua-api.md"
fi
expect 0 "$EEX" help lua
out_has 'r:replay'
[ "$(grep -vc '^.\{0,80\}$' out)" -eq 0 ] || fail "lines of eex help lua are too wide"
expect 2 "$EEX" help lua more

make_data
write_experiment tiny.lua
expect 0 "$EEX" run tiny.lua --threads 1 --set search.front=2 --set rivals.base=true \
    --set rivals.epochs=1
cat >check.lua <<'LUA'
local eex, api, core = require "eex", require "eex.api", require "eex.core"
local function wrong(...)
  print("WRONG", ...)
end

-- The library.
local described = {}
for _, row in ipairs(api.functions) do
  described[row.name] = row
  if not row.text or row.text == "" then
    wrong(row.name, "has no text")
  end
end
local function walk(t, path)
  for key, value in pairs(t) do
    local name = path .. "." .. key
    if not described[name] then
      wrong(name, "is exported and not described")
    end
    if type(value) == "table" and name ~= "eex.conventions" and name ~= "eex.help" then
      walk(value, name)
    end
    described[name] = nil
  end
end
walk(eex, "eex")
for name in pairs(described) do
  wrong(name, "is described and not exported")
end

-- Objects: their methods.
local methods = core.classes()
for _, class in ipairs(api.classes) do
  for _, method in ipairs(class.methods) do
    if not (methods[class.name] or {})[method.name] then
      wrong(class.name, method.name, "is described and no method")
    end
    if not method.text or not method.call then
      wrong(class.name, method.name, "lacks a text, or how it is called")
    end
    (methods[class.name] or {})[method.name] = nil
  end
  for name in pairs(methods[class.name] or {}) do
    wrong(class.name, name, "is a method and not described")
  end
  methods[class.name] = nil
end
for name in pairs(methods) do
  wrong(name, "is a class and not described")
end

-- Fields: what is there is described, what is described was seen, or may be absent here.
local seen = {}
local function look(fields, name)
  local type, row = api.type(name), {}
  for _, field in ipairs(type and type.fields or {}) do
    row[field.name] = field
  end
  for key, value in pairs(fields) do
    local field = row[key]
    if not field then
      wrong(name, key, "is there and not described")
    else
      seen[name .. "." .. key] = true
      local _, list = api.type(field.is)
      if field.is and list then
        for i = 1, #value do look(value[i], (field.is:gsub("%[%]", ""))) end
      elseif field.is then
        look(value, field.is)
      end
    end
  end
end
local function look_at(list, name)
  for i = 1, #list do look(list[i], name) end
end
local r = eex.run("runs/tiny")
local m = r:model()
local p = r:policy { policy = "margin", a = 0.3, b = 0.01 }
local g = eex.families.resnet_small { size = 32, classes = 10 }
local gated = eex.backbones.resnet_small { blocks = 1 }
gated = gated:with_gates { { point = "layer2.0.relu_1", blocks = 1 } }
look(core.members(r), "run")
look(core.members(m), "model")
look(core.members(p), "policy")
look(core.members(r:policy { by = "prediction" }), "policy") -- of classes, by what
look(p:replay(), "outcome")
look_at(p:image(1), "word")
look(m:classify("test", 1), "result")
look(r:profile { images = 4, rounds = 3 }, "profile")
look_at(gated:nodes(), "node")
look_at(gated:parameters(), "parameter")
look_at(gated:exits(), "graph exit")
look_at(g:genes(), "gene")
look_at(eex.compare(r, r), "comparison")
local absent = "run.kendall_tau run.hypervolume member.failure rival.failure member exit.threshold trial.thresholds " ..
  "trial.network result.file comparison.dataset comparison.fingerprint run best.blocks"
for _, list in ipairs { api.classes, api.records } do
  for _, row in ipairs(list) do
    for _, field in ipairs(row.fields or {}) do
      local name = row.name .. "." .. field.name
      if not seen[name] and not absent:find(name, 1, true) then
        wrong(name, "is described and was not seen")
      end
      if field.is and not api.type(field.is) then
        wrong(name, "is of no record")
      end
    end
  end
end

-- Options: those described are taken, and others are not.
local calls = {
  ["eex.open"] = function(o) return eex.open("runs/tiny", o) end,
  ["eex.plot"] = function(o) return eex.plot({ 1 }, { 2 }, o) end,
  ["model:profile"] = function(o) return m:profile(o) end,
  ["run:profile"] = function(o) return r:profile(o) end,
  ["run:policy"] = function(o) return r:policy(o) end,
  ["run:replay"] = function(o) return r:replay(o) end,
  ["policy:with"] = function(o) return p:with(o) end,
  ["policy:set"] = function(o) return p:set(1, o) end,
  ["policy:cut"] = function(o) return p:cut(1, o) end,
  ["run:cut"] = function(o) return r:cut(1, o) end,
}
for _, group in ipairs { "backbones", "families", "predictors" } do
  for key, f in pairs(eex[group]) do
    calls[("eex.%s.%s"):format(group, key)] = f
  end
end
for name, f in pairs(calls) do
  local row = api.find(name)
  local function refused(option)
    local ok, why = pcall(f, { [option] = {} }) -- nothing takes an empty table
    return not ok and why:find("no such field", 1, true), why
  end
  for _, option in ipairs(row.options) do
    local no, why = refused(option.name)
    if no then wrong(name, option.name, why) end
    if not option.text then wrong(name, option.name, "has no text") end
  end
  if not refused("nobody") then wrong(name, "takes what it does not know") end
end

-- Everything has its help, by value and by name.
for _, f in ipairs { eex.open, eex.gates.blocks, eex.backbones.vgg, r.replay, m.run, p.with, r } do
  if not tostring(eex.help(f)):find("\n") then wrong(f, "has no help") end
end
print "checked"
LUA
expect 0 "$EEX" repl check.lua --trust </dev/null # it asks modules that scripts have no business with
out_has checked
! grep WRONG out || fail "the description and the library differ"
exit 0
