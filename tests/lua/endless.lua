-- What keeps each function that a script has busy as long as it can be: [name] = a function, called
-- again and again until Ctrl-C. tests/cli/test_interrupt.sh wants all of them to end then.
local eex = require "eex"

local function big()
  return ("x"):rep((1 << 27) - 64)
end
local function numbers(n)
  local t, x = {}, 1
  for i = 1, n do
    x = x * 1103515245 + 12345 & 0x7fffffff
    t[i] = x
  end
  return t
end
local function endless(length)
  return setmetatable({}, { __len = function() return length end })
end
-- Without an instruction of Lua: concat of an empty table is "".
local texts = setmetatable({}, { __index = table.concat })
local nested = ("a?"):rep(28) .. ("a"):rep(28) .. "b"
local as = ("a"):rep(60000)
local text = big()

-- As much as many arguments take.
local function many(value)
  local t = {}
  for i = 1, 200000 do
    t[i] = value
  end
  return table.unpack(t)
end
local function loop(f, ...)
  while true do
    pcall(f, ...)
  end
end

local cases = {
  ["assert"] = function() loop(assert, many(1)) end,
  ["collectgarbage"] = function()
    local t = {}
    for i = 1, 3000000 do t[i] = { i } end
    loop(collectgarbage)
  end,
  ["error"] = function() loop(error, text) end,
  ["getmetatable"] = function() loop(getmetatable, text) end,
  ["ipairs"] = function() for _ in ipairs(setmetatable({}, { __index = rawlen })) do end end,
  ["load"] = function() loop(load, ("x=1 "):rep(1 << 24)) end,
  ["load comment"] = function()
    local piece = ("-"):rep(1 << 20)
    loop(load, coroutine.wrap(function() while true do coroutine.yield(piece) end end))
  end,
  ["load nothing"] = function()
    local date = os.date
    loop(load, function() return date("%%%%%%%%") .. "--" end)
  end,
  ["next"] = function()
    local t = numbers(1 << 20)
    for i = 1, #t do t[i] = nil end
    loop(next, t)
  end,
  ["pairs"] = function() loop(pairs, numbers(1 << 20)) end,
  ["pcall"] = function() loop(pcall, pcall, many(pcall)) end,
  ["print"] = function() loop(print, ("\n"):rep(100)) end,
  ["rawequal"] = function() loop(rawequal, text, big()) end,
  ["rawget"] = function() loop(rawget, { [text] = 1 }, big()) end,
  ["rawlen"] = function() loop(rawlen, text) end,
  ["rawset"] = function() local t = {} for i = 1, math.huge do rawset(t, i & 0xfffff, i) end end,
  ["require"] = function() loop(require, text) end,
  ["select"] = function() loop(select, -1, many(1)) end,
  ["setmetatable"] = function() loop(setmetatable, {}, {}) end,
  ["tonumber"] = function() loop(tonumber, ("1"):rep((1 << 27) - 64)) end,
  ["tonumber base"] = function() loop(tonumber, ("1"):rep((1 << 27) - 64), 3) end,
  ["tostring"] = function() loop(tostring, text) end,
  ["type"] = function() loop(type, text) end,
  ["xpcall"] = function() loop(xpcall, error, function() while true do end end) end,

  ["coroutine.create"] = function() while true do coroutine.create(print) end end,
  ["coroutine.isyieldable"] = function() loop(coroutine.isyieldable) end,
  ["coroutine.resume"] = function()
    loop(coroutine.resume, coroutine.create(function() as:find(nested) end))
    loop(function() coroutine.resume(coroutine.create(function() as:find(nested) end)) end)
  end,
  ["coroutine.running"] = function() loop(coroutine.running) end,
  ["coroutine.status"] = function() loop(coroutine.status, coroutine.create(print)) end,
  ["coroutine.wrap"] = function()
    while true do pcall(coroutine.wrap(function() as:find(nested) end)) end
  end,
  ["coroutine.yield"] = function()
    local w = coroutine.wrap(function() while true do coroutine.yield(many(1)) end end)
    while true do w() end
  end,

  ["debug.traceback"] = function()
    local function deep(n) if n == 0 then loop(debug.traceback) end deep(n - 1) return 1 end
    deep(150000)
  end,

  ["io.lines"] = function() while true do for _ in io.lines("spaces.txt", 1) do end end end,
  ["io.open"] = function() while true do io.open("spaces.txt"):read("a") end end,
  ["io.open n"] = function() while true do io.open("spaces.txt"):read("n") end end,
  ["io.open l"] = function() while true do io.open("spaces.txt"):read("l", "L", 1 << 26) end end,
  ["io.write"] = function() loop(io.write, ("\n"):rep(100)) end,

  ["os.clock"] = function() loop(os.clock) end,
  ["os.date"] = function() loop(os.date, ("%c"):rep(30000)) end,
  ["os.difftime"] = function() loop(os.difftime, 1, 2) end,
  ["os.time"] = function() loop(os.time, { year = 1 << 30, month = 1 << 30, day = 1 << 30 }) end,

  ["string.byte"] = function() loop(string.byte, text, 1, 900000) end,
  ["string.char"] = function() loop(string.char, many(65)) end,
  ["string.find"] = function() loop(string.find, as, nested) end,
  ["string.find plain"] = function()
    loop(string.find, ("a"):rep(1 << 26), ("a"):rep(1 << 13) .. "b" .. ("a"):rep(1 << 13), 1, true)
  end,
  ["string.find all"] = function() loop(string.find, text, ".-.-.-b") end,
  ["string.find places"] = function() loop(string.find, text, "y") end,
  ["string.find balance"] = function() loop(string.find, ("("):rep(1 << 20), "%b()") end,
  ["string.find set"] = function() loop(string.find, as, "[" .. ("b"):rep(1 << 20) .. "]") end,
  ["string.find long set"] = function() loop(string.find, as, "[" .. ("x"):rep(1 << 26) .. "]b") end,
  ["string.find long frontier"] = function()
    loop(string.find, as, "%f[" .. ("x"):rep(1 << 26) .. "]b")
  end,
  ["string.find again"] = function()
    local half = ("a"):rep(1 << 25)
    loop(string.find, half .. half, "^(" .. ("a?"):rep(150) .. "a*)%1b")
  end,
  ["string.find back"] = function() loop(string.find, as, "(a*)%1%1b") end,
  ["string.format"] = function() loop(string.format, ("%99.99f"):rep(9000), many(1e308)) end,
  ["string.format q"] = function() loop(string.format, "%q", ("\0"):rep(1 << 24)) end,
  ["string.format s"] = function() loop(string.format, "%s%99s", text, text) end,
  ["string.gmatch"] = function() for _ in as:gmatch(nested) do end end,
  ["string.gmatch none"] = function() while true do for _ in text:gmatch("y") do end end end,
  ["string.gsub"] = function() loop(string.gsub, as, nested, "") end,
  ["string.gsub none"] = function() loop(string.gsub, text, "y", "") end,
  ["string.gsub all"] = function() loop(string.gsub, text, "x", "") end,
  ["string.gsub long"] = function() loop(string.gsub, as, "a*", ("%0"):rep(1 << 20)) end,
  ["string.gsub escapes"] = function() loop(string.gsub, "a", "a", ("%%"):rep(1 << 24)) end,
  ["string.gsub table"] = function()
    loop(string.gsub, text, "x", setmetatable({}, { __index = table.concat }))
  end,
  ["string.len"] = function() loop(string.len, text) end,
  ["string.lower"] = function() loop(string.lower, text) end,
  ["string.match"] = function() loop(string.match, as, nested) end,
  ["string.pack"] = function() loop(string.pack, "c" .. (1 << 26), "") end,
  ["string.pack z"] = function() loop(string.pack, ("!16i1i16"):rep(8000), many(1)) end,
  ["string.packsize"] = function() loop(string.packsize, ("x"):rep(1 << 16)) end,
  ["string.rep"] = function() loop(string.rep, "", math.maxinteger) end,
  ["string.rep long"] = function() loop(string.rep, "x", (1 << 27) - 64) end,
  ["string.rep between"] = function() loop(string.rep, "", (1 << 27) - 64, "x") end,
  ["string.reverse"] = function() loop(string.reverse, text) end,
  ["string.sub"] = function() loop(string.sub, text, 2) end,
  ["string.unpack"] = function() loop(string.unpack, ("b"):rep(1 << 16), text) end,
  ["string.unpack z"] = function() loop(string.unpack, "z", text .. "\0") end,
  ["string.upper"] = function() loop(string.upper, text) end,

  ["table.concat"] = function() loop(table.concat, texts, "", 1, math.maxinteger - 1) end,
  ["table.insert"] = function() loop(table.insert, endless(math.maxinteger - 1), 1, 0) end,
  ["table.insert front"] = function()
    local t = numbers(1 << 20)
    while true do table.insert(t, 1, 0) end
  end,
  ["table.move"] = function() loop(table.move, {}, 1, math.maxinteger - 2, 2) end,
  ["table.move between"] = function() loop(table.move, texts, 1, math.maxinteger - 2, 2, {}) end,
  ["table.pack"] = function() loop(table.pack, many(1)) end,
  ["table.remove"] = function() loop(table.remove, endless(math.maxinteger - 1), 1) end,
  ["table.sort"] = function()
    local t = numbers(1 << 22)
    while true do table.sort(table.move(t, 1, #t, 1, {})) end
  end,
  ["table.sort comparator"] = function() loop(table.sort, endless((1 << 31) - 2), rawequal) end,
  ["table.sort texts"] = function()
    local t, long = {}, ("\0"):rep(1 << 20)
    for i = 1, 100 do t[i] = long .. i * 7919 % 101 end
    loop(table.sort, t)
  end,
  ["table.unpack"] = function() loop(table.unpack, texts, 1, 900000) end,

  ["utf8.char"] = function() loop(utf8.char, many(0x10ffff)) end,
  ["utf8.codepoint"] = function() loop(utf8.codepoint, text, 1, 900000) end,
  ["utf8.codes"] = function() while true do for _ in utf8.codes(text) do end end end,
  ["utf8.len"] = function() loop(utf8.len, text) end,
  ["utf8.offset"] = function() loop(utf8.offset, text, 1 << 26) end,

  -- No functions, and long all the same.
  ["#"] = function() while true do local n = #endless(1) end end,
  [".."] = function() while true do local t = text .. "x" end end,
  ["<"] = function()
    local a, b = ("\0"):rep(1 << 22), ("\0"):rep(1 << 22)
    while true do local t = a < b end
  end,
  ["long keys"] = function() while true do local t = { [text .. "x"] = 1 } end end,
  ["garbage"] = function()
    local t = {}
    for i = 1, 2000000 do t[i] = { {} } end
    while true do local s = {} end
  end,
}
for name in pairs(math) do
  if type(math[name]) == "function" then
    cases["math." .. name] = function() loop(math[name], 1e308, -1e308) end
  end
end
cases["eex.graph"] = function() loop(eex.graph, { name = "g", size = 8 }) end
cases["eex.open"] = function() loop(eex.open, "missing.h5") end
cases["eex.run"] = function() loop(eex.run, "missing") end
cases["eex.repl"] = function() loop(eex.repl, 1) end
cases["eex.plot"] = function()
  local x = numbers(1 << 16)
  loop(eex.plot, x, x)
end
cases["eex.compare"] = function() loop(eex.compare, { accuracy = 1 }, { accuracy = 2 }) end
cases["plot"], cases["compare"] = cases["eex.plot"], cases["eex.compare"]

return cases
