#include "lua/lua_class.h"

#include "lua/args.h"
#include "lua/sandbox_impl.h"

#include "base/text.h"

/* In the registry: methods by name of class, and names by metatable. */
static const char by_name[] = "eex.classes", by_metatable[] = "eex.class names";

/* ---- functions ---- */

/* Those behind `first`, but for nils at the end, which say nothing. */
static int given(lua_State *L, int first)
{
    int last = lua_gettop(L);
    while (last >= first && lua_isnil(L, last))
        last--;
    return last - first + 1;
}

static void check_count(lua_State *L, const char *name, int most, int count)
{
    if (most == EEX__ANY || count <= most)
        return;
    luaL_checkstack(L, 4, NULL);
    eex_lua_where(L);
    if (most == 0)
        lua_pushfstring(L, "%s: no arguments, got %d", name, count);
    else
        lua_pushfstring(L, "%s: at most %d argument%s, got %d", name, most, eex_plural(most),
                        count);
    lua_concat(L, 2);
    lua_error(L);
}

enum { NAME = 1, MOST, FUNCTION, UPVALUES = FUNCTION };

/* In the frame of the function itself. */
static int call(lua_State *L, int first)
{
    check_count(L, lua_tostring(L, lua_upvalueindex(NAME)),
                (int)lua_tointeger(L, lua_upvalueindex(MOST)), given(L, first));
    return lua_tocfunction(L, lua_upvalueindex(FUNCTION))(L);
}

static int call_function(lua_State *L)
{
    return call(L, 1);
}

static int call_method(lua_State *L)
{
    return call(L, 2);
}

static void set(lua_State *L, const eex__lua_function *f, lua_CFunction by)
{
    for (; f->name; f++) {
        lua_pushstring(L, f->name);
        lua_pushinteger(L, f->most);
        lua_pushcfunction(L, f->call);
        lua_pushcclosure(L, by, UPVALUES);
        lua_setfield(L, -2, f->name);
    }
}

void eex__lua_set_functions(lua_State *L, const eex__lua_function *functions)
{
    set(L, functions, call_function);
}

void eex__lua_set_methods(lua_State *L, const eex__lua_function *methods)
{
    set(L, methods, call_method);
}

int eex__lua_arguments(lua_State *L)
{
    check_count(L, luaL_checkstring(L, 1), (int)luaL_checkinteger(L, 2), given(L, 3));
    return 0;
}

/* ---- classes ---- */

void eex__lua_class_methods(lua_State *L, const char *name)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, by_name);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, by_metatable);
    lua_pushvalue(L, -3);
    lua_pushstring(L, name);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    lua_setfield(L, -2, "methods");
}

void eex__lua_class(lua_State *L, const char *metatable, const char *name,
                    const luaL_Reg *metamethods, const eex__lua_function *methods)
{
    if (luaL_newmetatable(L, metatable)) {
        luaL_setfuncs(L, metamethods, 0);
        lua_newtable(L);
        eex__lua_set_methods(L, methods);
        eex__lua_class_methods(L, name);
        lua_pushstring(L, name);
        lua_setfield(L, -2, "__metatable");
    }
    lua_pop(L, 1);
}

int eex__lua_member(lua_State *L, int facts)
{
    if (lua_type(L, 2) == LUA_TSTRING && luaL_getmetafield(L, 1, "methods") != LUA_TNIL) {
        lua_pushvalue(L, 2);
        if (lua_rawget(L, -2) != LUA_TNIL)
            return 1;
        lua_pop(L, 2);
    }
    if (lua_getiuservalue(L, 1, facts) != LUA_TTABLE)
        return 0;
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    return 1;
}

/* ---- for help and completion ---- */

/* Pushes the name of the value's class, or nil. */
static bool push_class(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) {
        lua_pushnil(L);
        return false;
    }
    luaL_getsubtable(L, LUA_REGISTRYINDEX, by_metatable);
    lua_insert(L, -2);
    const bool known = lua_rawget(L, -2) != LUA_TNIL;
    lua_remove(L, -2);
    return known;
}

int eex__lua_class_of(lua_State *L)
{
    luaL_checkany(L, 1);
    push_class(L, 1);
    return 1;
}

/* A copy, so that nobody changes the original; what is no table gives an empty one. */
static void push_copy(lua_State *L, int index)
{
    if (lua_istable(L, index))
        eex__lua_push_copy(L, index);
    else
        lua_newtable(L);
}

int eex__lua_class_members(lua_State *L)
{
    lua_settop(L, 1);
    const bool known = push_class(L, 1); /* 2 */
    if (!known || lua_getiuservalue(L, 1, 1) == LUA_TNONE)
        lua_settop(L, 2), lua_pushnil(L); /* 3 */
    push_copy(L, 3);                      /* 4 */
    if (known)
        luaL_getmetafield(L, 1, "methods"); /* 5 */
    else
        lua_pushnil(L);
    push_copy(L, 5);
    lua_remove(L, 5);
    return 2;
}

int eex__lua_classes(lua_State *L)
{
    lua_newtable(L);
    const int out = lua_gettop(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, by_name);
    for (lua_pushnil(L); lua_next(L, out + 1); lua_pop(L, 1)) {
        push_copy(L, lua_gettop(L));
        lua_setfield(L, out, lua_tostring(L, -3));
    }
    lua_settop(L, out);
    return 1;
}
