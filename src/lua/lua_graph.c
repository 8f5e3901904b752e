#include "lua/lua_graph.h"

#include "core/graph/cost.h"
#include "core/graph/predictor.h"
#include "lua/args.h"
#include "lua/graph_words.h"
#include "lua/lua_class.h"
#include "lua/lua_graph_impl.h"
#include "lua/saliency.h"
#include "lua/sandbox_impl.h"

#include "base/status.h"

#include <lauxlib.h>
#include <limits.h>

#define METATABLE "eex.graph"

enum { MAX_GRAPHS = 64 }; /* alive in a state */

typedef struct box {
    eex_graph *g; /* NULL: closed */
    eex__lua_held held;
} box;

/* ---- objects ---- */

/* Pushes a closed object, which can fail without losing anything. */
static box *push_closed(lua_State *L)
{
    eex__lua *s = eex__lua_of(L);
    if (s->graphs >= MAX_GRAPHS)
        lua_gc(L, LUA_GCCOLLECT);
    if (s->graphs >= MAX_GRAPHS)
        luaL_error(L, "more than %d graphs at once", MAX_GRAPHS);
    box *b = lua_newuserdatauv(L, sizeof *b, 0);
    *b = (box){.g = NULL};
    luaL_setmetatable(L, METATABLE);
    return b;
}

/* What a graph takes is found out as it grows, a node at a time. */
static void count_growth(lua_State *L, box *b)
{
    const size_t bytes = eex_graph_bytes(b->g);
    if (bytes > b->held.bytes &&
        eex__lua_take(L, &b->held, bytes - b->held.bytes, "the nodes of a graph do not fit") < 0)
        eex_lua_raise(L);
}

static void open_box(lua_State *L, box *b, eex_graph *g)
{
    b->g = g;
    eex__lua_of(L)->graphs++;
    count_growth(L, b);
}

static int graph_gc(lua_State *L)
{
    box *b = luaL_checkudata(L, 1, METATABLE);
    if (b->g) {
        eex_graph_free(b->g);
        eex__lua_of(L)->graphs--;
    }
    eex__lua_give_back(L, &b->held);
    b->g = NULL;
    return 0;
}

static eex_graph *self(lua_State *L)
{
    box *b = luaL_checkudata(L, 1, METATABLE);
    if (!b->g)
        luaL_error(L, "this graph is closed");
    count_growth(L, b);
    return b->g;
}

eex_graph *eex__lua_graph_self(lua_State *L)
{
    return self(L);
}

int eex__lua_graph_push(lua_State *L, int (*make)(eex_graph **out, void *ctx), void *ctx)
{
    eex_graph *g = NULL;
    box *b = push_closed(L);
    if (make(&g, ctx) < 0)
        eex_lua_raise(L);
    open_box(L, b, g);
    return 1;
}

eex_graph *eex_lua_finished(lua_State *L, int index)
{
    box *b = luaL_testudata(L, index, METATABLE);
    return b && b->g && eex_graph_exits(b->g) > 0 ? b->g : NULL;
}

eex_graph *eex_lua_backbone(lua_State *L, int index)
{
    eex_graph *g = eex_lua_finished(L, index);
    return g && eex_graph_exits(g) == 1 ? g : NULL;
}

static int value_at(lua_State *L, int index)
{
    lua_Integer value = luaL_checkinteger(L, index);
    return value >= 0 && value <= INT_MAX ? (int)value : -1;
}

/* The id that a builder made, or its error. By address: the call that makes it is an argument too.
 */
static int give_value(lua_State *L, int code, const int *value)
{
    if (code < 0)
        eex_lua_raise(L);
    lua_pushinteger(L, *value);
    return 1;
}

/* ---- building ---- */

int eex_lua_graph_new(lua_State *L)
{
    eex_args a = eex_args_open(L, 1, "graph", false);
    eex_args_known(&a, eex__graph_fields(EEX__OF_GRAPH));
    const char *name = eex_args_text(&a, "name", EEX_NAME_MAX - 1);
    int size = (int)eex_args_int_or(&a, "size", 1, 1 << 14, 0);
    int height = (int)(size ? size : eex_args_int(&a, "height", 1, 1 << 14));
    int width = (int)(size ? size : eex_args_int(&a, "width", 1, 1 << 14));
    int channels = (int)eex_args_int_or(&a, "channels", 1, 1 << 16, 3);
    eex_graph *g = NULL;
    box *b = push_closed(L);
    if (eex_graph_new(&g, name, height, width, channels) < 0)
        eex_lua_raise(L);
    open_box(L, b, g);
    return 1;
}

