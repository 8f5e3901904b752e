#include "lua/lua_policy.h"

#include <math.h>

static int type_of(const eex_args *a, const char *field)
{
    lua_pushstring(a->L, field);
    int type = lua_rawget(a->L, a->table);
    lua_pop(a->L, 1);
    return type;
}

static void read_temperature(eex_calibration *p, const eex_args *a)
{
    static const char *const fitted[] = {"fitted", NULL};
    if (type_of(a, "temperature") == LUA_TSTRING) {
        eex_args_choice(a, "temperature", fitted);
        p->temperature = 0;
    } else if (eex_args_has(a, "temperature")) {
        p->temperature = eex_args_number(a, "temperature", 0.01, 1000);
    }
}

/* Scripts give the entropy itself; the policy compares its negative. */
static void read_thresholds(eex_calibration *p, const eex_args *a)
{
    double sign = p->kind == EEX_POLICY_ENTROPY ? -1 : 1;
    if (eex_args_has(a, "a"))
        p->a = sign * eex_args_number(a, "a", -1000, 1000);
    if (type_of(a, "b") == LUA_TBOOLEAN && !eex_args_flag_or(a, "b", false))
        p->b = INFINITY;
    else if (eex_args_has(a, "b"))
        p->b = sign * eex_args_number(a, "b", -1000, 1000);
}

static void use_kind(eex_calibration *p, eex_policy_kind kind)
{
    static const double usual[EEX_POLICY_KINDS] = {
        [EEX_POLICY_PER_CLASS] = 0.5,
        [EEX_POLICY_MARGIN] = 0.5,
        [EEX_POLICY_CONFIDENCE] = 0.9,
        [EEX_POLICY_ENTROPY] = -0.3,
    };
    if (kind == p->kind)
        return;
    p->kind = kind;
    p->temperature = kind == EEX_POLICY_PER_CLASS ? 5 : 1;
    p->a = usual[kind];
    p->b = INFINITY;
}

void eex__read_policy(eex_calibration *p, const eex_args *a, const char *kind)
{
    const char *const known[] = {kind,     "temperature", "a",      "b", "tune",
                                 "target", "by",          "reject", NULL};
    static const char *const kinds[] = {"per_class", "margin", "confidence", "entropy", NULL};
    static const char *const tunes[] = {"none", "accuracy", "macs", "weighted", NULL};
    static const char *const by[] = {"prediction", "label", NULL};
    eex_args_known(a, known);
    use_kind(p, (eex_policy_kind)eex_args_choice_or(a, kind, kinds, (int)p->kind));
    read_temperature(p, a);
    read_thresholds(p, a);
    p->by_label = eex_args_choice_or(a, "by", by, p->by_label) == 1;
    p->tune = (eex_tune)eex_args_choice_or(a, "tune", tunes, (int)p->tune);
    p->target = eex_args_number_or(a, "target", -1, INFINITY, p->target);
    p->reject = eex_args_number_or(a, "reject", 0, 0.9, p->reject);
}
