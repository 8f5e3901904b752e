/* Which parts of the standard library a script gets. */
#include "lua/sandbox_impl.h"

#include <lauxlib.h>
#include <lualib.h>

/* What is easier said in Lua. `host` has the C functions below.
 *
 * Finalisers, and message handlers and closing values that run while the interrupt is raised, would
 * run with hooks switched off, out of reach of Ctrl-C. */
static const char prelude[] =
    "local host = ...\n"
    "local tostring, type, select, error = tostring, type, select, error\n"
    "local concat, rawget, interrupted, write = table.concat, rawget, host.interrupted, "
    "host.write\n"
    "function print(...)\n"
    "  local words = {}\n"
    "  for i = 1, select('#', ...) do words[i] = tostring((select(i, ...))) end\n"
    "  write(concat(words, '\\t'), '\\n')\n"
    "end\n"
    "if host.trust then return end\n"
    "local set, call, collect, count = setmetatable, xpcall, host.collect, collectgarbage\n"
    "function setmetatable(t, meta)\n"
    "  if type(meta) == 'table' and rawget(meta, '__gc') ~= nil then\n"
    "    error('__gc is not available to scripts: give --trust to use it', 2)\n"
    "  end\n"
    "  return set(t, meta)\n"
    "end\n"
    "load = host.load\n"
    "function xpcall(f, handler, ...)\n"
    "  if type(handler) ~= 'function' then error('xpcall: the handler is no function', 2) end\n"
    "  return call(f, function(message)\n"
    "    if interrupted() then return message end\n"
    "    return handler(message)\n"
    "  end, ...)\n"
    "end\n"
    "function collectgarbage(what)\n"
    "  if what == nil or what == 'collect' then return collect() end\n"
    "  if what == 'count' then return count(what) end\n"
    "  error('collectgarbage takes \"collect\" and \"count\" only', 2)\n"
    "end\n"
    "local create, resume = coroutine.create, coroutine.resume\n"
    "local function results(ok, first, ...)\n"
    "  if not ok then error(first, 0) end\n"
    "  return first, ...\n"
    "end\n"
    "function coroutine.wrap(f)\n"
    "  local thread = create(f)\n"
    "  return function(...) return results(resume(thread, ...)) end\n"
    "end\n"
    "coroutine.close = nil\n"
    "string.dump = nil\n"
    "dofile, loadfile, warn = nil, nil, nil\n"
    "local open = host.open\n"
    "io = { open = open, write = write }\n"
    "function io.lines(path, ...)\n"
    "  local file, message = open(path)\n"
    "  if not file then error(message, 2) end\n"
    "  return file:lines(...)\n"
    "end\n"
    "os = { clock = os.clock, date = os.date, difftime = os.difftime, time = os.time }\n"
    "debug = { traceback = debug.traceback }\n";

static const luaL_Reg pure[] = {{LUA_GNAME, luaopen_base},       {LUA_COLIBNAME, luaopen_coroutine},
                                {LUA_TABLIBNAME, luaopen_table}, {LUA_STRLIBNAME, luaopen_string},
                                {LUA_UTF8LIBNAME, luaopen_utf8}, {LUA_MATHLIBNAME, luaopen_math},
                                {LUA_IOLIBNAME, luaopen_io},     {LUA_OSLIBNAME, luaopen_os},
                                {LUA_DBLIBNAME, luaopen_debug},  {NULL, NULL}};

static void run_prelude(lua_State *L, bool trust)
{
    if (luaL_loadbufferx(L, prelude, sizeof prelude - 1, "=eex/prelude", "t") != LUA_OK)
        lua_error(L);
    lua_newtable(L);
    eex__lua_set_host(L);
    lua_pushboolean(L, trust);
    lua_setfield(L, -2, "trust");
    lua_call(L, 1, 0);
}

/* Gives the metatable on the top methods that stay the same when a script replaces functions of
 * `string`: the library calls them, too. What the script adds there becomes a method. */
static void fix_methods(lua_State *L)
{
    lua_getglobal(L, LUA_STRLIBNAME);
    eex__lua_push_copy(L, -1);
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setfield(L, -3, "__index");
    lua_pop(L, 1);
}

/* A script that gets at a metatable could give an object a finaliser. */
static void guard_metatables(lua_State *L, bool trust)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    fix_methods(L);
    luaL_getmetatable(L, LUA_FILEHANDLE);
    for (int i = 1; i <= 2 && !trust; i++) {
        lua_pushboolean(L, false);
        lua_setfield(L, -1 - i, "__metatable");
    }
    lua_pop(L, 3);
}

/* Random numbers of a script are the same in every run. */
static void seed_math(lua_State *L)
{
    lua_getglobal(L, "math");
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, 0);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
}

void eex__lua_open_libs(lua_State *L)
{
    bool trust = eex__lua_of(L)->trust;
    if (trust)
        luaL_openlibs(L);
    for (const luaL_Reg *lib = pure; lib->func && !trust; lib++) {
        luaL_requiref(L, lib->name, lib->func, 1);
        lua_pop(L, 1);
    }
    eex__lua_open_base(L);
    eex__lua_open_string(L);
    eex__lua_open_table(L);
    run_prelude(L, trust);
    guard_metatables(L, trust);
    seed_math(L);
    eex__lua_open_require(L);
}
