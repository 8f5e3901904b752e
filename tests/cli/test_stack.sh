# The least stack that the program takes holds whatever a script nests: 200 calls of C in each other, by
# each way that there is, with a deep one at the bottom. With less it does not begin.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
grep -q __asan_init "$EEX" && skip "what looks after memory needs more of it"

least=1024 # KiB; src/cli/main.c
(ulimit -s $((least - 4)) && exec "$EEX" --version) >out 2>err
[ $? -eq 1 ] || fail "began with less than $least KiB of stack"
err_has "the stack is limited to less than 1 MiB"

# nested NAME: the script on stdin, which prints "true" for each of its calls that ended in an error
# which a script can catch. Its last line is that it returns no experiment.
nested() {
    cat >"$1.lua"
    (ulimit -s $least && exec timeout 30 "$EEX" cost "$1.lua") >out 2>err
    local status=$?
    [ $status -eq 2 ] || fail "$1: with $least KiB of stack: status $status"
    [ "$(sed '$d' err | sort -u)" = true ] || fail "$1: not all of its calls are refused"
}

nested gsub <<'END_OF'
local pattern = ("a?"):rep(150)
local function f(n) return (("a"):gsub("a", function() return f(n + 1) end)) end
local function deep(n)
    return (("a"):gsub("a", function() ("b"):find(pattern) return deep(n + 1) end))
end
local function joined(n)
    return table.concat {("a"):gsub("a", function() return joined(n + 1) end)}
end
for _, call in ipairs {f, deep, joined} do print(not pcall(call, 1)) end
-- in the handlers of errors, which may go a little deeper
print(not xpcall(f, function() return (("a"):gsub("a", function() return f(1) end)) end, 1))
local function handled(n)
    return xpcall(error, function()
        return (("a"):gsub("a", function() return tostring(handled(n + 1)) end))
    end)
end
print(not handled(1))
END_OF
nested calls <<'END_OF'
local function sort(n)
    local t = {}
    for i = 1, 64 do t[i] = i end
    table.sort(t, function(a, b) sort(n + 1) return a < b end)
end
local function loaded(n)
    local chunk, message = load(function() return loaded(n + 1) end)
    return chunk or error(message, 0)
end
local function called(n)
    local well, message = pcall(called, n + 1)
    return well or error(message, 0)
end
local function wrapped(n)
    return coroutine.wrap(function()
        return (("a"):gsub("a", function() return wrapped(n + 1) end))
    end)()
end
local function resumed(n)
    local well, message = coroutine.resume(coroutine.create(resumed), n + 1)
    return well or error(message, 0)
end
for _, call in ipairs {sort, loaded, called, wrapped, resumed} do print(not pcall(call, 1)) end
END_OF
nested metamethods <<'END_OF'
local m = {}
local t, other = setmetatable({}, m), setmetatable({}, m)
m.__index = function(a, k) return a[k + 1] end
m.__newindex = function(a, k, v) a[k + 1] = v end
m.__add = function(a, b) return a + b end
m.__concat = function(a, b) return a .. b end
m.__eq = function(a, b) return a == b end
m.__lt = function(a, b) return a < b end
m.__len = function(a) return #a end
m.__close = function(a) local _ <close> = a end
m.__tostring = function(a) return ("%s %s"):format(("%99.99f"):format(1e300), a) end
for _, call in ipairs {
    function() return t[1] end, function() t[1] = 1 end, function() return t + 1 end,
    function() return t .. 1 end, function() return t == other end, function() return t < t end,
    function() return #t end, function() local _ <close> = t end, function() return tostring(t) end,
} do
    print(not pcall(call))
end
END_OF
nested syntax <<'END_OF'
for _, parts in ipairs {{"return ", "(", "1", ")"}, {"", "do ", "", "end "}, {"return ", "{", "", "}"},
        {"return ", "not ", "1", ""}, {"return ", "function() return ", "1", " end"}} do
    local before, open, inner, close = table.unpack(parts)
    print(load(before .. open:rep(500) .. inner .. close:rep(500)) == nil)
end
END_OF
exit 0
