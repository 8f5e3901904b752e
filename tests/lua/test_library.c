/* The sandbox's own versions of library functions against those of Lua itself. */
#include "lua/sandbox.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

static lua_State *standard, *ours;

static void setup(void)
{
    const eex_lua_options usual = {.folder = NULL};
    standard = luaL_newstate();
    cr_assert(standard);
    luaL_openlibs(standard);
    cr_assert(eex_lua_open(&ours, &usual) == EEX_OK, "%s", eex_error());
}

static void teardown(void)
{
    lua_close(standard);
    eex_lua_close(ours);
}

TestSuite(library, .init = setup, .fini = teardown);

/* Says in one text what a function does: its results, or its error. */
static const char teller[] =
    "local f = ...\n"
    "local function tell(ok, ...)\n"
    "  local words = { tostring(ok) }\n"
    "  for i = 1, select('#', ...) do words[i + 1] = ('%q'):format((select(i, ...))) end\n"
    "  return table.concat(words, ' ')\n"
    "end\n"
    "return tell(pcall(f))\n";

/* What `text` says in the state; the text is left on its stack. */
static const char *told(lua_State *L, const char *text)
{
    lua_settop(L, 0);
    cr_assert(luaL_loadbufferx(L, teller, sizeof teller - 1, "=teller", "t") == LUA_OK);
    cr_assert(luaL_loadbufferx(L, text, strlen(text), "=case", "t") == LUA_OK, "%s: %s", text,
              lua_tostring(L, -1));
    cr_assert(lua_pcall(L, 1, 1, 0) == LUA_OK, "%s: %s", text, lua_tostring(L, -1));
    return lua_tostring(L, -1);
}

static void same(const char *text)
{
    const char *wanted = told(standard, text), *got = told(ours, text);
    cr_expect(strcmp(wanted, got) == 0, "%s\n  Lua:  %s\n  ours: %s", text, wanted, got);
}

