#include "lua/sandbox.h"
#include "support/refused.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <lauxlib.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

/* ---- a folder to play in: outside.txt, secret/, exp/ with scripts ---- */

static char root[] = "/tmp/eex-lua-XXXXXX";
static char folder[64], script[80];

static void write_at(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    OK(eex_fs_write(path, text, strlen(text)));
}

static void setup(void)
{
    cr_assert(mkdtemp(root));
    snprintf(folder, sizeof folder, "%s/exp", root);
    snprintf(script, sizeof script, "%s/main.lua", folder);
    OK(eex_fs_make_folder(folder));
    write_at("outside.txt", "secret");
    write_at("outside.lua", "return 'secret'");
    write_at("exp/data.txt", "first\nsecond\n");
    OK(eex_signals_install());
}

static void teardown(void)
{
    eex_signals_clear();
    eex_fs_remove_tree(root);
}

TestSuite(sandbox, .init = setup, .fini = teardown);

static const eex_lua_options small = {.memory = 64 << 20};

/* Runs a script; *L stays open with its value on top when the code is EEX_OK. */
static int run_with(lua_State **L, const char *text, const eex_lua_options *options)
{
    write_at("exp/main.lua", text);
    *L = NULL;
    OK(eex_lua_open_for(L, script, options));
    int code = eex_lua_run_file(*L, script);
    if (code < 0) {
        cr_expect(lua_gettop(*L) == 0);
        eex_lua_close(*L);
        *L = NULL;
    }
    return code;
}

/* The script must return `wanted`. */
static void gives(const char *text, const char *wanted)
{
    lua_State *L;
    int code = run_with(&L, text, &small);
    cr_assert(code == EEX_OK, "%s: %s", text, eex_error());
    const char *got = lua_tostring(L, -1);
    cr_expect(got && strcmp(got, wanted) == 0, "%s: got %s", text, got ? got : "no text");
    eex_lua_close(L);
}

/* The script must fail with this in the message. */
static void fails_with(const char *text, const char *part, const eex_lua_options *options)
{
    lua_State *L;
    int code = run_with(&L, text, options);
    cr_expect(code == EEX_ESCRIPT, "%s: got %d", text, code);
    cr_expect(strstr(eex_error(), part), "%s: \"%s\" does not say \"%s\"", text, eex_error(), part);
    eex_lua_close(L);
}

static void fails(const char *text, const char *part)
{
    fails_with(text, part, &small);
}

/* ---- the ordinary ---- */

Test(sandbox, runs_scripts_and_says_where_they_fail)
{
    gives("return 'a' .. 1 + 2", "a3");
    gives("#!/usr/bin/env eex\nreturn 'shell'", "shell");
    gives("\xef\xbb\xbfreturn 'bom'", "bom");
    fails("local x = 1\nerror('bad')", "main.lua:2: bad");
    fails("local x = nil\n\nreturn x.y", "main.lua:3: attempt to index a nil value");
    fails("return 1 +", "main.lua:1:");
    fails("error({})", "error object is a table value");
    fails("error(setmetatable({}, {__tostring = function() return 'told' end}))", "told");
    fails("error()", "nil");
}

Test(sandbox, files_that_are_no_scripts)
{
    lua_State *L = NULL;
    cr_expect(eex_lua_open_for(&L, "/no/such/file.lua", &small) == EEX_ENOTFOUND);
    cr_expect(strstr(eex_error(), "/no/such/file.lua") && L == NULL);
    OK(eex_lua_open(&L, &small));
    cr_expect(eex_lua_run_file(L, folder) == EEX_EINVAL);
    cr_expect(strstr(eex_error(), "is a folder"));
    eex_lua_close(L);
    fails("\x1bLua\x54 whatever", "binary");
}

Test(sandbox, the_library_is_there)
{
    gives("return type(require 'eex'.backbones.mobilenetv2)", "function");
    gives("return tostring(require 'eex' == require 'eex')", "true");
    gives("return require 'string' == string and 'yes'", "yes");
}

