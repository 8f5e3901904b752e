/* Exit points of a graph, and gates on them, from Lua. */
#include "lua/graph_words.h"
#include "lua/lua_graph.h"
#include "lua/lua_graph_impl.h"
#include "lua/saliency.h"

#include "base/status.h"

#include <limits.h>

static int graph_points(lua_State *L)
{
    eex_lua_saliency found;
    eex_lua_read_saliency(&found, L, 2, "saliency", eex__lua_graph_self(L));
    lua_createtable(L, found.points.count, 0);
    for (int i = 0; i < found.points.count; i++) {
        lua_pushinteger(L, found.points.nodes[i]);
        lua_seti(L, -2, i + 1);
    }
    return 1;
}

eex_act eex_lua_graph_act(const eex_graph *g)
{
    for (int i = eex_graph_nodes(g) - 1; i > 0; i--) {
        const eex_node *n = eex_graph_node(g, i);
        if (n->kind == EEX_NODE_ACT && eex_graph_gateable(g, i))
            return n->act;
    }
    return EEX_ACT_RELU;
}

/* A node by id or name, in a field of a gate. */
static int point_of(const eex_args *gate, const eex_graph *g)
{
    lua_State *L = gate->L;
    lua_pushliteral(L, "point");
    lua_rawget(L, gate->table);
    const char *name = eex_lua_plain_text(L, -1);
    int point = -1;
    if (name)
        point = eex_graph_find(g, name);
    else if (lua_isinteger(L, -1))
        point = eex__lua_graph_value(L, -1);
    if (!eex_graph_gateable(g, point))
        eex_args_refuse(gate, "point", "the name or id of a feature map");
    lua_pop(L, 1);
    return point;
}

static eex_gate read_gate(const eex_args *list, const eex_graph *g, int i)
{
    int heads[64];
    eex_args a = eex_args_member(list, i);
    eex_args_known(&a, eex__graph_fields(EEX__OF_GATE));
    const int family = eex_args_choice_or(&a, "family", eex_gate_family_names(), EEX_GATE_BLOCKS);
    eex_gate gate = {.point = point_of(&a, g), .family = (eex_gate_family)family, .blocks = 1};
    if (gate.family != EEX_GATE_EEC || eex_args_has(&a, "blocks"))
        gate.blocks = (int)eex_args_int(&a, "blocks", 0, 63);
    gate.channels = (int)eex_args_int_or(&a, "channels", 1, INT_MAX, 0);
    if (gate.channels && gate.family != EEX_GATE_POOLED && gate.family != EEX_GATE_LINEAR)
        eex_args_refuse(&a, "channels", "nothing: only pooled and linear gates have a choice");
    int count = eex_args_ints(&a, "heads", heads, 64, 0, gate.blocks);
    for (int j = 0; j < count; j++)
        gate.heads |= UINT64_C(1) << heads[j];
    gate.nested = count > 0;
    eex_args_close(&a);
    return gate;
}

typedef struct gating {
    const eex_graph *from;
    eex_gate gates[EEX_MAX_EXITS];
    int count;
    eex_act act;
} gating;

static int add_gates(eex_graph **out, void *context)
{
    const gating *w = context;
    return eex_graph_with_gates(out, w->from, w->gates, w->count, w->act);
}

/* g:with_gates({{point = "features.3.add", blocks = 2, heads = {1}},
 * {point = "features.5.add", family = "eec"}, ...}, "relu6"): a new graph. */
static int graph_with_gates(lua_State *L)
{
    const eex_graph *g = eex__lua_graph_self(L);
    gating w = {.from = g, .act = eex_lua_graph_act(g)};
    if (!lua_isnoneornil(L, 3) && eex_act_parse(&w.act, eex_lua_text(L, 3)) < 0)
        eex_lua_raise(L);
    eex_args list = eex_args_open(L, 2, "gates", false);
    eex_args_list(&list);
    lua_Unsigned count = lua_rawlen(L, list.table);
    if (count >= EEX_MAX_EXITS)
        eex_lua_error(L, "gates: at most %d", EEX_MAX_EXITS - 1);
    for (w.count = 0; w.count < (int)count; w.count++)
        w.gates[w.count] = read_gate(&list, g, w.count + 1);
    return eex__lua_graph_push(L, add_gates, &w);
}

const eex__lua_function eex__lua_graph_gating[] = {
    {"points", graph_points, 1}, {"with_gates", graph_with_gates, 2}, {NULL, NULL, 0}};
