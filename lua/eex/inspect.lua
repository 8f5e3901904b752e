-- Values as text for the prompt: tables with their fields, in order, a few levels deep.
local MAX_DEPTH, MAX_FIELDS, WIDTH = 4, 60, 76

local function is_name(key)
  return type(key) == "string" and key:match("^[%a_][%w_]*$") ~= nil
end

local function by_kind(a, b)
  if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then
    return a < b
  end
  return type(a) < type(b)
end

local function sorted_keys(value)
  local keys = {}
  for key in next, value do
    keys[#keys + 1] = key
  end
  table.sort(keys, by_kind)
  return keys
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
  if math.type(value) == "float" then
    return ("%.6g"):format(value)
  end
  local meta = getmetatable(value)
  if type(value) ~= "table" or (meta ~= nil and meta ~= "fields") then
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

return function(value)
  return inspect(value, 0, "")
end