Test(sandbox, a_library_that_is_nowhere_is_reported_with_the_places)
{
    lua_State *L = NULL;
    setenv("EEX_LUA_DIR", "/no/such/place", 1);
    cr_expect(eex_lua_open(&L, &small) == EEX_ENOTFOUND);
    cr_expect(strstr(eex_error(), "\"/no/such/place\"") && strstr(eex_error(), "EEX_LUA_DIR"));
    unsetenv("EEX_LUA_DIR");
    cr_expect(L == NULL);
}

Test(sandbox, modules_come_from_the_scripts_folder)
{
    write_at("exp/helper.lua", "local name, path = ...; return { v = 'helped', n = name }");
    OK(eex_fs_make_folder(folder));
    char sub[80];
    snprintf(sub, sizeof sub, "%s/sub/deep", folder);
    OK(eex_fs_make_folder(sub));
    write_at("exp/sub/deep/init.lua", "return 'deep'");
    write_at("exp/broken.lua", "local x = \n\n= 3");
    write_at("exp/loops.lua", "return require 'loops'");
    write_at("exp/once.lua", "count = (count or 0) + 1");
    gives("return require('helper').v .. require('helper').n", "helpedhelper");
    gives("return require 'sub.deep'", "deep");
    gives("require 'once' require 'once' return count", "1");
    fails("require 'broken'", "broken.lua:3:");
    fails("require 'loops'", "requires itself");
    fails("require 'missing'", "main.lua:1: there is no module \"missing\"");
    fails("require 'eex.missing'", "in the eex library");
}

Test(sandbox, print_goes_where_it_is_told)
{
    lua_State *L;
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    eex_lua_options options = {.print = to};
    OK(run_with(&L, "print(1, nil, 'x') io.write('a', 2, '\\n')", &options));
    eex_lua_close(L);
    fclose(to);
    cr_expect(strcmp(text, "1\tnil\tx\na2\n") == 0, "%s", text);
    free(text);
}

Test(sandbox, random_numbers_are_the_same_every_time)
{
    lua_State *a, *b;
    OK(run_with(&a, "return math.random(1 << 40)", &small));
    OK(run_with(&b, "return math.random(1 << 40)", &small));
    cr_expect(lua_tointeger(a, -1) == lua_tointeger(b, -1));
    eex_lua_close(a);
    eex_lua_close(b);
}

/* ---- breaking out ---- */

Test(sandbox, what_reaches_outside_is_not_there)
{
    static const char *const gone[] = {"os.execute",
                                       "os.exit",
                                       "os.remove",
                                       "os.rename",
                                       "os.tmpname",
                                       "os.getenv",
                                       "os.setlocale",
                                       "io.popen",
                                       "io.output",
                                       "io.tmpfile",
                                       "io.stdout",
                                       "io.input",
                                       "package",
                                       "dofile",
                                       "loadfile",
                                       "string.dump",
                                       "debug.getregistry",
                                       "debug.sethook",
                                       "debug.setmetatable",
                                       "debug.getupvalue",
                                       "debug.getinfo",
                                       "debug.setuservalue",
                                       "coroutine.close",
                                       "warn"};
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        char text[128];
        snprintf(text, sizeof text, "return tostring(%s)", gone[i]);
        gives(text, "nil");
    }
    gives("return tostring(debug.traceback('x'):sub(1, 1))", "x");
    /* nor can it be had through a metatable */
    gives("return tostring(getmetatable(''))", "false");
    gives("return tostring(getmetatable(io.open('data.txt')))", "false");
    gives("return tostring(getmetatable(require 'eex'.graph{name = 'g', size = 8}))", "false");
}

