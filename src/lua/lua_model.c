#include "lua/lua_model.h"

#include "core/graph/cost.h"
#include "lua/args.h"
#include "lua/lua_class.h"
#include "lua/lua_model_impl.h"

#include <lauxlib.h>
#include <stdlib.h>

typedef eex__lua_model box;

/* ---- objects ---- */

void eex__lua_model_empty(lua_State *L, box *b)
{
    eex_frames_close(b->frames);
    eex_profile_free(b->profile);
    eex_dataset_close(b->data);
    eex_engine_close(b->engine);
    eex_model_close(b->model);
    eex_device_close(b->device);
    free(b->part.at);
    free(b->samples);
    free(b->pixels);
    eex__lua_give_back(L, &b->held);
    eex__lua_give_back(L, &b->chosen);
    *b = (box){.counted = b->counted};
}

void eex__lua_model_close(lua_State *L, box *b)
{
    eex__lua_model_empty(L, b);
    if (b->counted)
        eex__lua_of(L)->models--;
    b->counted = false;
}

static int model_close(lua_State *L)
{
    eex__lua_model_close(L, luaL_checkudata(L, 1, EEX__LUA_MODEL));
    return 0;
}

eex__lua_model *eex__lua_model_at(lua_State *L, int index)
{
    box *b = luaL_checkudata(L, index, EEX__LUA_MODEL);
    if (!b->engine)
        eex_lua_error(L, "this model is closed");
    return b;
}

box *eex__lua_model_push(lua_State *L)
{
    eex__lua *s = eex__lua_of(L);
    if (s->models >= EEX__LUA_MODELS)
        lua_gc(L, LUA_GCCOLLECT);
    if (s->models >= EEX__LUA_MODELS)
        eex_lua_error(L, "more than %d models at once: model:close() ends one", EEX__LUA_MODELS);
    box *b = lua_newuserdatauv(L, sizeof *b, 1);
    *b = (box){.counted = false};
    luaL_setmetatable(L, EEX__LUA_MODEL);
    b->counted = true;
    s->models++;
    return b;
}

/* ---- facts ---- */

static void push_classes(lua_State *L, const eex_model *m)
{
    const int count = (int)m->input.classes.count;
    lua_createtable(L, count, 0);
    for (int c = 0; c < count; c++) {
        lua_pushstring(L, m->input.classes.item[c]);
        lua_rawseti(L, -2, c + 1);
    }
}

static void push_exits(lua_State *L, const eex_graph *g)
{
    lua_createtable(L, eex_graph_exits(g), 0);
    for (int k = 0; k < eex_graph_exits(g); k++) {
        const eex_exit *x = eex_graph_exit(g, k);
        lua_createtable(L, 0, 3);
        lua_pushstring(L, eex_graph_node(g, x->point)->name);
        lua_setfield(L, -2, "node");
        if (x->blocks >= 0) {
            lua_pushinteger(L, x->blocks);
            lua_setfield(L, -2, "blocks");
        }
        lua_pushinteger(L, (lua_Integer)eex_cost_cumulative(g, k, EEX_MACS));
        lua_setfield(L, -2, "macs");
        lua_rawseti(L, -2, k + 1);
    }
}

void eex__lua_model_put_facts(lua_State *L, const eex_model *m)
{
    lua_createtable(L, 0, 9);
    lua_pushstring(L, eex_graph_name(m->graph));
    lua_setfield(L, -2, "name");
    lua_pushstring(L, m->input.dataset);
    lua_setfield(L, -2, "dataset");
    lua_pushstring(L, m->policy ? eex_policy_kind_name(m->policy->kind) : "none");
    lua_setfield(L, -2, "policy");
    lua_pushstring(L, eex_precision_name(m->runs_in));
    lua_setfield(L, -2, "precision");
    lua_pushinteger(L, m->input.height);
    lua_setfield(L, -2, "height");
    lua_pushinteger(L, m->input.width);
    lua_setfield(L, -2, "width");
    lua_pushinteger(L, m->input.channels);
    lua_setfield(L, -2, "channels");
    push_classes(L, m);
    lua_setfield(L, -2, "classes");
    push_exits(L, m->graph);
    lua_setfield(L, -2, "exits");
}

/* model:macs(exit): of an image that leaves there */
static int model_macs(lua_State *L)
{
    const box *b = eex__lua_model_at(L, 1);
    const int exits = eex_graph_exits(b->model->graph);
    const lua_Integer k = luaL_optinteger(L, 2, exits);
    if (k < 1 || k > exits)
        eex_lua_error(L, "exit %I: this model has %d", k, exits);
    lua_pushinteger(L, (lua_Integer)eex_cost_cumulative(b->model->graph, (int)k - 1, EEX_MACS));
    return 1;
}

/* ---- methods ---- */

/* model:profile { images = 64, base = other } */
static int model_profile(lua_State *L)
{
    (void)eex__lua_model_at(L, 1);
    lua_settop(L, 2);
    int base = 0;
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "base");
        if (lua_rawget(L, 2) != LUA_TNIL)
            base = lua_gettop(L);
    }
    eex__lua_profile(L, 1, base, 2);
    return 1;
}

static int model_index(lua_State *L)
{
    luaL_checkudata(L, 1, EEX__LUA_MODEL);
    const int results = eex__lua_member(L, 1);
    if (results == 0 || !lua_isfunction(L, -1)) /* methods say for themselves that it is closed */
        (void)eex__lua_model_at(L, 1);
    return results;
}

static int model_text(lua_State *L)
{
    const box *b = luaL_checkudata(L, 1, EEX__LUA_MODEL);
    if (!b->engine)
        lua_pushliteral(L, "model (closed)");
    else
        lua_pushfstring(L, "model %s: %d exits, %d classes, %dx%dx%d",
                        eex_graph_name(b->model->graph), eex_graph_exits(b->model->graph),
                        (int)b->model->input.classes.count, b->model->input.height,
                        b->model->input.width, b->model->input.channels);
    return 1;
}

void eex_lua_model_register(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__index", model_index}, {"__gc", model_close}, {"__tostring", model_text}, {NULL, NULL}};
    static const eex__lua_function methods[] = {{"classify", eex__lua_model_classify, 2},
                                                {"run", eex__lua_model_run, 2},
                                                {"samples", eex__lua_model_samples, 1},
                                                {"macs", model_macs, 1},
                                                {"profile", model_profile, 1},
                                                {"close", model_close, 0},
                                                {NULL, NULL, 0}};
    eex__lua_class(L, EEX__LUA_MODEL, "model", metamethods, methods);
}
