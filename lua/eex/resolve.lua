-- What an expression stands for, as far as that can be told without running anything: the value of a
-- path of names, what the library's functions would give by their descriptions.
local api = require "eex.api"
local core = require "eex.core"

local resolve = {}

local OPENS = { [")"] = "(", ["]"] = "[", ["}"] = "{" }

-- The same text with nothing but blanks within quotes.
local function masked(text)
  local out, quote, at = {}, nil, 1
  while at <= #text do
    local c = text:sub(at, at)
    local hidden = quote and c ~= quote
    if hidden and c == "\\" then
      out[#out + 1] = " "
      at = at + 1
    elseif c == '"' or c == "'" then
      quote = (not quote and c) or (quote ~= c and quote) or nil
    end
    out[#out + 1] = hidden and " " or c
    at = at + 1
  end
  return table.concat(out)
end

-- Where the bracket that ends at `i` begins; nil: nowhere in the text.
local function opening(text, i)
  local depth = 0
  for at = i, 1, -1 do
    local c = text:sub(at, at)
    if OPENS[c] then
      depth = depth + 1
    elseif c == "(" or c == "[" or c == "{" then
      depth = depth - 1
      if depth == 0 then
        return at
      end
    end
  end
end

-- Where the chain of names, indices and calls begins that the text ends with; behind it where it ends
-- with none.
function resolve.start(typed)
  local text = masked(typed)
  local i = #text
  while i >= 1 do
    local c = text:sub(i, i)
    if c:find("[%w_.:]") then
      i = i - 1
    elseif OPENS[c] then
      local from = opening(text, i)
      local before = from and text:sub(1, from - 1):match("^(.-)%s*$")
      if not before or not before:find("[%w_%)%]}]$") then
        break
      end
      i = #before
    elseif c == '"' then
      local from = text:sub(1, i - 1):match("^.*()\"")
      local before = from and text:sub(1, from - 1):match("^(.-)%s*$")
      if not before or not before:find("[%w_]$") then
        break
      end
      i = #before
    else
      break
    end
  end
  return i + 1
end

-- ---- steps ----

-- A state has the value, or its type where there is none to be had (with `list`, of a list of these), or
-- the row of a function; `said` names the record that a value is described as.
local function of_type(name)
  local type, list = api.type(name)
  return type and { type = type, list = list } or nil
end

local function row_in(rows, name)
  for _, row in ipairs(rows or {}) do
    if row.name == name then
      return row
    end
  end
end

-- The methods of texts, with what a script has added.
function resolve.texts()
  local texts = rawget(_G, "string")
  return type(texts) == "table" and texts or string
end

-- A name behind a dot or a colon.
local function member(state, name)
  local value = state.value
  if value ~= nil then
    local class = core.class(value)
    if class then
      local facts, methods = core.members(value)
      if methods[name] then
        return { value = methods[name], row = api.find(class .. ":" .. name) }
      end
      local field = api.find(class .. "." .. name)
      return facts[name] ~= nil and { value = facts[name], said = field and field.is } or nil
    elseif type(value) == "table" then
      local there = rawget(value, name)
      local record = api.type(state.said)
      local field = record and row_in(record.fields, name)
      return there ~= nil and { value = there, row = api.of_value(there), said = field and field.is } or nil
    elseif type(value) == "string" then
      local there = rawget(resolve.texts(), name)
      return there ~= nil and { value = there } or nil
    end
  elseif state.type and not state.list then
    local method = row_in(state.type.methods, name)
    if method then
      return { row = method }
    end
    local field = row_in(state.type.fields, name)
    return field and (of_type(field.is) or {}) or nil
  end
end

local function index(state, key)
  if type(state.value) == "table" then
    local there = rawget(state.value, key)
    return there ~= nil and { value = there, said = state.said and state.said:match("^(.*)%[%]$") } or nil
  elseif state.list then
    return { type = state.type }
  end
end

local function result(state)
  local row = state.row or state.value ~= nil and api.of_value(state.value) or nil
  return row and of_type(row.gives) or nil
end

-- The end of the bracket that begins at `i`.
local function closing(typed, i)
  local depth, text = 0, masked(typed)
  for at = i, #text do
    local c = text:sub(at, at)
    if OPENS[c] then
      depth = depth - 1
      if depth == 0 then
        return at
      end
    elseif c == "(" or c == "[" or c == "{" then
      depth = depth + 1
    end
  end
end

-- One step from position `at`: the next state and position, or nil.
local function step(state, text, at)
  local name, behind = text:match("^%s*[.:]([%a_][%w_]*)()", at)
  if name then
    return member(state, name), behind
  end
  local key
  key, behind = text:match("^%s*%[%s*(%d+)%s*%]()", at)
  if key then
    return index(state, math.tointeger(key)), behind
  end
  key, behind = text:match("^%s*%[%s*\"([^\"]*)\"%s*%]()", at)
  if key then
    return index(state, key), behind
  end
  behind = text:match("^%s*\"[^\"]*\"()", at)
  if behind then
    return result(state), behind
  end
  local bracket = text:match("^%s*()[({]", at)
  behind = bracket and closing(text, bracket)
  return behind and result(state) or nil, behind and behind + 1
end

-- What a name stands for. Nothing of a script is asked: not the metatable of its globals either. Where an
-- experiment has stopped, `names` is called.
local function look(names, name)
  if rawequal(names, _G) then
    return rawget(names, name)
  end
  return names(name)
end

-- The state of a chain; nil where nothing is known. `names` is what it begins in: the globals, or the names
-- of an experiment that has stopped.
function resolve.state(text, names)
  local first, at = text:match("^%s*([%a_][%w_]*)()")
  if not first then
    return nil
  end
  local value = look(names, first)
  local state = value ~= nil and { value = value, row = api.of_value(value) } or nil
  while state and text:find("%S", at) do
    state, at = step(state, text, at)
  end
  return state
end

return resolve
