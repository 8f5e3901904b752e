/* model:profile{...}: where the time of a network goes. */
#include "lua/args.h"
#include "lua/lua_model_impl.h"
#include "lua/put.h"

#include "base/laps.h"
#include "base/status.h"

#include <math.h>

enum { IMAGES = 64, MAX_IMAGES = 100000, ROUNDS = 5, MAX_ROUNDS = 10000, MAX_BATCH = 4096 };

/* ---- the table ---- */

static void push_exits(lua_State *L, const eex_profile *p, const eex_graph *g)
{
    lua_createtable(L, p->exits, 0);
    for (int k = 0; k < p->exits; k++) {
        lua_createtable(L, 0, 6);
        lua_pushinteger(L, k + 1);
        lua_setfield(L, -2, "exit");
        eex__lua_put_text(L, "node", eex_graph_node(g, eex_graph_exit(g, k)->point)->name);
        eex__lua_put_number(L, "ms", p->exit_ms[k]);
        eex__lua_put_number(L, "macs", p->exit_macs[k]);
        eex__lua_put_number(L, "utilisation", p->share[k]);
        eex__lua_put_number(L, "accuracy", p->accuracy[k]);
        lua_rawseti(L, -2, k + 1);
    }
}

/* At one image at a time. */
static void push_layers(lua_State *L, const eex_profile *p)
{
    lua_createtable(L, p->ops, 0);
    for (int i = 0; i < p->ops; i++) {
        const eex_profile_op *op = &p->op[i];
        lua_createtable(L, 0, 5);
        eex__lua_put_text(L, "name", op->name);
        eex__lua_put_text(L, "kind", op->kind);
        lua_pushinteger(L, op->segment + 1);
        lua_setfield(L, -2, "exit");
        eex__lua_put_number(L, "macs", op->macs);
        eex__lua_put_number(L, "ms", op->ms[0]);
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_speeds(lua_State *L, const eex_profile *p)
{
    lua_createtable(L, p->batches, 0);
    for (int i = 0; i < p->batches; i++) {
        const eex_profile_speed *s = &p->speed[i];
        lua_createtable(L, 0, 6);
        lua_pushinteger(L, p->batch[i]);
        lua_setfield(L, -2, "batch");
        if (s->images > 0) {
            eex__lua_put_number(L, "base_ms", s->base.mean);
            eex__lua_put_number(L, "ms", s->own.mean);
            eex__lua_put_number(L, "speedup", s->realised.ratio);
            eex__lua_put_number(L, "speedup_low", s->realised.low);
            eex__lua_put_number(L, "speedup_high", s->realised.high);
            eex__lua_put_number(L, "speedup_by_macs", s->theoretical);
        }
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_profile(lua_State *L, const eex_profile *p, const eex_graph *g)
{
    lua_createtable(L, 0, 7);
    lua_pushinteger(L, p->images);
    lua_setfield(L, -2, "images");
    lua_pushinteger(L, p->rounds);
    lua_setfield(L, -2, "rounds");
    lua_pushboolean(L, p->disturbed);
    lua_setfield(L, -2, "disturbed");
    eex__lua_put_number(L, "base_ms", p->base_ms);
    push_exits(L, p, g);
    lua_setfield(L, -2, "exits");
    push_layers(L, p);
    lua_setfield(L, -2, "layers");
    push_speeds(L, p);
    lua_setfield(L, -2, "speeds");
}

/* ---- the work ---- */

static eex_profile_options read_options(lua_State *L, int index)
{
    static const char *const known[] = {"images", "batch", "rounds", "base", NULL};
    const eex_args a = eex_args_open(L, index, "profile", true);
    eex_args_known(&a, known);
    return (eex_profile_options){
        .count = (int)eex_args_int_or(&a, "images", 1, MAX_IMAGES, IMAGES),
        .batch = (int)eex_args_int_or(&a, "batch", 1, MAX_BATCH, 1),
        .rounds = (int)eex_args_int_or(&a, "rounds", EEX_LAPS_ROUNDS_MIN, MAX_ROUNDS, ROUNDS)};
}

/* Images of the validation split, in a buffer of the script's. */
static int load_images(lua_State *L, eex__lua_model *b, eex_profile_options *o)
{
    if (b->part.count < (size_t)o->count)
        o->count = (int)b->part.count;
    if (o->count < o->batch)
        return eex_fail(EEX_EINVAL, "profile.batch: %d, and only %d images", o->batch, o->count);
    const size_t count = (size_t)o->count;
    uint8_t *images = lua_newuserdatauv(L, count * eex_engine_image_bytes(b->engine), 0);
    int32_t *labels = lua_newuserdatauv(L, count * sizeof *labels, 0);
    for (size_t i = 0; i < count; i++)
        labels[i] = eex_dataset_labels(b->data)[b->part.at[i]];
    o->images = images;
    o->labels = labels;
    return eex_dataset_gather(images, b->data, b->part.at, count);
}

void eex__lua_profile(lua_State *L, int model, int base, int options)
{
    eex__lua_model *b = eex__lua_model_at(L, model);
    eex_profile_options o = read_options(L, options);
    o.model = b->model;
    o.base = base ? eex__lua_model_at(L, base)->model : NULL;
    eex_profile_free(b->profile);
    b->profile = NULL;
    int code = eex__lua_model_part(L, b, "validation");
    if (code == EEX_OK)
        code = load_images(L, b, &o);
    if (code == EEX_OK)
        code = eex_profile_new(&b->profile, &o);
    if (code < 0)
        eex_lua_raise(L);
    push_profile(L, b->profile, b->model->graph);
    eex_profile_free(b->profile);
    b->profile = NULL;
}