/* What the library has is what it found when the state was opened. */
static const char changes[] =
    "eex = require 'eex'\n"
    "local fetch, next, pairs, type, error = require, next, pairs, type, error\n"
    "local function change(t)\n"
    "  local names = {}\n"
    "  for name, f in next, t do names[name] = type(f) == 'function' or nil end\n"
    "  for name in next, names do t[name] = function() error(name .. ' was asked') end end\n"
    "end\n"
    "for _, name in next, { 'core', 'gates', 'families', 'backbones' } do\n"
    "  change(fetch('eex.' .. name))\n"
    "end\n"
    "change(eex) change(string) change(table) change(math) change(_G)\n"
    "setmetatable = nil\n"
    "return true\n";

static int ask_library(lua_State *L)
{
    const char *const modules[] = {"eex",          "eex.families", "eex.predictors", "eex.plot",
                                   "eex.saliency", "eex.gates",    "eex.compare"};
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
        eex_lua_push_module(L, modules[i]);
    eex_lua_push_module(L, "eex.complete");
    lua_pushliteral(L, "eex.backbones.mobilenetv2 { si");
    lua_pushliteral(L, "si");
    lua_pushglobaltable(L);
    lua_call(L, 3, 1);
    cr_expect(lua_rawgeti(L, -1, 1) == LUA_TNIL, "the script's own has no options");
    eex_lua_push_module(L, "eex.complete");
    lua_pushliteral(L, "eex.backbones.mobilenetv");
    lua_pushliteral(L, "mobilenetv");
    lua_pushglobaltable(L);
    lua_call(L, 3, 1);
    cr_expect(lua_rawgeti(L, -1, 1) == LUA_TSTRING);
    eex_lua_push_module(L, "eex.inspect");
    lua_getglobal(L, "eex");
    lua_call(L, 1, 1);
    eex_lua_push_module(L, "eex.help");
    lua_getfield(L, -1, "question");
    lua_pushliteral(L, "eex.plot");
    lua_pushglobaltable(L);
    lua_call(L, 2, 1);
    cr_expect(strstr(luaL_tolstring(L, -1, NULL), "eex.plot(x, y"), "%s", lua_tostring(L, -1));
    return 0;
}

static int inspect_value(lua_State *L)
{
    eex_lua_push_module(L, "eex.inspect");
    lua_getglobal(L, "value");
    lua_call(L, 1, 1);
    cr_expect(strcmp(luaL_tolstring(L, -1, NULL), "{ a = 1 }") == 0, "%s", lua_tostring(L, -1));
    return 0;
}

Test(sandbox, what_a_script_changes_reaches_nobody_else)
{
    lua_State *L;
    OK(run_with(&L, changes, &small));
    OK(eex_lua_protect(L, ask_library, NULL));
    eex_lua_close(L);
    gives("local eex = require 'eex'\n"
          "eex.mine = 1\n"
          "return tostring(require('eex').mine == 1 and require('eex.gates') == eex.gates\n"
          "  and require('eex.core').conventions == eex.conventions)",
          "true");
    fails("require 'eex.api'", "the module \"eex.api\" is for the library alone");
    fails("string = nil return require('eex.resolve').texts()", "is for the library alone");
    gives("function string.double(s) return s .. s end return ('ab'):double()", "abab");
}

/* Also where it has `debug` and the like: by what it does to `string`. */
Test(sandbox, a_trusted_script_leaves_the_library_its_texts)
{
    lua_State *L;
    OK(run_with(&L, "for name in pairs(string) do string[name] = nil end return { a = 1 }",
                &(eex_lua_options){.trust = true}));
    lua_setglobal(L, "value");
    OK(eex_lua_protect(L, inspect_value, NULL));
    eex_lua_close(L);
}

/* `count` says how many fields there are in all of it; `fill` takes the memory, and `drop` gives a
 * little back. */
