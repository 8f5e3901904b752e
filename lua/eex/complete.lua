-- What Tab offers: complete(line, word, names) lists what may stand in the place of `word`, with which
-- the line ends. Nothing of the line is run.
local core = require "eex.core"
local resolve = require "eex.resolve"

local KEYWORDS = { "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local",
  "nil", "not", "or", "repeat", "return", "then", "true", "until", "while" }
local MOST = 2000 -- names of a table

local function add_keys(found, t, only)
  local count = 0
  for key, value in next, t do
    if type(key) == "string" and key:find("^[%a_][%w_]*$") and (not only or type(value) == only) then
      found[key] = true
      count = count + 1
      if count >= MOST then
        return
      end
    end
  end
end

local function add_rows(found, rows)
  for _, row in ipairs(rows or {}) do
    found[row.name] = true
  end
end

-- Fields and methods of what stands before the dot; methods alone before a colon.
local function add_members(found, state, colon)
  local value = state.value
  if value == nil then
    if state.type and not state.list then
      add_rows(found, not colon and state.type.fields or nil)
      add_rows(found, state.type.methods)
    end
  elseif core.class(value) then
    local facts, methods = core.members(value)
    if not colon then
      add_keys(found, facts)
    end
    add_keys(found, methods)
  elseif type(value) == "table" then
    add_keys(found, value, colon and "function" or nil)
  elseif type(value) == "string" and colon then
    add_keys(found, resolve.texts(), "function")
  end
end

-- ---- arguments in a table ----

-- Where the brackets are that are open at the end of the line, from the outermost.
local function open_brackets(line)
  local open, quote = {}, nil
  local at = 1
  while at <= #line do
    local c = line:sub(at, at)
    if quote then
      if c == "\\" then
        at = at + 1
      elseif c == quote then
        quote = nil
      end
    elseif c == '"' or c == "'" then
      quote = c
    elseif c == "(" or c == "{" or c == "[" then
      open[#open + 1] = at
    elseif c == ")" or c == "}" or c == "]" then
      open[#open] = nil
    end
    at = at + 1
  end
  return open, quote ~= nil
end

-- The options of the function whose table of arguments the line is in; nil: it is in none, or behind a
-- "=".
local function options_here(line, names)
  local open = open_brackets(line)
  local last = open[#open]
  if not last or line:sub(last, last) ~= "{" or line:sub(last + 1):match("[^,;]*$"):find("=") then
    return nil
  end
  local i = #open
  while i > 1 and line:sub(open[i - 1], open[i - 1]) == "{" and line:sub(open[i - 1] + 1, open[i] - 1):find("^[%s,{}]*$") do
    i = i - 1 -- a list of tables
  end
  local before = line:sub(1, open[i] - 1):match("^(.-)%s*$")
  if i > 1 and line:sub(open[i - 1], open[i - 1]) == "(" then
    before = line:sub(1, open[i - 1] - 1)
  end
  local chain = before:sub(resolve.start(before))
  local state = chain ~= "" and resolve.state(chain, names)
  return state and state.row and state.row.options or nil
end

-- ---- the function ----

local function sorted(found, head, last)
  local list = {}
  for name in pairs(found) do
    if name:sub(1, #last) == last then
      list[#list + 1] = head .. name
    end
  end
  table.sort(list)
  return list
end

-- Whether the line ends within a text.
local function in_text(line)
  local _, quoted = open_brackets(line)
  return quoted
end

return function(line, word, names)
  names = names or _G
  if in_text(line) then
    return {}
  end
  local last = word:match("[%w_]*$")
  local head, before = word:sub(1, #word - #last), line:sub(1, #line - #last)
  local found = {}
  local sign = before:match("([.:])$")
  if sign then
    if before:find("%.%.$") then
      return {}
    end
    local chain = before:sub(1, -2)
    local state = resolve.state(chain:sub(resolve.start(chain)), names)
    if state then
      add_members(found, state, sign == ":")
    end
    return sorted(found, head, last)
  end
  local options = options_here(before, names)
  if options then
    local list = {}
    for _, option in ipairs(options) do
      if option.name:sub(1, #last) == last then
        list[#list + 1] = head .. option.name .. " = "
      end
    end
    table.sort(list)
    return list
  end
  add_keys(found, _G)
  if not rawequal(names, _G) then
    for _, name in ipairs(names()) do -- where an experiment has stopped
      found[name] = true
    end
  end
  for _, keyword in ipairs(KEYWORDS) do
    found[keyword] = true
  end
  return sorted(found, head, last)
end
