/* eex.repl(): an experiment stops, and a person looks around. */
#ifndef EEX_LUA_STOP_H
#define EEX_LUA_STOP_H

#include <lua.h>

/* A lua_CFunction: eex.repl(). Hands the locals of the function that called it to
 * eex_lua_options.stop, as a table: reading and setting a name in it reads and sets the local, the
 * upvalue or the global of that name. No other function's are to be had, and these only as long as
 * that one runs. */
int eex__lua_stop(lua_State *L);

#endif