static const char filling[] =
    "require 'eex.gates'\n"
    "local function count(t)\n"
    "  local n = 0\n"
    "  for _, value in next, t do n = n + 1 + (type(value) == 'table' and count(value) or 0) end\n"
    "  return n\n"
    "end\n"
    "local held, n, size = {}, 0, 0\n"
    "local function put() held[n + 1] = ('x'):rep(size) .. n n = n + 1 end\n"
    "local function drop() held[n] = false n = n - 1 collectgarbage() end\n"
    "local function fill()\n"
    "  for i = 1, 30000 do held[i] = false end\n"
    "  for _, s in ipairs { 1 << 20, 1 << 16, 1 << 12, 1 << 8, 100, 41, 100, 41 } do\n"
    "    size = s\n"
    "    while pcall(put) do end\n"
    "  end\n"
    "end\n";

static void numbers_of(const char *program, int out[2])
{
    static const eex_lua_options tight = {.memory = 6 << 20};
    lua_State *L;
    char text[4096];
    snprintf(text, sizeof text, "%s%s", filling, program);
    OK(run_with(&L, text, &tight));
    for (int i = 0; i < 2; i++) {
        lua_rawgeti(L, 1, i + 1);
        out[i] = (int)lua_tointeger(L, -1);
        lua_pop(L, 1);
    }
    eex_lua_close(L);
}

Test(sandbox, a_copy_is_whole_or_there_is_none)
{
    const char *const names[] = {"eex", "eex.core", "eex.backbones"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char whole[128], tried[512];
        int wanted[2], got[2];
        snprintf(whole, sizeof whole, "return { count(require '%s'), 1 }", names[i]);
        snprintf(tried, sizeof tried,
                 "local tries, ok, module = 0\n"
                 "fill()\n"
                 "repeat\n"
                 "  ok, module = pcall(require, '%s')\n"
                 "  tries = tries + 1\n"
                 "  if not ok then drop() end\n"
                 "until ok\n"
                 "held = nil collectgarbage()\n"
                 "assert(module == require '%s')\n"
                 "assert(require('eex').gates == require 'eex.gates')\n"
                 "assert(require('eex').backbones == require 'eex.backbones')\n"
                 "return { count(module), tries }",
                 names[i], names[i]);
        numbers_of(whole, wanted);
        numbers_of(tried, got);
        cr_expect(got[1] > 1, "%s: the memory was not full", names[i]);
        cr_expect(got[0] == wanted[0], "%s: %d fields, there are %d", names[i], got[0], wanted[0]);
    }
}

static int push_named(lua_State *L)
{
    eex_lua_push_module(L, luaL_checkstring(L, 1));
    return 1;
}

/* Leaves what is known of all functions, by name and by value. */
static int explain(lua_State *L)
{
    static const char program[] = "local module = ...\n"
                                  "local help, eex, texts = module 'eex.help', module 'eex', {}\n"
                                  "local function look(t)\n"
                                  "  for key, value in pairs(t) do\n"
                                  "    if type(value) == 'table' then look(value)\n"
                                  "    else texts[#texts + 1] = help.of_value(value) end\n"
                                  "  end\n"
                                  "end\n"
                                  "look(eex)\n"
                                  "table.sort(texts)\n"
                                  "return help.page() .. table.concat(texts)\n";
    if (luaL_loadstring(L, program) != LUA_OK)
        return lua_error(L);
    lua_pushcfunction(L, push_named);
    lua_call(L, 1, 1);
    lua_setglobal(L, "explained");
    return 0;
}

static void stop_here(lua_State *L, lua_Debug *at)
{
    (void)at;
    lua_sethook(L, NULL, 0, 0);
    luaL_error(L, "stopped");
}

/* What explain gives where a first try ended after so many instructions; NULL: none did. */
static char *explained(int instructions)
{
    lua_State *L;
    char *text = NULL;
    OK(eex_lua_open(&L, &(eex_lua_options){0}));
    lua_sethook(L, stop_here, LUA_MASKCOUNT, instructions);
    const bool stopped = eex_lua_protect(L, explain, NULL) < 0;
    lua_sethook(L, NULL, 0, 0);
    if (stopped || instructions == INT_MAX) {
        OK(eex_lua_protect(L, explain, NULL));
        lua_getglobal(L, "explained");
        text = strdup(lua_tostring(L, -1));
    }
    eex_lua_close(L);
    return text;
}