static int graph_input(lua_State *L)
{
    self(L);
    lua_pushinteger(L, 0);
    return 1;
}

static int graph_block(lua_State *L)
{
    if (eex_graph_block(self(L), luaL_checkstring(L, 2)) < 0)
        eex_lua_raise(L);
    lua_settop(L, 1);
    return 1;
}

/* What of a convolution depends on genes. */
static int choose(eex_graph *g, int node, const eex__lua_choice *out, const eex__lua_choice *kernel,
                  bool transforms)
{
    if (out->gene >= 0)
        EEX_TRY(eex_graph_choose_out(g, node, out->gene, out->values));
    return kernel->gene >= 0
               ? eex_graph_choose_kernel(g, node, kernel->gene, kernel->values, transforms)
               : EEX_OK;
}

static int graph_conv(lua_State *L)
{
    eex_graph *g = self(L);
    eex__lua_choice out, kernel;
    int x = value_at(L, 2);
    const char *name = luaL_checkstring(L, 3);
    eex_args a = eex_args_open(L, 4, name, false);
    eex_args_known(&a, eex__graph_fields(EEX__OF_CONV));
    eex__lua_read_choice(&out, &a, "out", g);
    eex__lua_read_choice(&kernel, &a, "kernel", g);
    bool transforms = eex_args_flag_or(&a, "transforms", false);
    eex_conv_options o = {.out = out.largest,
                          .kernel = kernel.largest,
                          .stride = (int)eex_args_int_or(&a, "stride", 1, INT_MAX, 1),
                          .pad = (int)eex_args_int_or(&a, "pad", 0, INT_MAX, 0),
                          .groups = (int)eex_args_int_or(&a, "groups", 1, INT_MAX, 1),
                          .bias = eex_args_flag_or(&a, "bias", false)};
    int code = eex_graph_add_conv(g, &x, x, name, &o);
    if (code == EEX_OK)
        code = choose(g, x, &out, &kernel, transforms);
    return give_value(L, code, &x);
}

/* {zero_start = true}: its scales start at 0. */
static int graph_batch_norm(lua_State *L)
{
    static const char *const known[] = {"zero_start", NULL};
    eex_graph *g = self(L);
    int x = value_at(L, 2);
    const char *name = luaL_checkstring(L, 3);
    eex_args a = eex_args_open(L, 4, name, true);
    eex_args_known(&a, known);
    int code = eex_graph_add_batch_norm(g, &x, x, name);
    if (code == EEX_OK && eex_args_flag_or(&a, "zero_start", false))
        code = eex_graph_zero_start(g, x);
    return give_value(L, code, &x);
}

static int graph_add(lua_State *L)
{
    int a = value_at(L, 2), b = value_at(L, 3);
    int code = eex_graph_add_add(self(L), &a, a, b, luaL_checkstring(L, 4));
    return give_value(L, code, &a);
}

/* g:scale(x, factors, name): squeeze and excitation's multiplication. */
static int graph_scale(lua_State *L)
{
    int a = value_at(L, 2), b = value_at(L, 3);
    int code = eex_graph_add_scale(self(L), &a, a, b, luaL_checkstring(L, 4));
    return give_value(L, code, &a);
}

static int graph_concat(lua_State *L)
{
    int a = value_at(L, 2), b = value_at(L, 3);
    int code = eex_graph_add_concat(self(L), &a, a, b, luaL_checkstring(L, 4));
    return give_value(L, code, &a);
}

static int graph_max_pool(lua_State *L)
{
    eex_graph *g = self(L);
    int x = value_at(L, 2);
    const char *name = luaL_checkstring(L, 3);
    eex_args a = eex_args_open(L, 4, name, false);
    eex_args_known(&a, eex__graph_fields(EEX__OF_MAX_POOL));
    int kernel = (int)eex_args_int(&a, "kernel", 1, INT_MAX);
    int stride = (int)eex_args_int_or(&a, "stride", 1, INT_MAX, kernel);
    int pad = (int)eex_args_int_or(&a, "pad", 0, INT_MAX, 0);
    return give_value(L, eex_graph_add_max_pool(g, &x, x, name, kernel, stride, pad), &x);
}

