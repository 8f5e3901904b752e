/* A run's results as a Lua object: what `eex repl RUN` calls `run`, and `eex.run(folder)`.
 * docs/lua-api.md has its fields and methods. */
#ifndef EEX_LUA_LUA_RUN_H
#define EEX_LUA_LUA_RUN_H

#include <lua.h>

/* Pushes the run in a folder that is known to be permitted; raises. */
void eex_lua_push_run(lua_State *L, const char *folder);

/* A lua_CFunction: eex.run(folder). The folder must be one that the script may read. */
int eex_lua_run_open(lua_State *L);

/* Makes the metatables of runs and their policies. Call it once a state. */
void eex_lua_run_register(lua_State *L);

#endif