/* Ctrl-C and a full memory may end it anywhere. */
Test(sandbox, what_is_known_is_whole_after_a_try_that_ended_early)
{
    char *whole = explained(INT_MAX);
    int tries = 0;
    for (int at = 1000; at > 0; at += 1000) {
        char *text = explained(at);
        if (!text)
            break;
        cr_expect(strcmp(text, whole) == 0, "after %d instructions", at);
        free(text);
        tries++;
    }
    cr_expect(tries > 5, "%d tries", tries);
    free(whole);
}

Test(sandbox, bytecode_is_refused)
{
    fails("assert(load('\\27Lua'))", "binary chunk");
    fails("assert(load('\\27Lua', 'x', 'b'))", "text only");
    fails("assert(load('\\27Lua', 'x', 'bt'))", "binary chunk");
    fails("local first = true\n"
          "assert(load(function() if first then first = false return '\\27Lua' end end))",
          "binary chunk");
    gives(
        "local f, m = load('\\27Lua', 'x', 'b') return tostring(f) .. ': ' .. m",
        "nil: attempt to load a binary chunk: scripts load text only: give --trust to load others");
    fails("assert(load(function() return '\\27Lua' end, 'x', 'b'))", "text only");
    gives("local calls = 0\n"
          "local function refuse() return load('\\27Lua') or load('\\27Lua', 'x', 'b')\n"
          "  or load(function() calls = calls + 1 return '\\27Lua' end) end\n"
          "local ok, f = xpcall(refuse, function(m) calls = calls + 10 return m end)\n"
          "return tostring(ok) .. tostring(f) .. calls",
          "truenil1");
    gives("local f, m = load('return 1', 'x', 'b') return tostring(f) .. ': ' .. m",
          "nil: attempt to load a text chunk (mode is 'b')");
    gives("return load('return 7')()", "7");
    gives("return load('return x', 'chunk', 't', { x = 'env' })()", "env");
    gives("return tostring(load('return print', 'chunk', 't', nil) ~= nil)", "true");
    write_at("exp/evil.lua", "\x1bLua");
    fails("require 'evil'", "binary chunk");
}

Test(sandbox, files_of_the_own_folder_can_be_read)
{
    gives("return io.open('data.txt'):read('a')", "first\nsecond\n");
    gives("local s = '' for line in io.lines('data.txt') do s = s .. line .. ';' end return s",
          "first;second;");
    gives("local f <close> = io.open('data.txt', 'rb') return f:read(5)", "first");
    gives("local f, m = io.open('none.txt') return tostring(f) .. m",
          "nilnone.txt: No such file or directory");
    char text[256];
    snprintf(text, sizeof text, "return io.open('%s/data.txt'):read('l')", folder);
    gives(text, "first");
    gives("local f = io.open('data.txt') f:close() return tostring(f)", "file (closed)");
    fails("return assert(io.open('sub'))", "sub");
}

Test(sandbox, files_elsewhere_cannot)
{
    char text[256], link_path[128], target[128];
    fails("io.open('../outside.txt')", "outside the experiment's folder");
    fails("io.open('/etc/passwd')", "main.lua:1: \"/etc/passwd\" is outside");
    fails("io.open('sub/../../outside.txt')", "outside");
    fails("io.lines('/etc/passwd')", "outside");
    fails("io.open('/no/such/file')", "outside"); /* not even whether it exists */
    fails("io.open('data.txt\\0.lua')", "zeros");
    fails("io.open('data.txt', 'w')", "only read");
    fails("io.open('data.txt', 'r+')", "only read");
    fails("io.open('data.txt', 'a')", "only read");
    snprintf(target, sizeof target, "%s/outside.txt", root);
    snprintf(link_path, sizeof link_path, "%s/link.txt", folder);
    cr_assert(symlink(target, link_path) == 0);
    fails("io.open('link.txt')", "outside");
    snprintf(link_path, sizeof link_path, "%s/up", folder);
    cr_assert(symlink("..", link_path) == 0);
    fails("io.open('up/outside.txt')", "outside");
    snprintf(text, sizeof text, "io.open('%s2/data.txt')", folder); /* a name that only begins so */
    fails(text, "outside");
    gives("local f = io.open('data.txt') return tostring((f:write('x')))", "nil");
    gives("return io.open('data.txt'):read('a')", "first\nsecond\n");
}

