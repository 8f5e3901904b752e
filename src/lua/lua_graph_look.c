/* What a graph has, and what it costs, as tables of Lua. */
#include "core/graph/cost.h"
#include "lua/graph_words.h"
#include "lua/lua_graph.h"
#include "lua/lua_graph_impl.h"

static void set_int(lua_State *L, const char *key, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static void set_text(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

static void push_node(lua_State *L, const eex_graph *g, int id)
{
    const eex_node *n = eex_graph_node(g, id);
    lua_createtable(L, 0, 14);
    set_int(L, "id", id);
    set_text(L, "name", n->name);
    set_text(L, "kind", eex_node_kind_name(n->kind));
    set_text(L, "block", n->block);
    set_int(L, "h", n->h);
    set_int(L, "w", n->w);
    set_int(L, "c", n->c);
    set_int(L, "macs", eex_cost_node(g, id, EEX_MACS));
    set_int(L, "trunk_macs", eex_cost_trunk(g, id, EEX_MACS));
    lua_pushboolean(L, eex_graph_gateable(g, id));
    lua_setfield(L, -2, "gateable");
    if (n->kind == EEX_NODE_ACT)
        set_text(L, "act", eex_act_name(n->act));
    if (n->exit != EEX_TRUNK)
        set_int(L, "exit", n->exit);
    lua_createtable(L, 2, 0);
    for (int j = 0; j < 2 && n->inputs[j] >= 0; j++) {
        lua_pushinteger(L, n->inputs[j]);
        lua_seti(L, -2, j + 1);
    }
    lua_setfield(L, -2, "inputs");
    eex__graph_guard(L, EEX__OF_NODE);
}

void eex_lua_push_nodes(lua_State *L, const eex_graph *g)
{
    luaL_checkstack(L, 12, NULL);
    lua_createtable(L, eex_graph_nodes(g), 0);
    for (int i = 0; i < eex_graph_nodes(g); i++) {
        push_node(L, g, i);
        lua_seti(L, -2, i + 1);
    }
}

static int graph_nodes(lua_State *L)
{
    eex_lua_push_nodes(L, eex__lua_graph_self(L));
    return 1;
}

static int graph_name(lua_State *L)
{
    lua_pushstring(L, eex_graph_name(eex__lua_graph_self(L)));
    return 1;
}

static int graph_layers(lua_State *L)
{
    lua_pushinteger(L, eex_graph_layers(eex__lua_graph_self(L)));
    return 1;
}

/* g:parameters(): {name, shape, trainable} of each; g:parameter_count(): trainable elements. */
static int graph_parameters(lua_State *L)
{
    const eex_graph *g = eex__lua_graph_self(L);
    lua_createtable(L, eex_graph_params(g), 0);
    for (int i = 0; i < eex_graph_params(g); i++) {
        const eex_param *p = eex_graph_param(g, i);
        lua_createtable(L, 0, 3);
        set_text(L, "name", p->name);
        lua_pushboolean(L, p->trainable);
        lua_setfield(L, -2, "trainable");
        lua_createtable(L, p->rank, 0);
        for (int d = 0; d < p->rank; d++) {
            lua_pushinteger(L, p->shape[d]);
            lua_seti(L, -2, d + 1);
        }
        lua_setfield(L, -2, "shape");
        eex__graph_guard(L, EEX__OF_PARAMETER);
        lua_seti(L, -2, i + 1);
    }
    return 1;
}

static int graph_parameter_count(lua_State *L)
{
    lua_pushinteger(L, eex_graph_param_total(eex__lua_graph_self(L)));
    return 1;
}

static eex_convention convention_at(lua_State *L, int index)
{
    eex_convention c;
    if (eex_convention_parse(&c, eex_lua_text_or(L, index, "macs")) < 0)
        eex_lua_raise(L);
    return c;
}

static int graph_cost(lua_State *L)
{
    lua_pushinteger(L, eex_cost_total(eex__lua_graph_self(L), convention_at(L, 2)));
    return 1;
}

/* g:exits(convention): {point, blocks, logits, trunk, gate, cumulative} of each; the end of the
 * backbone has no blocks. */
static int graph_exits(lua_State *L)
{
    const eex_graph *g = eex__lua_graph_self(L);
    eex_convention c = convention_at(L, 2);
    lua_createtable(L, eex_graph_exits(g), 0);
    for (int k = 0; k < eex_graph_exits(g); k++) {
        const eex_exit *e = eex_graph_exit(g, k);
        lua_createtable(L, 0, 6);
        set_int(L, "point", e->point);
        set_int(L, "logits", e->logits);
        if (e->blocks >= 0)
            set_int(L, "blocks", e->blocks);
        set_int(L, "trunk", eex_cost_trunk(g, e->point, c));
        set_int(L, "gate", eex_cost_gate(g, k, c));
        set_int(L, "cumulative", eex_cost_cumulative(g, k, c));
        eex__graph_guard(L, EEX__OF_EXIT);
        lua_seti(L, -2, k + 1);
    }
    return 1;
}

const eex__lua_function eex__lua_graph_looking[] = {{"nodes", graph_nodes, 0},
                                                    {"name", graph_name, 0},
                                                    {"layers", graph_layers, 0},
                                                    {"parameters", graph_parameters, 0},
                                                    {"parameter_count", graph_parameter_count, 0},
                                                    {"cost", graph_cost, 1},
                                                    {"exits", graph_exits, 1},
                                                    {NULL, NULL, 0}};
