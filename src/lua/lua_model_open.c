/* Opening a model for a script, within what that may hold. */
#include "lua/args.h"
#include "lua/lua_model.h"
#include "lua/lua_model_impl.h"

#include "base/status.h"

#include <lauxlib.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef eex__lua_model box;

enum { BATCH = EEX__LUA_BATCH };

/* ---- opening ---- */

/* "none", a kind with a threshold, or a file of `eex tune`. */
static int apply_policy(lua_State *L, eex_model *m, const char *policy, double threshold)
{
    char real[PATH_MAX];
    eex_policy_kind kind;
    if (!policy && isnan(threshold))
        return EEX_OK;
    if (policy && strcmp(policy, "none") == 0)
        return eex_model_set_policy(m, NULL);
    if (policy && isnan(threshold) && eex_policy_is_file(policy)) {
        int code = eex__lua_readable(L, real, policy);
        if (code == EEX_ENOTFOUND)
            return eex_policy_unknown(policy);
        EEX_TRY(code);
        return eex_model_load_policy(m, real);
    }
    if (policy)
        EEX_TRY(eex_policy_kind_parse(&kind, policy));
    else if (m->policy)
        kind = m->policy->kind;
    else
        return eex_fail(EEX_EINVAL, "threshold: the model has no policy: say which (policy)");
    if (isnan(threshold))
        return eex_fail(EEX_EINVAL, "policy \"%s\" needs a threshold", policy);
    return eex_model_threshold(m, kind, threshold);
}

typedef struct opening {
    const char *device, *policy;
    int threads;
    double threshold;
    eex_precision precision; /* EEX_PRECISIONS: the model's own */
    bool base;
} opening;

static opening read_options(lua_State *L, int index)
{
    static const char *const known[] = {"device", "threads",   "policy", "threshold",
                                        "base",   "precision", NULL};
    const eex_args a = eex_args_open(L, index, "open", true);
    eex_args_known(&a, known);
    return (opening){.device = eex_args_text_or(&a, "device", 64, "cpu"),
                     .policy = eex_args_text_or(&a, "policy", PATH_MAX - 1, NULL),
                     .threads = (int)eex_args_int_or(&a, "threads", 1, 1024, 0),
                     .threshold = eex_args_number_or(&a, "threshold", -1e6, 1e6, NAN),
                     .precision = (eex_precision)eex_args_choice_or(
                         &a, "precision", eex_precision_inferring_names(), EEX_PRECISIONS),
                     .base = eex_args_flag_or(&a, "base", false)};
}

/* ---- what it may hold ---- */

static int open_parts(lua_State *L, box *b, const char *path, const opening *o)
{
    const size_t room = eex__lua_room(L);
    const eex_device_options device = {.threads = o->threads,
                                       .memory = room == SIZE_MAX ? 0 : room + 1};
    EEX_TRY(eex_device_open(&b->device, o->device, &device));
    EEX_TRY(eex_model_open(&b->model, path, o->base ? EEX_MODEL_BASE : EEX_MODEL_BEST, b->device));
    EEX_TRY(apply_policy(L, b->model, o->policy, o->threshold));
    if (o->precision != EEX_PRECISIONS)
        EEX_TRY(eex_model_set_precision(b->model, o->precision));
    EEX_TRY(eex_engine_open(&b->engine, b->model, BATCH));
    const size_t pixels = BATCH * eex_engine_image_bytes(b->engine);
    EEX_TRY(eex__lua_take(L, &b->held, b->device->held + pixels + eex_model_bytes(b->model),
                          "the network, a batch of its images and what they become do not fit"));
    b->device->memory = 0; /* what is to come is small */
    b->pixels = malloc(pixels);
    return b->pixels ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for %d images", BATCH);
}

static int open_box(lua_State *L, box *b, const char *path, const opening *o)
{
    EEX_TRY(eex__lua_take_threads(L, &b->held, o->threads));
    int code = open_parts(L, b, path, o);
    if (code == EEX_ENOMEM && b->device && b->device->full) {
        char why[512];
        snprintf(why, sizeof why, "%s", eex_error());
        code = eex__lua_too_large(L, why);
    }
    return code == EEX_ESCRIPT ? eex_fail_in(code, "%s", path) : code;
}

void eex_lua_push_model(lua_State *L, const char *folder, int options)
{
    const opening o = read_options(L, options);
    luaL_checkstack(L, 12, NULL);
    box *b = eex__lua_model_push(L);
    int code = open_box(L, b, folder, &o);
    if (code == EEX_ESCRIPT) { /* what nobody holds any more is given back first */
        eex__lua_model_empty(L, b);
        lua_gc(L, LUA_GCCOLLECT);
        code = open_box(L, b, folder, &o);
    }
    if (code < 0) {
        eex__lua_model_close(L, b);
        eex_lua_raise(L);
    }
    eex__lua_model_put_facts(L, b->model);
    lua_setiuservalue(L, -2, 1);
}
