/* Graphs as Lua objects: `eex.graph{name=, size=, channels=}` and its methods (see
 * docs/writing-experiments.md). Values are the integers of graph.h; the input is g:input(). */
#ifndef EEX_LUA_LUA_GRAPH_H
#define EEX_LUA_LUA_GRAPH_H

#include "core/graph/graph.h"

#include <lua.h>

/* The finished graph at an index, borrowed from the Lua object; NULL when it is something else or
 * was not finished. A backbone has no gates: NULL too when it has. */
eex_graph *eex_lua_finished(lua_State *L, int index);
eex_graph *eex_lua_backbone(lua_State *L, int index);

/* A lua_CFunction: eex.graph(options), a new graph. */
int eex_lua_graph_new(lua_State *L);

/* A lua_CFunction: predictor(family, {height, width, channels, gates}), an exit predictor's graph.
 */
int eex_lua_graph_predictor(lua_State *L);

/* Makes the metatable. Call it once a state. */
void eex_lua_graph_register(lua_State *L);

/* Pushes a list of tables {id, name, kind, block, h, w, c, inputs, macs, trunk_macs, gateable, act,
 * exit}, one a node; exit is absent for the trunk. */
void eex_lua_push_nodes(lua_State *L, const eex_graph *g);

/* The activation that the backbone uses: its last one; ReLU when it has none. */
eex_act eex_lua_graph_act(const eex_graph *g);

#endif
