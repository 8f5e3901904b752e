/* A run's results as a Lua object: what `eex repl RUN` calls `run`. */
#ifndef EEX_LUA_LUA_RUN_H
#define EEX_LUA_LUA_RUN_H

#include <lua.h>

/* Pushes the run in `folder`; raises. Fields: name, dataset, device, seed, finished, state, base,
 * best, pareto, trials, seconds, as in `eex show --json`. run:replay{policy=, a=, ...} tells what
 * the chosen network would do under another policy, calibrated on the calibration split and judged
 * on the validation split; run:model{policy=, ...} opens that network, see lua_model.h. */
void eex_lua_push_run(lua_State *L, const char *folder);

#endif
