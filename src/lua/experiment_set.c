#include "lua/experiment_set.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

enum { MAX_PATH = 200 };

/* As a message, which is a line, shows it; stays on the stack. */
static const char *shown(lua_State *L, const char *text)
{
    return luaL_gsub(L, text, "\n", "?");
}

/* A name in a literal: forgotten quotes, not nil. */
static int refuse_name(lua_State *L)
{
    return luaL_error(L,
                      "--set %s: %s is a name, which means nothing here: texts stand in quotes, "
                      "as in {\"%s\"}",
                      lua_tostring(L, lua_upvalueindex(1)), luaL_tolstring(L, 2, NULL),
                      lua_tostring(L, -1));
}

/* Names are known to nobody: whatever is looked up raises. */
static void push_nothing(lua_State *L, const char *assignment)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    shown(L, assignment);
    lua_pushcclosure(L, refuse_name, 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}

/* A constant of Lua: no names are known to it. */
static void push_literal(lua_State *L, const char *assignment, const char *value)
{
    lua_pushfstring(L, "return %s", value);
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    if (luaL_loadbufferx(L, text, length, "=--set", "t") != LUA_OK)
        luaL_error(L, "--set %s: \"%s\" is no Lua value", shown(L, assignment), shown(L, value));
    push_nothing(L, assignment);
    lua_setupvalue(L, -2, 1);
    lua_call(L, 0, 1);
    lua_remove(L, -2);
}

static void push_value(lua_State *L, const char *assignment, const char *value)
{
    static const char *const words[] = {"true", "false", "nil"};
    bool literal = *value == '{' || *value == '"' || *value == '\'';
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        literal |= strcmp(value, words[i]) == 0;
    if (literal)
        push_literal(L, assignment, value);
    else if (lua_stringtonumber(L, value) == 0)
        lua_pushstring(L, value);
}

/* "3" is the third member of a list; "1e3" is a name. One value is pushed, whatever it is: raw
 * access to what lies below would believe that to be a table. */
static void push_key(lua_State *L, const char *key)
{
    if (lua_stringtonumber(L, key) != 0) {
        if (lua_isinteger(L, -1))
            return;
        lua_pop(L, 1);
    }
    lua_pushstring(L, key);
}

/* Leaves the table that has the field on the stack: opens t[key], which must be one or absent. */
static void descend(lua_State *L, const char *assignment, const char *key)
{
    push_key(L, key);
    lua_rawget(L, -2);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
        push_key(L, key);
        lua_pushvalue(L, -2);
        lua_rawset(L, -4);
    }
    const char *kind = luaL_typename(L, -1);
    if (!lua_istable(L, -1))
        luaL_error(L, "--set %s: \"%s\" is a %s and has no fields", shown(L, assignment),
                   shown(L, key), kind);
}

void eex__experiment_set(lua_State *L, int table, const char *assignment)
{
    char path[MAX_PATH];
    const char *equals = strchr(assignment, '=');
    size_t length = equals ? (size_t)(equals - assignment) : 0;
    int top = lua_gettop(L);
    if (length == 0 || length >= sizeof path)
        luaL_error(L, "--set %s: expected FIELD=VALUE, as in search.trials=100",
                   shown(L, assignment));
    memcpy(path, assignment, length);
    path[length] = '\0';
    luaL_checkstack(L, MAX_PATH, NULL);
    lua_pushvalue(L, table);
    char *key = path;
    for (char *dot = strchr(key, '.'); dot; dot = strchr(key, '.')) {
        *dot = '\0';
        descend(L, assignment, key);
        key = dot + 1;
    }
    push_key(L, key);
    push_value(L, assignment, equals + 1);
    lua_rawset(L, -3);
    lua_settop(L, top);
}
