#include "lua/lua_graph.h"

#include "core/graph/predictor.h"
#include "lua/args.h"
#include "lua/graph_words.h"
#include "lua/lua_class.h"
#include "lua/lua_graph_impl.h"
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
        eex_lua_error(
            L,
            "more than %d graphs at once: keep what is needed of each, and not the graph; what "
            "nothing refers to is collected",
            MAX_GRAPHS);
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
        eex_lua_error(L, "this graph is closed");
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

int eex__lua_graph_value(lua_State *L, int index)
{
    lua_Integer value = luaL_checkinteger(L, index);
    return value >= 0 && value <= INT_MAX ? (int)value : -1;
}

/* ---- new ones ---- */

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
    const int family = eex_name_find(eex_exit_predictor_family_names(), eex_lua_text(L, 1));
    eex_args a = eex_args_open(L, 2, "predictor", false);
    predictor p = {.family = (eex_exit_predictor_family)family,
                   .height = (int)eex_args_int(&a, "height", 1, INT_MAX),
                   .width = (int)eex_args_int(&a, "width", 1, INT_MAX),
                   .channels = (int)eex_args_int(&a, "channels", 1, INT_MAX),
                   .gates = (int)eex_args_int(&a, "gates", 1, EEX_LABEL_BITS)};
    return eex__lua_graph_push(L, make_predictor, &p);
}

/* ---- the class ---- */

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

static const luaL_Reg metamethods[] = {
    {"__gc", graph_gc}, {"__len", graph_len}, {"__tostring", graph_tostring}, {NULL, NULL}};

void eex_lua_graph_register(lua_State *L)
{
    luaL_newmetatable(L, METATABLE);
    luaL_setfuncs(L, metamethods, 0);
    lua_newtable(L);
    eex__lua_set_methods(L, eex__lua_graph_building);
    eex__lua_set_methods(L, eex__lua_graph_looking);
    eex__lua_set_methods(L, eex__lua_graph_gating);
    eex__lua_set_methods(L, eex__lua_elastic_methods);
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
