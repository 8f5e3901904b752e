/* The module "eex.core": what the Lua library is built on. */
#ifndef EEX_LUA_CORE_H
#define EEX_LUA_CORE_H

#include <lua.h>

/* A lua_CFunction: pushes the module. */
int eex_lua_open_core(lua_State *L);

#endif
