#include "lua/stop.h"

#include "lua/args.h"
#include "lua/sandbox_impl.h"

#include "base/buffer.h"
#include "base/status.h"

#include <string.h>

/* The function that has stopped. */
typedef struct frame {
    lua_State *L; /* its thread; NULL: it has gone on */
    lua_Debug at;
} frame;

/* ---- names ---- */

/* The last local of that name, which hides others; 0: there is none. What has no name that a script
 * could say is not there. */
static int find_local(const frame *f, const char *name)
{
    int found = 0;
    const char *there;
    for (int i = 1; (there = lua_getlocal(f->L, &f->at, i)); i++) {
        lua_pop(f->L, 1);
        if (*there != '(' && strcmp(there, name) == 0)
            found = i;
    }
    return found;
}

/* Pushes the function; the upvalue of that name, or 0. */
static int find_upvalue(lua_State *L, const frame *f, const char *name)
{
    lua_Debug at = f->at;
    const char *there;
    lua_getinfo(f->L, "f", &at);
    if (f->L != L)
        lua_xmove(f->L, L, 1);
    for (int i = 1; (there = lua_getupvalue(L, -1, i)); i++) {
        lua_pop(L, 1);
        if (strcmp(there, name) == 0 && strcmp(name, "_ENV") != 0)
            return i;
    }
    return 0;
}

static frame *frame_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static void check_stack(lua_State *L, const frame *f)
{
    luaL_checkstack(L, 8, NULL);
    if (f->L && !lua_checkstack(f->L, 8)) /* an error is for the thread that asks */
        luaL_error(L, "the stack is full");
}

/* Pushes what the prompt calls so, or nil. */
static void push_word(lua_State *L, const char *name)
{
    static const char *const words[] = {"help", "compare", "plot"};
    const bool library = strcmp(name, "eex") == 0;
    bool known = library;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        known = known || strcmp(name, words[i]) == 0;
    lua_pushnil(L);
    if (!known)
        return;
    if (library) {
        eex_lua_push_given(L, "eex");
    } else {
        eex_lua_push_module(L, "eex");
        lua_getfield(L, -1, name);
    }
}

/* Pushes the local or upvalue called as index 2 says; false: there is none. */
static bool push_variable(lua_State *L)
{
    const frame *f = frame_of(L);
    check_stack(L, f);
    if (!f->L || lua_type(L, 2) != LUA_TSTRING)
        return false;
    const char *name = lua_tostring(L, 2);
    const int local = find_local(f, name);
    if (local) {
        lua_getlocal(f->L, &f->at, local);
        if (f->L != L)
            lua_xmove(f->L, L, 1);
        return true;
    }
    const int upvalue = find_upvalue(L, f, name);
    return upvalue && lua_getupvalue(L, -1, upvalue);
}

/* Pushes what the table has under the name at index 2; with `raw` nothing of the script runs. */
static int push_value(lua_State *L, bool raw)
{
    if (push_variable(L))
        return 1;
    lua_pushglobaltable(L);
    lua_pushvalue(L, 2);
    const int type = raw ? lua_rawget(L, -2) : lua_gettable(L, -2);
    if (type == LUA_TNIL && lua_type(L, 2) == LUA_TSTRING)
        push_word(L, lua_tostring(L, 2));
    return 1;
}

/* __index(table, name) */
static int get_name(lua_State *L)
{
    return push_value(L, false);
}

/* __newindex(table, name, value) */
static int set_name(lua_State *L)
{
    const frame *f = frame_of(L);
    check_stack(L, f);
    if (f->L && lua_type(L, 2) == LUA_TSTRING) {
        const char *name = lua_tostring(L, 2);
        const int local = find_local(f, name);
        if (local) {
            lua_pushvalue(L, 3);
            if (f->L != L)
                lua_xmove(L, f->L, 1);
            lua_setlocal(f->L, &f->at, local);
            return 0;
        }
        const int upvalue = find_upvalue(L, f, name);
        if (upvalue) {
            lua_pushvalue(L, 3);
            lua_setupvalue(L, -2, upvalue);
            return 0;
        }
    }
    lua_pushglobaltable(L);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_settable(L, -3);
    return 0;
}

/* __call(table, name): what the name stands for, looked up raw; __call(table): a list of the names
 * of locals and upvalues. For help and completion. */
static int tell_names(lua_State *L)
{
    const frame *f = frame_of(L);
    if (lua_gettop(L) > 1)
        return push_value(L, true);
    const char *name;
    lua_Integer count = 0;
    lua_newtable(L);
    const int list = lua_gettop(L);
    check_stack(L, f);
    if (!f->L)
        return 1;
    for (int i = 1; (name = lua_getlocal(f->L, &f->at, i)); i++) {
        lua_pop(f->L, 1);
        if (*name != '(') {
            lua_pushstring(L, name);
            lua_rawseti(L, list, ++count);
        }
    }
    (void)find_upvalue(L, f, "");
    for (int i = 1; (name = lua_getupvalue(L, list + 1, i)); i++) {
        lua_pop(L, 1);
        lua_pushstring(L, name);
        lua_rawseti(L, list, ++count);
    }
    lua_settop(L, list);
    return 1;
}

/* ---- stopping ---- */

/* Pushes the table of names. */
static frame *push_names(lua_State *L)
{
    frame *f = lua_newuserdatauv(L, sizeof *f, 0);
    f->L = NULL;
    lua_newtable(L);
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, get_name, 1);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, set_name, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, tell_names, 1);
    lua_setfield(L, -2, "__call");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    return f;
}

/* Pushes "FILE:LINE" and the names of what is at hand. */
static void push_place(lua_State *L, const frame *f)
{
    const char *name;
    luaL_Buffer b;
    lua_pushfstring(L, "%s:%d", f->at.short_src, f->at.currentline);
    luaL_buffinit(L, &b);
    for (int i = 1; (name = lua_getlocal(L, &f->at, i)); i++) {
        lua_pop(L, 1);
        if (*name == '(')
            continue;
        if (luaL_bufflen(&b) > 0)
            luaL_addstring(&b, ", ");
        luaL_addstring(&b, name);
    }
    luaL_pushresult(&b);
}

int eex__lua_stop(lua_State *L)
{
    const eex__lua *s = eex__lua_of(L);
    lua_Debug at;
    lua_settop(L, 0);
    if (!s->stop)
        return luaL_error(L, "eex.repl(): nobody is at a terminal to look around: take the call "
                             "out, or start with eex repl FILE.lua");
    if (!lua_getstack(L, 1, &at) || !lua_getinfo(L, "Sl", &at) || at.currentline < 0)
        return luaL_error(L, "eex.repl() is to be called by the function that it shall stop");
    luaL_checkstack(L, 16, NULL);
    frame *f = push_names(L); /* 1, and the table at 2 */
    f->at = at;
    push_place(L, &(frame){.L = L, .at = at}); /* 3, 4 */
    lua_pushvalue(L, 2);
    const int names = luaL_ref(L, LUA_REGISTRYINDEX);
    f->L = L; /* nothing raises from here on */
    if (s->expendable)
        eex_signals_expendable(false);
    const int code = s->stop(L, names, lua_tostring(L, 3), lua_tostring(L, 4));
    if (s->expendable)
        eex_signals_expendable(true);
    f->L = NULL;
    luaL_unref(L, LUA_REGISTRYINDEX, names);
    if (code < 0)
        eex_lua_raise(L);
    return 0;
}
