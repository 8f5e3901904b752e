/* Building graphs from Lua: a method a kind of node. */
#include "lua/graph_words.h"
#include "lua/lua_graph_impl.h"

#include "base/status.h"

#include <limits.h>

/* The id that a builder made, or its error. By address: the call that makes it is an argument too.
 */
static int give_value(lua_State *L, int code, const int *value)
{
    if (code < 0)
        eex_lua_raise(L);
    lua_pushinteger(L, *value);
    return 1;
}

static int graph_input(lua_State *L)
{
    eex__lua_graph_self(L);
    lua_pushinteger(L, 0);
    return 1;
}

static int graph_block(lua_State *L)
{
    if (eex_graph_block(eex__lua_graph_self(L), eex_lua_text(L, 2)) < 0)
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
    eex_graph *g = eex__lua_graph_self(L);
    eex__lua_choice out, kernel;
    int x = eex__lua_graph_value(L, 2);
    const char *name = eex_lua_text(L, 3);
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
    eex_graph *g = eex__lua_graph_self(L);
    int x = eex__lua_graph_value(L, 2);
    const char *name = eex_lua_text(L, 3);
    eex_args a = eex_args_open(L, 4, name, true);
    eex_args_known(&a, known);
    int code = eex_graph_add_batch_norm(g, &x, x, name);
    if (code == EEX_OK && eex_args_flag_or(&a, "zero_start", false))
        code = eex_graph_zero_start(g, x);
    return give_value(L, code, &x);
}

static int graph_add(lua_State *L)
{
    int a = eex__lua_graph_value(L, 2), b = eex__lua_graph_value(L, 3);
    int code = eex_graph_add_add(eex__lua_graph_self(L), &a, a, b, eex_lua_text(L, 4));
    return give_value(L, code, &a);
}

/* g:scale(x, factors, name): squeeze and excitation's multiplication. */
static int graph_scale(lua_State *L)
{
    int a = eex__lua_graph_value(L, 2), b = eex__lua_graph_value(L, 3);
    int code = eex_graph_add_scale(eex__lua_graph_self(L), &a, a, b, eex_lua_text(L, 4));
    return give_value(L, code, &a);
}

static int graph_concat(lua_State *L)
{
    int a = eex__lua_graph_value(L, 2), b = eex__lua_graph_value(L, 3);
    int code = eex_graph_add_concat(eex__lua_graph_self(L), &a, a, b, eex_lua_text(L, 4));
    return give_value(L, code, &a);
}

static int graph_max_pool(lua_State *L)
{
    eex_graph *g = eex__lua_graph_self(L);
    int x = eex__lua_graph_value(L, 2);
    const char *name = eex_lua_text(L, 3);
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
    eex_graph *g = eex__lua_graph_self(L);
    eex_act act;
    int x = eex__lua_graph_value(L, 2);
    const char *name = eex_lua_text(L, 3);
    if (eex_act_parse(&act, eex_lua_text(L, 4)) < 0)
        eex_lua_raise(L);
    bool functional = functional_at(L, name, 5);
    int code = eex_graph_add_act(g, &x, x, name, act);
    if (code == EEX_OK && functional)
        code = eex_graph_functional(g, x);
    return give_value(L, code, &x);
}

static int graph_global_pool(lua_State *L)
{
    eex_graph *g = eex__lua_graph_self(L);
    int x = eex__lua_graph_value(L, 2);
    const char *name = eex_lua_text(L, 3);
    bool functional = functional_at(L, name, 4);
    return give_value(L, eex_graph_add_global_pool(g, &x, x, name, functional), &x);
}

static int graph_flatten(lua_State *L)
{
    eex_graph *g = eex__lua_graph_self(L);
    int x = eex__lua_graph_value(L, 2);
    const char *name = eex_lua_text(L, 3);
    bool functional = functional_at(L, name, 4);
    return give_value(L, eex_graph_add_flatten(g, &x, x, name, functional), &x);
}

static int graph_dropout(lua_State *L)
{
    int x = eex__lua_graph_value(L, 2);
    float p = (float)luaL_checknumber(L, 4);
    int code = eex_graph_add_dropout(eex__lua_graph_self(L), &x, x, eex_lua_text(L, 3), p);
    return give_value(L, code, &x);
}

static int graph_linear(lua_State *L)
{
    eex_graph *g = eex__lua_graph_self(L);
    int x = eex__lua_graph_value(L, 2);
    const char *name = eex_lua_text(L, 3);
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
    if (eex_graph_finish(eex__lua_graph_self(L), eex__lua_graph_value(L, 2)) < 0)
        eex_lua_raise(L);
    lua_settop(L, 1);
    return 1;
}

const eex__lua_function eex__lua_graph_building[] = {{"input", graph_input, 0},
                                                     {"block", graph_block, 1},
                                                     {"conv", graph_conv, 3},
                                                     {"batch_norm", graph_batch_norm, 3},
                                                     {"act", graph_act, 4},
                                                     {"add", graph_add, 3},
                                                     {"scale", graph_scale, 3},
                                                     {"concat", graph_concat, 3},
                                                     {"max_pool", graph_max_pool, 3},
                                                     {"global_pool", graph_global_pool, 3},
                                                     {"flatten", graph_flatten, 3},
                                                     {"dropout", graph_dropout, 3},
                                                     {"linear", graph_linear, 3},
                                                     {"finish", graph_finish, 1},
                                                     {NULL, NULL, 0}};
