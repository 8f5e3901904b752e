-- plot(x, y): points as text, or as an SVG file.
local core = require "eex.core"
local svg = require "eex.plot_svg"

local specs = {
  { name = "file", kind = "text", default = "" },
  { name = "force", kind = "flag" },
  { name = "title", kind = "text", default = "" },
  { name = "x", kind = "text", default = "x" },
  { name = "y", kind = "text", default = "y" },
  { name = "lines", kind = "flag" },
  { name = "width", kind = "integer", default = 0, min = 20, max = 400 },
  { name = "height", kind = "integer", default = 16, min = 4, max = 100 },
}
local MOST = 1000000 -- points

-- ---- what is drawn ----

local function check(list, name)
  if type(list) ~= "table" then
    core.fail(("plot.%s: expected a list of numbers, got %s"):format(name,
      list == nil and "nothing" or "a " .. type(list)))
  end
  for i, value in ipairs(list) do
    if type(value) ~= "number" then
      core.fail(("plot.%s[%d]: expected a number, got a %s"):format(name, i, type(value)))
    end
  end
  if #list > MOST then
    core.fail(("plot.%s: at most %d points"):format(name, MOST))
  end
  return list
end

local function column(records, field)
  local list = {}
  for i, record in ipairs(records) do
    local value = type(record) == "table" and record[field]
    if type(value) ~= "number" then
      core.fail(("plot: member %d has no number \"%s\""):format(i, field))
    end
    list[i] = value
  end
  return list
end

-- plot(x, y, options), plot(y, options) or plot(records, "x", "y", options).
local function read(first, second, third, fourth, ...)
  if type(first) == "table" and type(second) == "string" and type(third) == "string" then
    core.arguments("plot", 4, first, second, third, fourth, ...)
    local given = { x = second, y = third }
    for key, value in pairs(fourth or {}) do
      given[key] = value
    end
    return column(first, second), column(first, third), given
  end
  if type(second) ~= "table" or second[1] == nil and next(second) ~= nil then
    core.arguments("plot", 2, first, second, third, fourth, ...)
    local places = {}
    for i = 1, #check(first, "y") do
      places[i] = i
    end
    return places, first, second
  end
  core.arguments("plot", 3, first, second, third, fourth, ...)
  return check(first, "x"), check(second, "y"), third
end

local LARGEST = 0x1.fffffffffffffp1023

local function is_finite(value)
  return value == value and math.abs(value) < math.huge
end

-- Those of the points that have a place: two lists of floats, as the difference of two integers may be
-- no integer.
local function finite(x, y)
  local right, up = {}, {}
  for i = 1, #x do
    if is_finite(x[i]) and is_finite(y[i]) then
      right[#right + 1], up[#up + 1] = x[i] + 0.0, y[i] + 0.0
    end
  end
  if #right == 0 then
    core.fail("plot: there is no finite number to be drawn")
  end
  return right, up
end

local function range(list)
  local low, high = math.huge, -math.huge
  for _, value in ipairs(list) do
    low, high = math.min(low, value), math.max(high, value)
  end
  if low == high then
    local room = math.abs(low) / 10
    room = room > 0 and room or 1
    return math.max(low - room, -LARGEST), math.min(high + room, LARGEST)
  end
  return low, high
end

-- Where a value lies between two others, 0 to 1; what lies between them may be more than a number is.
local function place(low, high)
  local unit = high - low < math.huge and 1 or 0.5
  local from, span = low * unit, high * unit - low * unit
  return function(value)
    return (value * unit - from) / span
  end
end

-- ---- text ----

local function mark(canvas, column_at, row_at, sign)
  local row = canvas[row_at]
  if sign == "*" or row[column_at] == " " then
    row[column_at] = sign
  end
end

-- The dots between two points.
local function join(canvas, a, b)
  local steps = math.max(math.abs(b[1] - a[1]), math.abs(b[2] - a[2]))
  for i = 1, steps - 1 do
    local part = i / steps
    mark(canvas, math.floor(a[1] + part * (b[1] - a[1]) + 0.5),
      math.floor(a[2] + part * (b[2] - a[2]) + 0.5), ".")
  end
end

local function fill(canvas, points, lines)
  for i, point in ipairs(points) do
    mark(canvas, point[1], point[2], "*")
    if lines and i > 1 then
      join(canvas, points[i - 1], point)
    end
  end
end

local function number(value)
  return ("%.4g"):format(value)
end

local function draw(p, options)
  local low, high = number(p.y_low), number(p.y_high)
  local margin = math.max(#low, #high)
  local given = options.width > 0 and options.width or core.width()
  local columns = math.max((given > 0 and math.min(given, 400) or 76) - margin - 2, 10)
  local rows, canvas, points = options.height, {}, {}
  for row = 1, rows do
    canvas[row] = {}
    for c = 1, columns do
      canvas[row][c] = " "
    end
  end
  for i, point in ipairs(p.points) do
    points[i] = { 1 + math.floor(point[1] * (columns - 1) + 0.5), rows - math.floor(point[2] * (rows - 1) + 0.5) }
  end
  fill(canvas, points, options.lines)
  local out = {}
  if options.title ~= "" then
    out[1] = (" "):rep(margin + 2) .. options.title
  end
  out[#out + 1] = (" "):rep(math.max(margin - #options.y, 0)) .. options.y
  for row = 1, rows do
    local label = row == 1 and high or row == rows and low or ""
    out[#out + 1] = ((" "):rep(margin - #label) .. label .. " |" .. table.concat(canvas[row])):gsub("%s+$", "")
  end
  out[#out + 1] = (" "):rep(margin) .. " +" .. ("-"):rep(columns)
  local left, right = number(p.x_low), number(p.x_high)
  local between = columns - #left - #right - #options.x
  local before = math.max(between // 2, 1)
  out[#out + 1] = (" "):rep(margin + 2) .. left .. (" "):rep(before) .. options.x ..
    (" "):rep(math.max(between - before, 1)) .. right
  out[#out + 1] = p.note
  return table.concat(out, "\n")
end

-- ---- the function ----

return function(...)
  local x, y, given = read(...)
  local options = core.fields("plot", given, specs)
  if #x ~= #y or #x == 0 then
    core.fail(("plot: expected as many x as y, at least one, got %d and %d"):format(#x, #y))
  end
  local right, up = finite(x, y)
  local p = { points = {} }
  p.x_low, p.x_high = range(right)
  p.y_low, p.y_high = range(up)
  p.x_part, p.y_part = place(p.x_low, p.x_high), place(p.y_low, p.y_high)
  for i = 1, #right do
    p.points[i] = { p.x_part(right[i]), p.y_part(up[i]) }
  end
  if #right < #x then
    p.note = ("not drawn: %d of %d points, which are not finite"):format(#x - #right, #x)
  end
  if options.file ~= "" then
    core.picture(options.file, svg(p, options), options.force)
    return options.file
  end
  return draw(p, options)
end