/* {functional = true}: the original calls a function there, not a layer (see cost.h). */
static bool functional_at(lua_State *L, const char *name, int index)
{
    eex_args a = eex_args_open(L, index, name, true);
    eex_args_known(&a, eex__graph_fields(EEX__OF_POOL));
    return eex_args_flag_or(&a, "functional", false);
}

static int graph_act(lua_State *L)
{
    eex_graph *g = self(L);
    eex_act act;
    int x = value_at(L, 2);
    const char *name = luaL_checkstring(L, 3);
    if (eex_act_parse(&act, luaL_checkstring(L, 4)) < 0)
        eex_lua_raise(L);
    bool functional = functional_at(L, name, 5);
    int code = eex_graph_add_act(g, &x, x, name, act);
    if (code == EEX_OK && functional)
        code = eex_graph_functional(g, x);
    return give_value(L, code, &x);
}

static int graph_global_pool(lua_State *L)
{
    eex_graph *g = self(L);
    int x = value_at(L, 2);
    const char *name = luaL_checkstring(L, 3);
    bool functional = functional_at(L, name, 4);
    return give_value(L, eex_graph_add_global_pool(g, &x, x, name, functional), &x);
}

static int graph_flatten(lua_State *L)
{
    eex_graph *g = self(L);
    int x = value_at(L, 2);
    const char *name = luaL_checkstring(L, 3);
    bool functional = functional_at(L, name, 4);
    return give_value(L, eex_graph_add_flatten(g, &x, x, name, functional), &x);
}

static int graph_dropout(lua_State *L)
{
    int x = value_at(L, 2);
    float p = (float)luaL_checknumber(L, 4);
    int code = eex_graph_add_dropout(self(L), &x, x, luaL_checkstring(L, 3), p);
    return give_value(L, code, &x);
}

static int graph_linear(lua_State *L)
{
    eex_graph *g = self(L);
    int x = value_at(L, 2);
    const char *name = luaL_checkstring(L, 3);
    eex_args a = eex_args_open(L, 4, name, false);
    eex_args_known(&a, eex__graph_fields(EEX__OF_LINEAR));
    int out = (int)eex_args_int(&a, "out", 1, INT_MAX);
    bool bias = eex_args_flag_or(&a, "bias", true);
    float std = (float)eex_args_number_or(&a, "init_std", 0, 100, 0);
    int code = eex_graph_add_linear(g, &x, x, name, out, bias);
    if (code == EEX_OK)
        code = eex_graph_init_std(g, x, std);
    return give_value(L, code, &x);
}

/* g:finish(x) checks the graph, freezes it and returns it. */
static int graph_finish(lua_State *L)
{
    if (eex_graph_finish(self(L), value_at(L, 2)) < 0)
        eex_lua_raise(L);
    lua_settop(L, 1);
    return 1;
}

/* ---- looking ---- */

static int graph_len(lua_State *L)
{
    lua_pushinteger(L, eex_graph_nodes(self(L)));
    return 1;
}

static int graph_tostring(lua_State *L)
{
    const eex_graph *g = self(L);
    lua_pushfstring(L, "graph \"%s\" (%d nodes)", eex_graph_name(g), eex_graph_nodes(g));
    return 1;
}

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
    eex_lua_push_nodes(L, self(L));
    return 1;
}

static int graph_name(lua_State *L)
{
    lua_pushstring(L, eex_graph_name(self(L)));
    return 1;
}

static int graph_layers(lua_State *L)
{
    lua_pushinteger(L, eex_graph_layers(self(L)));
    return 1;
}

/* g:parameters(): {name, shape, trainable} of each; g:parameter_count(): trainable elements. */
static int graph_parameters(lua_State *L)
{
    const eex_graph *g = self(L);
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
    lua_pushinteger(L, eex_graph_param_total(self(L)));
    return 1;
}

static eex_convention convention_at(lua_State *L, int index)
{
    eex_convention c;
    if (eex_convention_parse(&c, luaL_optstring(L, index, "macs")) < 0)
        eex_lua_raise(L);
    return c;
}

static int graph_cost(lua_State *L)
{
    lua_pushinteger(L, eex_cost_total(self(L), convention_at(L, 2)));
    return 1;
}

/* g:exits(convention): {point, blocks, logits, trunk, gate, cumulative} of each; the end of the
 * backbone has no blocks. */
