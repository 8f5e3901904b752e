-- A plot as SVG: svg(p, options). p: points in 0..1, x_low, x_high, y_low, y_high; x_part(x), y_part(y):
-- where they lie, 0 to 1; note: what is said beside the picture, or nil.
local WIDTH, HEIGHT = 720, 450
local LEFT, RIGHT, TOP, BOTTOM = 80, 20, 40, 55

local function escaped(text)
  return (text:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["\""] = "&quot;" }))
end

-- Round numbers between two others, about five of them.
local function ticks(low, high)
  if high - low == math.huge then
    local list = ticks(low / 4, high / 4)
    for i, value in ipairs(list) do
      list[i] = 4 * value
    end
    return list
  end
  local raw = (high - low) / 5
  local power = 10.0 ^ math.floor(math.log(raw, 10))
  local step = power
  for _, factor in ipairs { 1, 2, 5, 10 } do
    if factor * power >= raw * 0.999 then
      step = factor * power
      break
    end
  end
  if step == 0 then -- so close that nothing is between them
    return { low, high }
  end
  local list = {}
  for i = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) do
    list[#list + 1] = i * step
  end
  return list
end

local function text(out, x, y, anchor, said, more)
  out[#out + 1] = ('<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>'):format(x, y, anchor, more or "",
    escaped(said))
end

local function axes(out, p, place_x, place_y)
  out[#out + 1] = ('<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="#888"/>'):format(
    LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM)
  for _, value in ipairs(ticks(p.x_low, p.x_high)) do
    local x = place_x(p.x_part(value))
    out[#out + 1] = ('<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#ddd"/>'):format(x, TOP, x, HEIGHT - BOTTOM)
    text(out, x, HEIGHT - BOTTOM + 18, "middle", ("%.6g"):format(value))
  end
  for _, value in ipairs(ticks(p.y_low, p.y_high)) do
    local y = place_y(p.y_part(value))
    out[#out + 1] = ('<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/>'):format(LEFT, y, WIDTH - RIGHT, y)
    text(out, LEFT - 6, y + 4, "end", ("%.6g"):format(value))
  end
end

return function(p, options)
  local out = {
    ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">'):format(
      WIDTH, HEIGHT),
    ('<rect width="%d" height="%d" fill="white"/>'):format(WIDTH, HEIGHT),
  }
  local function place_x(part)
    return LEFT + 10 + part * (WIDTH - LEFT - RIGHT - 20)
  end
  local function place_y(part)
    return HEIGHT - BOTTOM - 10 - part * (HEIGHT - TOP - BOTTOM - 20)
  end
  axes(out, p, place_x, place_y)
  local path = {}
  for i, point in ipairs(p.points) do
    path[i] = ("%.1f,%.1f"):format(place_x(point[1]), place_y(point[2]))
  end
  if options.lines then
    out[#out + 1] = ('<polyline points="%s" fill="none" stroke="#1f6fb4"/>'):format(table.concat(path, " "))
  end
  for i in ipairs(path) do
    local x, y = path[i]:match("^(.*),(.*)$")
    out[#out + 1] = ('<circle cx="%s" cy="%s" r="3.5" fill="#1f6fb4"/>'):format(x, y)
  end
  text(out, LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 14, "middle", options.x)
  text(out, 18, TOP + (HEIGHT - TOP - BOTTOM) / 2, "middle", options.y,
    (' transform="rotate(-90 18 %.1f)"'):format(TOP + (HEIGHT - TOP - BOTTOM) / 2))
  if options.title ~= "" then
    text(out, WIDTH / 2, 24, "middle", options.title, ' font-weight="bold"')
  end
  if p.note then
    text(out, WIDTH - RIGHT, TOP - 6, "end", p.note, ' fill="#888"')
  end
  out[#out + 1] = "</svg>\n"
  return table.concat(out, "\n")
end
