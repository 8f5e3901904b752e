/* "--set a.b=value" on the table that a script returned. */
#ifndef EEX_LUA_EXPERIMENT_SET_H
#define EEX_LUA_EXPERIMENT_SET_H

#include <lua.h>

/* Replaces the field in the table at `table`, making tables on the way; raises. Values: numbers,
 * true, false, nil, Lua tables ("{1, 2}") and quoted texts; anything else is a text. Call it
 * protected. */
void eex__experiment_set(lua_State *L, int table, const char *assignment);

#endif
