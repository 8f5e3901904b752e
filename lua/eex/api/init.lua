-- Everything that is described, by name: api.find, api.sections. One source for help, completion and
-- docs/lua-api.md. What C or the networks know already is taken from there: the arguments of graphs'
-- methods, the options of networks, the fields of a policy.
local core = require "eex.core"
local parts = require "eex.nets.parts"

-- Rows as they are written, to be completed here: copies, because this may end early, for want of memory or by
-- Ctrl-C, and begins again where it is asked for the next time.
local function copied(value, copies)
  if type(value) ~= "table" then
    return value
  end
  if not copies[value] then
    copies[value] = {}
    for key, member in pairs(value) do
      copies[value][key] = copied(member, copies)
    end
  end
  return copies[value]
end

local copies = {}
local api = { functions = copied(require "eex.api.library", copies), classes = copied(require "eex.api.classes", copies),
  records = copied(require "eex.api.records", copies) }

-- ---- sets of options that other tables know ----

-- Those of a policy, as an experiment has them; `kind` is called `policy` where it has no table of its own.
local function policy_options()
  local options = core.described_fields("policy.")
  for _, option in ipairs(options) do
    option.name = option.name == "kind" and "policy" or option.name
  end
  return options
end

local function network_options(name, functions)
  local rows = {}
  for key, f in pairs(functions) do
    local about = parts.about(f)
    rows[#rows + 1] = { name = ("eex.%s.%s"):format(name, key), call = "([options])", text = about.text,
      options = about.options, gives = "graph" }
  end
  table.sort(rows, function(a, b) return a.name < b.name end)
  return rows
end

-- How graphs' methods are called, and their options, which rows say by name: { default, meaning }.
local function graph_methods(rows)
  local by_name = {}
  for _, method in ipairs(core.described_methods()) do
    by_name[method.name] = method
  end
  for _, row in ipairs(rows) do
    local known = by_name[row.name]
    if known then
      row.call = known.call:match("[%(%s].*$")
      local said = row.options or {}
      row.options = {}
      for i, name in ipairs(known.options) do
        local option = said[name] or {}
        row.options[i] = { name = name, usual = option[1], text = option[2] }
      end
    end
  end
end

-- ---- all of it ----

local by_name = {}

local function add(row, name)
  row.path = name
  by_name[name] = row
end

local function fill()
  local policy = policy_options()
  for _, group in ipairs { "backbones", "families", "predictors" } do
    local rows = network_options(group, require("eex." .. group))
    table.move(rows, 1, #rows, #api.functions + 1, api.functions)
  end
  graph_methods(api.functions)
  for _, row in ipairs(api.functions) do
    add(row, row.name)
  end
  for _, class in ipairs(api.classes) do
    add(class, class.name)
    if class.name == "graph" then
      graph_methods(class.methods)
    end
    for _, method in ipairs(class.methods) do
      add(method, class.name .. ":" .. method.name)
    end
    for _, field in ipairs(class.fields or {}) do
      add(field, class.name .. "." .. field.name)
    end
  end
  for _, record in ipairs(api.records) do
    add(record, record.name)
    for _, field in ipairs(record.fields) do
      field.path = record.name .. "." .. field.name
    end
  end
  for _, row in pairs(by_name) do
    if row.options == "policy" then
      row.options = policy
    elseif type(row.options) == "string" then
      row.options = by_name[row.options].options
    end
  end
end

fill()

-- The row of that name: "eex.open", "run:replay", "run.best", "outcome"; nil.
function api.find(name)
  return by_name[name]
end

-- The row of a class or record, and whether it is of a list of them.
function api.type(name)
  if not name then
    return nil
  end
  return by_name[name:gsub("%[%]$", "")], name:find("%[%]$") ~= nil
end

-- The row of a field of a class or record, which may be nil.
function api.field(type, name)
  for _, field in ipairs(type and type.fields or {}) do
    if field.name == name then
      return field
    end
  end
end

-- Functions by what they are.
local by_value

-- What the library has by that name. Scripts have copies of its tables, which they may have changed.
local function value_of(name, at)
  for part in name:match("^eex%.(.*)"):gmatch("[^.]+") do
    at = type(at) == "table" and rawget(at, part) or nil
  end
  return at
end

local function rows_by_value()
  local rows = {}
  for _, row in ipairs(api.functions) do
    local there = value_of(row.name, require "eex")
    local given = value_of(row.name, require_given "eex")
    if there ~= nil and type(there) ~= "string" then
      rows[there] = row
    end
    if type(given) == "table" then
      rows[given] = row
    end
  end
  for class, methods in pairs(core.classes()) do
    for name, f in pairs(methods) do
      rows[f] = by_name[class .. ":" .. name]
    end
  end
  return rows
end

-- The row of a function of the library, or of a method.
function api.of_value(value)
  by_value = by_value or rows_by_value() -- all of them, or none
  return by_value[value]
end

return api