static int graph_exits(lua_State *L)
{
    const eex_graph *g = self(L);
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

/* ---- gates ---- */

static int graph_points(lua_State *L)
{
    eex_lua_saliency found;
    eex_lua_read_saliency(&found, L, 2, "saliency", self(L));
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
    int type = lua_rawget(L, gate->table), point = -1;
    if (type == LUA_TSTRING)
        point = eex_graph_find(g, lua_tostring(L, -1));
    else if (lua_isinteger(L, -1))
        point = value_at(L, -1);
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

/* g:with_gates({{point = "features.3.add", blocks = 2, heads = {1}},
 * {point = "features.5.add", family = "eec"}, ...}, "relu6"): a new graph. */
static int graph_with_gates(lua_State *L)
{
    const eex_graph *g = self(L);
    eex_gate gates[EEX_MAX_EXITS];
    eex_act act = eex_lua_graph_act(g);
    eex_graph *gated = NULL;
    if (!lua_isnoneornil(L, 3) && eex_act_parse(&act, luaL_checkstring(L, 3)) < 0)
        eex_lua_raise(L);
    eex_args list = eex_args_open(L, 2, "gates", false);
    eex_args_list(&list);
    lua_Unsigned count = lua_rawlen(L, list.table);
    if (count >= EEX_MAX_EXITS)
        return luaL_error(L, "gates: at most %d", EEX_MAX_EXITS - 1);
    for (int i = 0; i < (int)count; i++)
        gates[i] = read_gate(&list, g, i + 1);
    box *b = push_closed(L);
    if (eex_graph_with_gates(&gated, g, gates, (int)count, act) < 0)
        eex_lua_raise(L);
    open_box(L, b, gated);
    return 1;
}

/* ---- predictors ---- */

typedef struct predictor {
    eex_exit_predictor_family family;
    int height, width, channels, gates;
} predictor;

static int make_predictor(eex_graph **out, void *context)
{
    const predictor *p = context;
    return eex_exit_predictor_graph(out, p->family, p->height, p->width, p->channels, p->gates);
}

int eex_lua_graph_predictor(lua_State *L)
{
    const int family = eex_name_find(eex_exit_predictor_family_names(), luaL_checkstring(L, 1));
    eex_args a = eex_args_open(L, 2, "predictor", false);
    predictor p = {.family = (eex_exit_predictor_family)family,
                   .height = (int)eex_args_int(&a, "height", 1, INT_MAX),
                   .width = (int)eex_args_int(&a, "width", 1, INT_MAX),
                   .channels = (int)eex_args_int(&a, "channels", 1, INT_MAX),
                   .gates = (int)eex_args_int(&a, "gates", 1, EEX_LABEL_BITS)};
    return eex__lua_graph_push(L, make_predictor, &p);
}

/* ---- the class ---- */

static const luaL_Reg methods[] = {{"input", graph_input},
                                   {"block", graph_block},
                                   {"conv", graph_conv},
                                   {"batch_norm", graph_batch_norm},
                                   {"act", graph_act},
                                   {"add", graph_add},
                                   {"scale", graph_scale},
                                   {"concat", graph_concat},
                                   {"max_pool", graph_max_pool},
                                   {"global_pool", graph_global_pool},
                                   {"flatten", graph_flatten},
                                   {"dropout", graph_dropout},
                                   {"linear", graph_linear},
                                   {"finish", graph_finish},
                                   {"nodes", graph_nodes},
                                   {"name", graph_name},
                                   {"layers", graph_layers},
                                   {"parameters", graph_parameters},
                                   {"parameter_count", graph_parameter_count},
                                   {"cost", graph_cost},
                                   {"exits", graph_exits},
                                   {"points", graph_points},
                                   {"with_gates", graph_with_gates},
                                   {NULL, NULL}};

static const luaL_Reg metamethods[] = {
    {"__gc", graph_gc}, {"__len", graph_len}, {"__tostring", graph_tostring}, {NULL, NULL}};

void eex_lua_graph_register(lua_State *L)
{
    luaL_newmetatable(L, METATABLE);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    luaL_setfuncs(L, eex__lua_elastic_methods, 0);
    lua_pushvalue(L, -1);
    lua_insert(L, -3);
    eex__lua_class_methods(L, "graph");
    lua_insert(L, -2);
    eex__graph_guard_methods(L);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable"); /* scripts must not reach __gc */
    lua_pop(L, 1);
}
