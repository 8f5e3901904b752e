/* Members of the table on the top of the stack. */
#ifndef EEX_LUA_PUT_H
#define EEX_LUA_PUT_H

#include <lua.h>
#include <math.h>
#include <stdbool.h>

/* NaN, which is what is not known, is nil. */
static inline void eex__lua_put_number(lua_State *L, const char *name, double value)
{
    if (isnan(value))
        return;
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

static inline void eex__lua_put_integer(lua_State *L, const char *name, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static inline void eex__lua_put_text(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static inline void eex__lua_put_flag(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

#endif