Test(sandbox, pipes_and_devices_are_no_files)
{
    char path[128];
    snprintf(path, sizeof path, "%s/pipe", folder);
    cr_assert(mkfifo(path, 0600) == 0);
    gives("local f, m = io.open('pipe') return m", "pipe: Invalid argument");
    gives("local f, m = io.open('.') return m", ".: Invalid argument");
}

Test(sandbox, require_stays_inside)
{
    char target[128], link_path[128];
    fails("require '../outside'", "no module");
    fails("require '..outside'", "no module");
    fails("require '.'", "no module");
    fails("require ''", "no module");
    fails("require '/etc/passwd'", "no module");
    fails("require 'eex.../../outside'", "no module");
    fails("require 'a\\0b'", "zeros");
    snprintf(target, sizeof target, "%s/outside.lua", root);
    snprintf(link_path, sizeof link_path, "%s/link.lua", folder);
    cr_assert(symlink(target, link_path) == 0);
    fails("require 'link'", "outside the experiment's folder");
    write_at("exp/eex.lua", "return 'fake'"); /* cannot stand in for the library */
    gives("return type(require 'eex')", "table");
}

Test(sandbox, finalisers_are_refused)
{
    fails("setmetatable({}, { __gc = function() end })", "__gc");
    gives("local m = {} local t = setmetatable({}, m) m.__gc = function() ran = true end\n"
          "t = nil collectgarbage() collectgarbage() return tostring(ran)",
          "nil");
    fails("collectgarbage('stop')", "collect");
}

/* ---- exhausting it ---- */

Test(sandbox, memory_is_limited)
{
    static const char *const greedy[] = {
        "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end",
        "return ('x'):rep(1 << 30)",
        "local s = 'x' while true do s = s .. s end",
        "return table.concat({('x'):rep(1 << 24), ('x'):rep(1 << 24)})",
        "local f = io.open('data.txt') return f:read(1 << 33)",
    };
    for (size_t i = 0; i < sizeof greedy / sizeof *greedy; i++)
        fails(greedy[i], "64 MiB of memory");
    gives("local ok, m = pcall(string.rep, 'x', 1 << 30) return m", "not enough memory");
    write_at("exp/greedy.lua", "return ('x'):rep(1 << 30)");
    fails("require 'greedy'", "64 MiB of memory");
}

Test(sandbox, graphs_are_limited)
{
    fails("local eex, t = require 'eex', {}\n"
          "for i = 1, 1000 do t[i] = eex.graph{name = 'g', size = 8} end",
          "main.lua:2: more than 64 graphs");
    fails("local eex, t = require 'eex', {}\n"
          "for i = 1, 1000 do t[i] = eex.backbones.mobilenetv2() end",
          "main.lua:2: more than 64 graphs at once: keep"); /* and not where the library is */
    gives("local eex = require 'eex'\n"
          "for i = 1, 1000 do eex.graph{name = 'g', size = 8} end return 'collected'",
          "collected");
}

