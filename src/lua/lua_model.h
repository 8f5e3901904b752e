/* Trained networks as Lua objects: `eex.open("runs/mine")`. docs/running-models.md has the methods.
 */
#ifndef EEX_LUA_LUA_MODEL_H
#define EEX_LUA_LUA_MODEL_H

#include <lua.h>

/* A lua_CFunction: eex.open(path [, options]). The path must be one that the script may read. */
int eex_lua_model_open(lua_State *L);

/* Pushes the model of a run's folder that is known to be permitted; options, nil or a table, are at
 * the index. Raises. */
void eex_lua_push_model(lua_State *L, const char *folder, int options);

/* Makes the metatable. Call it once a state. */
void eex_lua_model_register(lua_State *L);

#endif
