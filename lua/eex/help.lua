-- help(x): what is known about a function, an object or a name, as text that prints itself at the prompt;
-- and all of it as a page.
local api = require "eex.api"
local core = require "eex.core"
local resolve = require "eex.resolve"

local help = {}

-- Words of the prompt that are no part of the library.
help.prompt = {
  { name = "_", text = "the last result" },
  { name = "help(x), x?", text = 'what is known about x: help(eex.open), run:replay?, help "outcome"' },
  { name = "compare(a, b)", text = "eex.compare" },
  { name = "plot(x, y)", text = "eex.plot" },
  { name = "!command", text = "runs a command of the shell, with --trust" },
  { name = "run, model, experiment", text = "what the prompt was given" },
}

-- ---- pieces of text ----

local short = { graph = "g", model = "m", run = "r", policy = "p" }

-- How a function or method is called: "r:policy { ... }".
local function call(row)
  local class, method = row.path:match("^(%w+):(.*)$")
  local name = class and short[class] .. ":" .. method or row.path
  return name .. (row.call or "")
end

local function gives(row)
  return row.gives and "  ->  " .. row.gives or ""
end

local function described(row)
  local text = row.text or ""
  if row.usual and row.usual ~= "" then
    text = ("%s%s(%s)"):format(text, text ~= "" and " " or "", row.usual)
  end
  return text
end