Test(sandbox, recursion_is_limited)
{
    const eex_lua_options usual = {0};
    fails_with("local function f() return 1 + f() end return f()", "stack overflow", &usual);
    fails(
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end\n"
        "return t.x",
        "overflow");
    fails("return load(('('):rep(1000) .. '1' .. (')'):rep(1000))()",
          "attempt to call a nil value");
    fails("return string.find(('a'):rep(300000), ('(a?)'):rep(31) .. ('.-'):rep(250) .. 'b')",
          "pattern too complex");
    fails("local function f() return coroutine.wrap(f)() end return f()", "overflow");
    fails("local e = setmetatable({}, {__tostring = function(e) return tostring(e) end})\n"
          "error(e)",
          "overflow");
}

/* ---- interrupting it ---- */

static void *interrupt_soon(void *unused)
{
    usleep(60000);
    kill(getpid(), SIGINT);
    return NULL;
}

static void is_stopped(const char *text)
{
    pthread_t thread;
    lua_State *L;
    write_at("exp/main.lua", text);
    OK(eex_lua_open_for(&L, script, &small));
    cr_assert(pthread_create(&thread, NULL, interrupt_soon, NULL) == 0);
    int code = eex_lua_run_file(L, script);
    pthread_join(thread, NULL);
    cr_expect(code == EEX_EINTERRUPTED, "%s: got %d (%s)", text, code, eex_error());
    eex_signals_clear();
    /* the state works again: the REPL needs that */
    cr_expect(luaL_loadstring(L, "local n = 0 for i = 1, 1e5 do n = n + 1 end return n") == LUA_OK);
    OK(eex_lua_call(L, 0, 1));
    cr_expect(lua_tointeger(L, -1) == 100000);
    eex_lua_close(L);
}

Test(sandbox, ctrl_c_stops_any_loop, .timeout = 60)
{
    static const char *const endless[] = {
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local function f() pcall(f) return f() end f()",
        "repeat until false == pcall(pcall, function() while true do end end)\nwhile true do end",
        "while true do coroutine.wrap(function() while true do end end)() end",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        "while true do local co = coroutine.create(function() while true do pcall(function()\n"
        "while true do end end) end end) coroutine.resume(co) end",
        "xpcall(function() while true do end end, function() while true do end end)",
        "while true do xpcall(function() while true do end end, function() while true do end end)\n"
        "end",
        "local ok = pcall(function()\n"
        "local x <close> = setmetatable({}, {__close = function() while true do end end})\n"
        "while true do end end) while true do end",
        "local m = {__close = function() while true do end end}\n"
        "local co = coroutine.wrap(function()\n"
        "local x <close> = setmetatable({}, m) while true do end end)\n"
        "while true do pcall(co) end",
        "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end})\n"
        "while true do pcall(function() return t[1] end) end",
        "table.sort({3, 1, 2}, function(a, b) while true do end end)",
        "('x'):gsub('x', function() while true do end end)",
        "load(function() while true do end end)",
        "require 'endless'",
        "goto again ::again:: goto again",
        "for _ in function() return 1 end do end",
    };
    write_at("exp/endless.lua", "while true do pcall(function() while true do end end) end");
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++)
        is_stopped(endless[i]);
}

/* ---- trust ---- */

Test(sandbox, trust_gives_everything)
{
    lua_State *L;
    eex_lua_options trusting = {.trust = true};
    char text[512];
    snprintf(text, sizeof text,
             "assert(os.execute and io.popen and package.loadlib and debug.getregistry)\n"
             "assert(load(string.dump(function() return 7 end), 'x', 'b')() == 7)\n"
             "setmetatable({}, {__gc = function() end})\n"
             "return io.open('%s/outside.txt'):read('a') .. type(require 'eex')",
             root);
    int code = run_with(&L, text, &trusting);
    cr_assert(code == EEX_OK, "%s", eex_error());
    cr_expect(strcmp(lua_tostring(L, -1), "secrettable") == 0);
    eex_lua_close(L);
}

Test(sandbox, closing_nothing_is_fine)
{
    NOTHING_HAPPENS(eex_lua_close(NULL));
}