Test(library, strings_do_what_lua_says)
{
    static const char *const cases[] = {
        "return ('hello world'):find('o w')",
        "return ('hello world'):find('o', -4)",
        "return ('hello'):find('l', 10), ('hello'):find('', 6), ('hello'):find('', 7)",
        "return ('a.b'):find('.', 2, true), ('a.b'):find('%.')",
        "return ('x'):find('x', 0), ('x'):find('x', math.mininteger), ('x'):find('x', 1 << 62)",
        "return ('key = value'):match('^(%w+)%s*=%s*(%w+)$')",
        "return ('key = value'):match('()=()'), (''):match('()')",
        "return ('THE (quick) fox'):find('%((%a+)%)')",
        "return ('f(a(b)c)d'):match('%b()'), ('(('):match('%b()')",
        "return ('THE (quick) fox'):gsub('%f[%a]%a+', string.lower)",
        "return ('hello hello'):match('(h)(.)%1'), ('abab'):match('(ab)%1')",
        "return ('a,b,,c'):gsub(',', ';', 2)",
        "return ('abc'):gsub('', '-'), ('abc'):gsub('.', '%0%0'), ('abc'):gsub('(b)', '<%1>')",
        "return ('abc'):gsub('b', '%%'), ('abc'):gsub('%w', { a = 1, b = false, c = 'x' })",
        "return ('abc'):gsub('(.)(.)', function(a, b) return b .. a end)",
        "return ('abc'):gsub('^a', 'x'), ('aaa'):gsub('^a', 'x'), ('abc'):gsub('b*', 'x')",
        ("local t = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do t[#t + 1] = k .. v end\n"
         "return table.concat(t, ';')"),
        "local t = {} for w in ('one two'):gmatch('%a*') do t[#t + 1] = w end return #t",
        "local t = {} for w in ('one two'):gmatch('%a+', 3) do t[#t + 1] = w end return t[1]",
        "return ('x^y'):gmatch('^y')()",
        "return ('a\\0b'):find('\\0'), ('a\\0b'):find('[\\0]'), ('a\\0b'):gsub('%z', 'x')",
        "return ('a-b]c'):gsub('[]-]', '_'), ('a^b'):gsub('[%^]', '_'), ('abc'):gsub('[^b]', '_')",
        "return ('ab'):rep(3), ('ab'):rep(3, ','), ('ab'):rep(0), ('ab'):rep(-1), (''):rep(9)",
        "return (''):rep(3, 'x'), ('a'):rep(1, ','), #('abc'):rep(3000000), ('abc'):rep(5000, '-')",
        /* mistakes */
        "return ('x'):find('%')",
        "return ('x'):find('[a')",
        "return ('x'):find('[a%')",
        "return ('x'):find('(')",
        "return ('x'):find(')')",
        "return ('x'):find('%1')",
        "return ('x'):find('(%1)')",
        "return ('x'):find('%b')",
        "return ('x'):find('%bx')",
        "return ('x'):find('%fx')",
        "return ('x'):match(('()'):rep(33))",
        "return ('x'):gsub('x', '%2')",
        "return ('x'):gsub('x', '%a')",
        "return ('x'):gsub('x', '%')",
        "return ('x'):gsub('x', true)",
        "return ('x'):gsub('x', function() return {} end)",
        "return ('x'):gsub('x', error)",
        "return string.find('x')",
        "return string.find({}, 'x')",
        "return ('x'):rep(1 << 62, 'yy')",
        "return ('x'):rep('y')",
        "return ('x'):find('x', 'y')",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        same(cases[i]);
}

Test(library, load_does_with_texts_what_lua_says)
{
    static const char *const cases[] = {
        "return load('return 7')(), load('return 7', 'x', 't')(), load('return 7', 'x', 'bt')()",
        "return load('return 7', 'x', 'tb')(), load('return 7', 'x', 'text')()",
        "return load('return 7', 'x', 'b')",
        "return load('return 7', 'x', '')",
        "return load('return 7', 'x', 'B')",
        "return load('return 7', 'x', 'b', {})",
        "return load('', 'x', 'b')",
        "return load(function() end, 'x', 'b')",
        "return load(function() return 'return 7' end, 'x', 'q')",
        "return load(7), load('x ='), load('x =', 'x', 'b')",
        "return load('return 7', 'x', {})",
        "return load({})",
        "return load(function() return {} end)",
        "return load(function() error({}) end) == nil",
        "return load('\27Lua', 'x', 't')  == nil, load('\27', 'x', '') == nil",
        ("local i, pieces = 0, { 'return \"', '\27Lua', '\"' }\n"
         "return load(function() i = i + 1 return pieces[i] end)()"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        same(cases[i]);
}

Test(library, tables_do_what_lua_says)
{
    static const char *const cases[] = {
        "local t = { 1, 2 } table.insert(t, 3) table.insert(t, 1, 0) return table.concat(t, ' ')",
        "local t = { 1 } table.insert(t, 3, 0)",
        "local t = { 1 } table.insert(t, 1, 2, 3)",
        "table.insert({})",
        "table.insert(7, 8)",
        "local t = { 1, 2, 3 } return table.remove(t, 1), table.remove(t), #t, table.remove({})",
        "return table.remove({ 1 }, 2), pcall(table.remove, { 1 })",
        "local t = { 1, 2, 3, 4 } table.move(t, 1, 3, 2) return table.concat(t, ' ')",
        "local t = { 1, 2, 3, 4 } table.move(t, 2, 4, 1) return table.concat(t, ' ')",
        "return table.concat(table.move({ 1, 2 }, 1, 2, 3, { 8, 9 }), ' ')",
        "return table.move({}, 1, math.maxinteger, 2)",
        "return table.move({}, -1, math.maxinteger, 2)",
        "return table.move({}, 1, 0, 2) ~= nil",
        "return table.concat({}, 'x'), table.concat({ 1, 2.5, 'a' }, ', '), table.concat({ 1 }, "
        "'x', 2)",
        "return table.concat({ 1, 2, 3 }, '-', 2, 3), table.concat({ [math.maxinteger] = 'x' }, "
        "'',\n"
        "  math.maxinteger, math.maxinteger)",
        "return table.concat({ 1, {} })",
        "return table.concat({ 1 }, {})",
        "local t = { 5, 2, 8, 1, 9, 3 } table.sort(t) return table.concat(t, ' ')",
        "local t = { 'b', 'a' } table.sort(t, function(a, b) return a > b end) return t[1]",
        "local t = {} for i = 1, 5000 do t[i] = i * 7919 % 5003 end table.sort(t)\n"
        "for i = 2, #t do assert(t[i - 1] <= t[i]) end return #t",
        "local t = {} for i = 1, 90 do t[i] = i % 7 * 1000 + i end\n"
        "table.sort(t, function(a, b) return a // 1000 < b // 1000 end) return table.concat(t, ' "
        "')",
        "local t = {} for i = 1, 3000 do t[i] = i end table.sort(t) return t[1], t[3000]",
        "local t = {} for i = 1, 3000 do t[i] = -i end table.sort(t) return t[1], t[3000]",
        "table.sort({ 1, 'x', {} })",
        "table.sort({ 1, 2, 3 }, 7)",
        "local m = setmetatable({}, { __len = function() return 3 end,\n"
        "  __index = function(t, i) return i * i end, __newindex = function() end })\n"
        "return table.concat(m, ' '), table.remove(m)",
        "local log = {} local m = setmetatable({}, { __index = function(t, i) return i end,\n"
        "  __newindex = function(t, i, v) log[#log + 1] = i .. '=' .. v end,\n"
        "  __len = function() return 2 end }) table.insert(m, 1, 9) return table.concat(log, ' ')",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        same(cases[i]);
}

/* Random patterns over a small alphabet, on random subjects. */
Test(library, patterns_match_what_lua_matches, .timeout = 120)
{
    static const char script[] =
        "local seed = ...\n"
        "local function random(n) seed = (seed * 1103515245 + 12345) % 2147483648\n"
        "  return (seed >> 8) % n + 1 end\n"
        "local parts = { 'a', 'b', '.', '%a', '%d', '[ab]', '[^a]', '[a-c]', '(', ')', '()', "
        "'%1',\n"
        "  '%b()', '%f[%w]', '*', '+', '-', '?', '^', '$', '%', '[', ']', '1', '%W' }\n"
        "local letters = { 'a', 'b', 'c', '1', ' ', '(', ')' }\n"
        "local function text(list, most) local t = {}\n"
        "  for i = 1, random(most) do t[i] = list[random(#list)] end return table.concat(t) end\n"
        "local out = {}\n"
        "local function note(...) for i = 1, select('#', ...) do\n"
        "  out[#out + 1] = tostring((select(i, ...))) end end\n"
        "for i = 1, 4000 do\n"
        "  local s, p = text(letters, 12), text(parts, 6)\n"
        "  note(p, s)\n"
        "  note(pcall(string.find, s, p, random(4) - 2))\n"
        "  note(pcall(string.match, s, p))\n"
        "  note(pcall(string.gsub, s, p, '<%0>'))\n"
        "  note(pcall(function() local n = 0 for w in s:gmatch(p) do n = n + 1 note(w) end\n"
        "    return n end))\n"
        "end\n"
        "return table.concat(out, '\\n')";
    for (int seed = 1; seed <= 3; seed++) {
        lua_State *const both[] = {standard, ours};
        for (int i = 0; i < 2; i++) {
            lua_settop(both[i], 0);
            cr_assert(luaL_loadstring(both[i], script) == LUA_OK);
            lua_pushinteger(both[i], seed);
            cr_assert(lua_pcall(both[i], 1, 1, 0) == LUA_OK, "%s", lua_tostring(both[i], -1));
        }
        const char *a = lua_tostring(standard, -1), *b = lua_tostring(ours, -1);
        size_t at = 0;
        while (a[at] && a[at] == b[at])
            at++;
        const size_t from = at > 60 ? at - 60 : 0;
        cr_expect(strcmp(a, b) == 0, "Lua:\n%.120s\nours:\n%.120s", a + from, b + from);
    }
}

Test(library, what_could_be_endless_has_a_limit)
{
    static const char *const refused[] = {
        "return (('%s'):rep(1 << 16)):format()",
        "return string.pack(('x'):rep(1 << 17))",
        "return string.packsize(('x'):rep(1 << 17))",
        "return string.unpack(('x'):rep(1 << 17), '')",
        "return os.date(('%t'):rep(1 << 17))",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        cr_expect(strstr(told(ours, refused[i]), "more than 64 KiB"), "%s: %s", refused[i],
                  lua_tostring(ours, -1));
    cr_expect(strstr(told(ours, "return #('x'):rep(1 << 29)"), "not enough memory"));
    cr_expect(strstr(told(ours, "return ('%d'):format(7), os.date('%Y', 0), string.pack('z', 'x')"),
                     "true \"7\""));
}
