#include "lua/lua_recipe.h"

#include <limits.h>
#include <math.h>

void eex__read_augment(eex_augment *augment, const eex_args *a, const char *field)
{
    static const char *const known[] = {"crop", "flip", "cutout", "jitter", NULL};
    lua_State *L = a->L;
    lua_pushstring(L, field);
    int type = lua_rawget(L, a->table);
    bool off = type == LUA_TBOOLEAN && !lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (type == LUA_TNIL)
        return;
    *augment = (eex_augment){.enabled = !off};
    if (off)
        return;
    if (type != LUA_TTABLE)
        eex_args_refuse(a, field, "a table {crop, flip, cutout, jitter}, or false");
    eex_args t = eex_args_table(a, field, false);
    eex_args_known(&t, known);
    augment->crop_pad = (int)eex_args_int_or(&t, "crop", 0, 256, 0);
    augment->flip = eex_args_flag_or(&t, "flip", false);
    augment->cutout = (int)eex_args_int_or(&t, "cutout", 0, 1024, 0);
    augment->jitter = (float)eex_args_number_or(&t, "jitter", 0, 1, 0);
    eex_args_close(&t);
}

static bool is_text(const eex_args *a, const char *field)
{
    lua_pushstring(a->L, field);
    bool text = lua_rawget(a->L, a->table) == LUA_TSTRING;
    lua_pop(a->L, 1);
    return text;
}

static void read_optimizer(eex_optimizer *o, const eex_args *a)
{
    static const char *const known[] = {"kind",  "momentum", "nesterov", "weight_decay",
                                        "beta1", "beta2",    "eps",      NULL};
    static const char *const kinds[] = {"sgd", "adamw", NULL};
    if (is_text(a, "optimizer")) { /* "adamw" is {kind = "adamw"} */
        o->kind = (eex_optimizer_kind)eex_args_choice(a, "optimizer", kinds);
        return;
    }
    eex_args t = eex_args_table(a, "optimizer", true);
    eex_args_known(&t, known);
    o->kind = (eex_optimizer_kind)eex_args_choice_or(&t, "kind", kinds, (int)o->kind);
    o->momentum = (float)eex_args_number_or(&t, "momentum", 0, 0.9999, (double)o->momentum);
    o->nesterov = eex_args_flag_or(&t, "nesterov", o->nesterov);
    o->weight_decay = (float)eex_args_number_or(&t, "weight_decay", 0, 1, (double)o->weight_decay);
    o->beta1 = (float)eex_args_number_or(&t, "beta1", 0, 0.9999, (double)o->beta1);
    o->beta2 = (float)eex_args_number_or(&t, "beta2", 0, 0.999999, (double)o->beta2);
    o->eps = (float)eex_args_number_or(&t, "eps", 1e-12, 1, (double)o->eps);
    eex_args_close(&t);
}

static void read_schedule(eex_schedule *s, const eex_args *a)
{
    static const char *const known[] = {"kind", "warmup", "final", "gamma", "milestones", NULL};
    static const char *const kinds[] = {"constant", "cosine", "step", "one_cycle", NULL};
    if (is_text(a, "schedule")) {
        s->kind = (eex_schedule_kind)eex_args_choice(a, "schedule", kinds);
        return;
    }
    eex_args t = eex_args_table(a, "schedule", true);
    eex_args_known(&t, known);
    s->kind = (eex_schedule_kind)eex_args_choice_or(&t, "kind", kinds, (int)s->kind);
    s->warmup = eex_args_number_or(&t, "warmup", 0, 1e6, s->warmup);
    s->final = eex_args_number_or(&t, "final", 0, 1, s->final);
    s->gamma = eex_args_number_or(&t, "gamma", 0, 1, s->gamma);
    if (eex_args_has(&t, "milestones"))
        s->milestones =
            eex_args_ints(&t, "milestones", s->milestone, EEX_MAX_MILESTONES, 1, INT_MAX);
    eex_args_close(&t);
}

static void read_distill(eex_recipe *r, const eex_args *a)
{
    static const char *const known[] = {"weight", "temperature", NULL};
    eex_args t = eex_args_table(a, "distill", true);
    eex_args_known(&t, known);
    r->distill = eex_args_number_or(&t, "weight", 0, INFINITY, r->distill);
    r->distill_t = eex_args_number_or(&t, "temperature", 0.01, 1000, r->distill_t);
    eex_args_close(&t);
}

eex_precision eex__read_precision(const eex_args *a, bool training, eex_precision otherwise)
{
    const char *names[EEX_PRECISIONS + 1] = {NULL};
    eex_precision known[EEX_PRECISIONS];
    int count = 0;
    for (int i = 0; i < EEX_PRECISIONS; i++) {
        const eex_precision p = (eex_precision)i;
        if (!training && !eex_precision_infers(p))
            continue;
        known[count] = p;
        names[count++] = eex_precision_name(p);
    }
    const int chosen = eex_args_choice_or(a, "precision", names, -1);
    return chosen < 0 ? otherwise : known[chosen];
}

void eex__read_recipe(eex_recipe *r, bool *from_base, const eex_args *a)
{
    static const char *const known[] = {
        "regime",   "from",    "epochs",          "batch",          "lr",        "optimizer",
        "schedule", "l1",      "label_smoothing", "clip",           "ema",       "gate_weight",
        "alone",    "distill", "augment",         "cache_features", "precision", NULL};
    static const char *const regimes[] = {"joint",   "interleaved", "frozen",
                                          "distill", "mixed",       NULL};
    static const char *const sources[] = {"scratch", "base", NULL};
    eex_args_known(a, known);
    r->regime = (eex_regime)eex_args_choice_or(a, "regime", regimes, (int)r->regime);
    *from_base = eex_args_choice_or(a, "from", sources, *from_base) == 1;
    r->precision = eex__read_precision(a, true, r->precision);
    r->epochs = (int)eex_args_int_or(a, "epochs", 0, INT_MAX, r->epochs);
    r->batch = (int)eex_args_int_or(a, "batch", 1, 65536, r->batch);
    r->lr = eex_args_number_or(a, "lr", 0, INFINITY, r->lr);
    r->smoothing = eex_args_number_or(a, "label_smoothing", 0, 1, r->smoothing);
    r->l1 = eex_args_number_or(a, "l1", 0, INFINITY, r->l1);
    r->optimizer.clip =
        (float)eex_args_number_or(a, "clip", 0, INFINITY, (double)r->optimizer.clip);
    r->optimizer.ema = (float)eex_args_number_or(a, "ema", 0, 0.999999, (double)r->optimizer.ema);
    r->gate_weight = eex_args_number_or(a, "gate_weight", 0, INFINITY, r->gate_weight);
    r->alone = (int)eex_args_int_or(a, "alone", 0, INT_MAX, r->alone);
    r->cache_features = eex_args_flag_or(a, "cache_features", r->cache_features);
    read_optimizer(&r->optimizer, a);
    read_schedule(&r->schedule, a);
    read_distill(r, a);
    eex__read_augment(&r->augment, a, "augment");
}