local function put_rows(out, title, rows)
  if not rows or #rows == 0 then
    return
  end
  out[#out + 1] = title
  local widest = 0
  for _, row in ipairs(rows) do
    widest = math.max(widest, #row.name)
  end
  for _, row in ipairs(rows) do
    local line = ("  %s%s  %s"):format(row.name, (" "):rep(widest - #row.name), described(row))
    out[#out + 1] = (line:gsub("%s+$", ""))
  end
end

local function put_members(out, row)
  put_rows(out, "fields:", row.fields)
  if row.methods then
    out[#out + 1] = "methods:"
    for _, method in ipairs(row.methods) do
      out[#out + 1] = ("  %s%s"):format(call(method), gives(method))
      out[#out + 1] = "      " .. method.text
    end
  end
end

-- ---- of one thing ----

local function put_functions(out, name)
  local title = "functions:"
  for _, row in ipairs(api.functions) do
    local rest = row.name:match("^" .. name:gsub("%.", "%%.") .. "%.([^.]*)$")
    if rest then
      out[#out + 1], title = title, nil
      out[#out + 1] = ("  %s%s"):format(rest, row.call or "")
      out[#out + 1] = "      " .. row.text
    end
  end
end

local function of_row(row)
  local out = { row.call and call(row) .. gives(row) or row.path .. (row.is and "  is a  " .. row.is or "") }
  out[#out + 1] = "  " .. (row.text or "")
  put_rows(out, "options:", row.options)
  put_members(out, row)
  put_functions(out, row.path)
  if row.gives or row.is then
    local type = api.type(row.gives or row.is)
    if type and type.fields and not type.methods then
      put_rows(out, ("%s, %s:"):format(type.name, type.text), type.fields)
    end
  end
  return table.concat(out, "\n")
end

local function overview()
  local out = { "The eex library; help(x) or x? says more." }
  put_rows(out, "at the prompt:", help.prompt)
  local functions, types = {}, {}
  for _, row in ipairs(api.functions) do
    if not row.name:find("%..*%.") then
      functions[#functions + 1] = { name = row.name, text = row.text:match("^[^.;:]+") }
    end
  end
  for _, class in ipairs(api.classes) do
    types[#types + 1] = { name = class.name, text = class.text:match("^[^.;:]+") }
  end
  put_rows(out, "the library:", functions)
  put_rows(out, "objects:", types)
  out[#out + 1] = "eex help fields lists what an experiment may say, eex help lua all of this."
  return table.concat(out, "\n")
end

-- A path as it is written: "run:replay" of a name at the prompt, whose class it is known by.
local function find_path(path)
  local row = api.find(path) or api.find(path:gsub("[.:]([^.:]+)$", ":%1")) or
    api.find("eex." .. path)
  if row then
    return row
  end
  local short_name, member = path:match("^(%a)([.:].*)$")
  for class, letter in pairs(short) do
    if letter == short_name then
      return api.find(class .. member) or api.find(class .. member:gsub("^%.", ":"))
    end
  end
end

local function nearest(path)
  local last = path:match("[^.:]+$") or path
  local found = {}
  for _, list in ipairs { api.functions, api.classes, api.records } do
    for _, row in ipairs(list) do
      found[#found + 1] = row.path:find(last, 1, true) and row.path or nil
      for _, method in ipairs(row.methods or {}) do
        found[#found + 1] = method.name:find(last, 1, true) and method.path or nil
      end
    end
  end
  return #found > 0 and "; there are " .. table.concat(found, ", ", 1, math.min(#found, 8)) or ""
end

-- What is known about a value; nil where nothing is.
function help.of_value(value)
  local row = type(value) ~= "string" and api.of_value(value) or api.find(core.class(value) or "")
  return row and of_row(row)
end

local text = { __tostring = function(self) return core.wrap(self.text) end, __metatable = "text" }

local function says(said)
  return setmetatable({ text = said }, text)
end

function help.about(...)
  core.arguments("help", 1, ...)
  local what = ...
  if select("#", ...) == 0 then
    return says(overview())
  end
  if type(what) == "string" then
    local row = find_path(what)
    return says(row and of_row(row) or ("nothing is known about %q%s"):format(what, nearest(what)))
  end
  return says(help.of_value(what) or type(what) == "table" and "a table; its fields are shown by its name alone" or
    ("a %s"):format(type(what)))
end

-- x? at the prompt: `said` is x as it was typed, `names` what it may begin with.
function help.question(said, names)
  if not said:find("%S") then
    return help.about()
  end
  local state = resolve.state(said, names)
  local row = state and state.row
  if row then
    return says(of_row(row))
  elseif state and state.value ~= nil and help.of_value(state.value) then
    return says(help.of_value(state.value))
  elseif state and (state.type or state.said) then
    return says(of_row(state.type or api.type(state.said)))
  end
  local field = help.field(said, names)
  return field and says(of_row(field)) or help.about(said)
end

-- A field of an object: "run.best".
function help.field(said, names)
  local object, name = said:match("^(.*)[.:]([%a_][%w_]*)%s*$")
  local state = object and resolve.state(object, names)
  local class = state and state.value ~= nil and core.class(state.value)
  if class then
    return api.find(class .. "." .. name) or api.find(class .. ":" .. name)
  end
  return state and api.field(state.type or api.type(state.said), name)
end

-- ---- the page ----

local function code(said)
  return "`" .. said:gsub("^%s+", "") .. "`"
end

local function cell(said)
  return ((said or ""):gsub("|", "\\|"))
end

local function put_table(out, titles, rows)
  if #rows == 0 then
    return
  end
  out[#out + 1] = "| " .. table.concat(titles, " | ") .. " |"
  out[#out + 1] = "|" .. ("---|"):rep(#titles)
  for _, row in ipairs(rows) do
    out[#out + 1] = "| " .. table.concat(row, " | ") .. " |"
  end
  out[#out + 1] = ""
end

-- `printed` has the options that the page has already, with the name that they stood under.
local function put_function(out, row, printed)
  local options = row.options and #row.options > 0 and row.options or nil
  local seen = options and printed[options]
  out[#out + 1] = ("%s: %s%s%s"):format(code(call(row)), cell(row.text),
    row.gives and (" Returns: %s."):format(row.gives) or "",
    seen and (" Options as those of %s."):format(code(seen)) or "")
  out[#out + 1] = ""
  if not options or seen then
    return
  end
  printed[options] = row.path
  local rows = {}
  for i, option in ipairs(options) do
    local usual = option.usual and option.usual ~= "" and option.usual or "-"
    rows[i] = { code(option.name), cell(usual), cell(option.text) }
  end
  put_table(out, { "option", "default", "meaning" }, rows)
end

local function put_fields(out, fields)
  local rows = {}
  for i, field in ipairs(fields or {}) do
    rows[i] = { code(field.name), cell(field.text) .. (field.is and (": %s"):format(field.is) or "") }
  end
  put_table(out, { "field", "what it is" }, rows)
end

function help.page()
  local out = { "# The Lua library", "",
    "Made by `eex help lua --markdown` from what `help` knows at the prompt of `eex repl`, which [repl.md](repl.md) shows. Experiments begin with",
    '`local eex = require "eex"`; what they may say is in [writing-experiments.md](writing-experiments.md) and in `eex help fields`. `x[]` is a list of x.',
    "", "## At the prompt", "" }
  local rows = {}
  for i, row in ipairs(help.prompt) do
    rows[i] = { code(row.name), cell(row.text) }
  end
  put_table(out, { "word", "what it is" }, rows)
  local printed = {}
  out[#out + 1] = "## Functions\n"
  for _, row in ipairs(api.functions) do
    put_function(out, row, printed)
  end
  out[#out + 1] = "## Objects\n"
  for _, class in ipairs(api.classes) do
    out[#out + 1] = ("### %s\n\n%s\n"):format(class.name, class.text)
    put_fields(out, class.fields)
    for _, method in ipairs(class.methods) do
      put_function(out, method, printed)
    end
  end
  out[#out + 1] = "## Records\n"
  for _, record in ipairs(api.records) do
    out[#out + 1] = ("### %s\n\n%s\n"):format(record.name, record.text)
    put_fields(out, record.fields)
  end
  return (table.concat(out, "\n"):gsub("\n+$", "\n"))
end

-- The same for people at a terminal.
function help.all()
  local out = { overview() }
  for _, list in ipairs { api.functions, api.classes, api.records } do
    for _, row in ipairs(list) do
      out[#out + 1] = of_row(row)
    end
  end
  return core.wrap(table.concat(out, "\n\n") .. "\n")
end

return setmetatable(help, { __call = function(_, ...) return help.about(...) end,
  __tostring = function() return core.wrap(overview()) end, __metatable = "help" })
