-- Values as text for the prompt: tables with their fields, in order, a few levels deep; lists of records
-- as aligned tables.
local core = require "eex.core"

local MAX_DEPTH, MAX_FIELDS, WIDTH, CELL, LONGEST = 4, 60, 76, 40, 1000

-- What columns begin with, where there are such; others stand behind, in alphabetical order.
local FIRST = { "name", "trial", "file", "split", "sample", "label", "exit", "position", "node", "kind",
  "class", "blocks", "batch", "accuracy", "accuracy_change", "macs", "macs_change", "utilisation" }

local place = {}
for i, name in ipairs(FIRST) do
  place[name] = i
end

local function is_name(key)
  return type(key) == "string" and key:match("^[%a_][%w_]*$") ~= nil
end

local function by_kind(a, b)
  if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then
    return a < b
  end
  return type(a) < type(b)
end

local function by_place(a, b)
  local i, j = place[a] or #FIRST + 1, place[b] or #FIRST + 1
  if i ~= j then
    return i < j
  end
  return a < b
end

local function sorted_keys(value, order)
  local keys = {}
  for key in next, value do
    keys[#keys + 1] = key
  end
  table.sort(keys, order or by_kind)
  return keys
end

-- A number with as many digits as one wants to read.
local function number(value, digits)
  local size = math.type(value) == "float" and math.abs(value) or 0
  if size < 1e15 and (size >= 1e5 or size >= 1 and value == math.floor(value)) then
    return ("%.0f"):format(value)
  end
  return math.type(value) == "float" and (digits):format(value) or tostring(value)
end

local function is_plain(value)
  local meta = getmetatable(value)
  return type(value) == "table" and (meta == nil or meta == "fields")
end

local inspect

local function fields(value, depth, indent)
  local parts, keys = {}, sorted_keys(value)
  for i, key in ipairs(keys) do
    if i > MAX_FIELDS then
      parts[#parts + 1] = ("... %d more"):format(#keys - MAX_FIELDS)
      break
    end
    local text = inspect(rawget(value, key), depth + 1, indent .. "  ")
    if key ~= i then
      text = (is_name(key) and key or "[" .. inspect(key, MAX_DEPTH, "") .. "]") .. " = " .. text
    end
    parts[#parts + 1] = text
  end
  return parts
end

function inspect(value, depth, indent)
  if type(value) == "string" then
    return depth == 0 and value or ("%q"):format(value)
  end
  if type(value) == "number" then
    return number(value, "%.6g")
  end
  if not is_plain(value) then
    return tostring(value)
  end
  if next(value) == nil then
    return "{}"
  end
  if depth >= MAX_DEPTH then
    return "{...}"
  end
  local parts = fields(value, depth, indent)
  local line = "{ " .. table.concat(parts, ", ") .. " }"
  if #indent + #line <= WIDTH and not line:find("\n") then
    return line
  end
  return "{\n" .. indent .. "  " .. table.concat(parts, ",\n" .. indent .. "  ") .. "\n"
    .. indent .. "}"
end

-- ---- records ----

-- Whether it is a list of tables that have names for fields.
local function is_list_of_records(value)
  if not is_plain(value) or rawlen(value) == 0 then
    return false
  end
  local count = 0
  for key, record in next, value do
    count = count + 1
    if math.type(key) ~= "integer" or not is_plain(record) or next(record) == nil then
      return false
    end
    for name in next, record do
      if not is_name(name) then
        return false
      end
    end
  end
  return count == rawlen(value)
end

local function cell(value)
  if value == nil then
    return "-"
  end
  if type(value) == "number" then
    return number(value, "%.4g")
  end
  local text = inspect(value, type(value) == "string" and 0 or 1, "")
  if #text > LONGEST then -- a table takes no more
    text = text:sub(1, LONGEST) .. "..."
  end
  return #text <= CELL and not text:find("\n") and text or type(value) == "string" and text or "{...}"
end

-- The list as an aligned table.
local function aligned(list)
  local there, count = {}, rawlen(list)
  for i = 1, count do
    for name in next, rawget(list, i) do
      there[name] = true
    end
  end
  local titles, rows = sorted_keys(there, by_place), {}
  for i = 1, math.min(count, MAX_FIELDS) do
    rows[i] = {}
    for c, title in ipairs(titles) do
      rows[i][c] = cell(rawget(rawget(list, i), title))
    end
  end
  local text = core.table(titles, rows):gsub("%s+$", "")
  return count > MAX_FIELDS and ("%s\n... %d more"):format(text, count - MAX_FIELDS) or text
end

-- A record that does not fit into a line: a field a line, and lists of records under them.
local function record(value)
  local lines, below, widest = {}, {}, 0
  for _, key in ipairs(sorted_keys(value, by_place)) do
    widest = math.max(widest, #key)
  end
  for _, key in ipairs(sorted_keys(value, by_place)) do
    local member = rawget(value, key)
    if is_list_of_records(member) then
      below[#below + 1] = key .. ":\n  " .. aligned(member):gsub("\n", "\n  ")
    else
      local text = inspect(member, type(member) == "string" and 0 or 1, (" "):rep(widest + 2))
      text = type(member) == "string" and text:gsub("%c", "?") or text -- a file may say anything
      lines[#lines + 1] = ("%s%s  %s"):format(key, (" "):rep(widest - #key), text)
    end
  end
  table.move(below, 1, #below, #lines + 1, lines)
  return table.concat(lines, "\n")
end

local function is_record(value)
  if not is_plain(value) then
    return false
  end
  for key in next, value do
    if not is_name(key) then
      return false
    end
  end
  return next(value) ~= nil
end

return function(value)
  if is_list_of_records(value) then
    return aligned(value)
  end
  local text = inspect(value, 0, "")
  return is_record(value) and text:find("\n") and record(value) or text
end
