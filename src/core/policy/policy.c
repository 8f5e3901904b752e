#include "core/policy/policy.h"

#include "device/decide.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

EEX_NAMES(eex_policy_kind, eex_policy_kind,
          EEX_POLICY_KINDS, [EEX_POLICY_PER_CLASS] = "per_class", [EEX_POLICY_MARGIN] = "margin",
          [EEX_POLICY_CONFIDENCE] = "confidence", [EEX_POLICY_ENTROPY] = "entropy");

EEX_NAMES(
    eex_policy_by, eex_policy_by,
    EEX_POLICY_BYS, [EEX_POLICY_BY_PREDICTION] = "prediction", [EEX_POLICY_BY_LABEL] = "label");

const char *eex_policy_fitted_by(eex_policy_kind kind, bool by_label)
{
    return kind == EEX_POLICY_PER_CLASS ? eex_policy_by_name((eex_policy_by)by_label) : NULL;
}

const char *eex_policy_words(char out[EEX_POLICY_WORDS], eex_policy_kind kind, bool by_label)
{
    const char *by = eex_policy_fitted_by(kind, by_label);
    if (!out)
        return "";
    snprintf(out, EEX_POLICY_WORDS, "%s%s%s", eex_policy_kind_name(kind), by ? " by " : "",
             by ? by : "");
    return out;
}

static int fail_unknown(const char *what, const char *name)
{
    const eex_names *names = eex_policy_kind_names();
    const char *near = eex_text_nearest(name, names->name, (size_t)names->count);
    char known[EEX_NAMES_SIZE];
    return eex_fail(EEX_EINVAL, "no %s \"%s\"%s%s%s: there are %s", what, name,
                    near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "",
                    eex_names_list(known, names, "", ", "));
}

int eex_policy_kind_parse(eex_policy_kind *out, const char *name)
{
    EEX_NEED(out, "place for the kind");
    EEX_NEED(name, "name");
    const int kind = eex_name_find(eex_policy_kind_names(), name);
    if (kind < 0)
        return fail_unknown("exit policy", name);
    *out = (eex_policy_kind)kind;
    return EEX_OK;
}

bool eex_policy_is_file(const char *name)
{
    return name && strcmp(name, "none") != 0 && eex_name_find(eex_policy_kind_names(), name) < 0;
}

int eex_policy_unknown(const char *name)
{
    EEX_NEED(name, "name");
    return fail_unknown("file and no exit policy", name);
}

void eex_policy_free(eex_policy *policy)
{
    if (!policy)
        return;
    free(policy->temperature);
    free(policy->high);
    free(policy->low);
    free(policy->mean);
    free(policy->dev);
    free(policy->a);
    free(policy->b);
    free(policy->count);
    free(policy->far);
    free(policy);
}

static void policy_clear(eex_policy *p)
{
    for (int k = 0; k < p->exits; k++) {
        p->temperature[k] = 1;
        p->a[k] = p->b[k] = p->far[k] = INFINITY;
    }
    eex_policy_apply(p);
}

int eex_policy_new(eex_policy **out, eex_policy_kind kind, int exits, int classes)
{
    EEX_NEED(out, "place for the policy");
    *out = NULL;
    if ((unsigned)kind >= EEX_POLICY_KINDS || exits < 1 || exits > EEX_MAX_EXITS || classes < 1)
        return eex_fail(EEX_EINVAL,
                        "policy: kind %d, %d exits, %d classes: kind 0 to %d, 1 to %d exits, at "
                        "least 1 class",
                        (int)kind, exits, classes, EEX_POLICY_KINDS - 1, EEX_MAX_EXITS);
    size_t each = (size_t)exits, all = each * (size_t)classes;
    eex_policy *p = calloc(1, sizeof *p);
    if (!p)
        return eex_fail(EEX_ENOMEM, "policy: out of memory");
    p->kind = kind;
    p->exits = exits;
    p->classes = classes;
    p->by_label = true;
    p->temperature = calloc(each, sizeof *p->temperature);
    p->high = calloc(all, sizeof *p->high);
    p->low = calloc(all, sizeof *p->low);
    p->far = calloc(each, sizeof *p->far);
    p->mean = calloc(all, sizeof *p->mean);
    p->dev = calloc(all, sizeof *p->dev);
    p->a = calloc(each, sizeof *p->a);
    p->b = calloc(each, sizeof *p->b);
    p->count = calloc(all, sizeof *p->count);
    if (!p->temperature || !p->high || !p->low || !p->far || !p->mean || !p->dev || !p->a ||
        !p->b || !p->count) {
        eex_policy_free(p);
        return eex_fail(EEX_ENOMEM, "policy: out of memory for %d exits x %d classes", exits,
                        classes);
    }
    policy_clear(p);
    *out = p;
    return EEX_OK;
}

size_t eex_policy_bytes(const eex_policy *p)
{
    const size_t each = sizeof *p->temperature + sizeof *p->far + sizeof *p->a + sizeof *p->b;
    const size_t all =
        sizeof *p->high + sizeof *p->low + sizeof *p->mean + sizeof *p->dev + sizeof *p->count;
    return p ? sizeof *p + (size_t)p->exits * (each + (size_t)p->classes * all) : 0;
}

static void policy_copy_exit(eex_policy *to, int j, const eex_policy *from, int k)
{
    size_t c = (size_t)from->classes, at = (size_t)j * c, of = (size_t)k * c;
    memcpy(to->high + at, from->high + of, c * sizeof *to->high);
    memcpy(to->low + at, from->low + of, c * sizeof *to->low);
    memcpy(to->mean + at, from->mean + of, c * sizeof *to->mean);
    memcpy(to->dev + at, from->dev + of, c * sizeof *to->dev);
    memcpy(to->count + at, from->count + of, c * sizeof *to->count);
    to->temperature[j] = from->temperature[k];
    to->a[j] = from->a[k];
    to->b[j] = from->b[k];
    to->far[j] = from->far[k];
}

int eex_policy_select(eex_policy **out, const eex_policy *policy, const int *exits, int count)
{
    EEX_NEED(out, "place for the policy");
    EEX_NEED(policy, "policy");
    EEX_NEED(exits, "exits");
    *out = NULL;
    for (int j = 0; j < count; j++)
        if (exits[j] < 0 || exits[j] >= policy->exits)
            return eex_fail(EEX_EINVAL, "policy: exit %d: there are 0 to %d", exits[j],
                            policy->exits - 1);
    EEX_TRY(eex_policy_new(out, policy->kind, count, policy->classes));
    (*out)->by_label = policy->by_label;
    for (int j = 0; j < count; j++)
        policy_copy_exit(*out, j, policy, exits[j]);
    return EEX_OK;
}

static bool has_cell(const eex_policy *p, int k, int c)
{
    return p && k >= 0 && k < p->exits && c >= 0 && c < p->classes;
}

float eex_policy_high(const eex_policy *policy, int k, int c, double a)
{
    if (!has_cell(policy, k, c))
        return NAN;
    size_t at = (size_t)k * (size_t)policy->classes + (size_t)c;
    if (policy->kind != EEX_POLICY_PER_CLASS || isinf(a)) /* infinity times a deviation of 0: NaN */
        return (float)a;
    return (float)(policy->mean[at] + a * policy->dev[at]);
}

float eex_policy_low(const eex_policy *policy, int k, int c, double b)
{
    if (!has_cell(policy, k, c))
        return NAN;
    size_t at = (size_t)k * (size_t)policy->classes + (size_t)c;
    if (isinf(b))
        return -INFINITY;
    if (policy->kind != EEX_POLICY_PER_CLASS)
        return (float)b;
    return (float)(policy->mean[at] - b * policy->dev[at]);
}

void eex_policy_apply(eex_policy *policy)
{
    for (int k = 0; policy && k < policy->exits; k++)
        for (int c = 0; c < policy->classes; c++) {
            size_t at = (size_t)k * (size_t)policy->classes + (size_t)c;
            policy->high[at] = eex_policy_high(policy, k, c, policy->a[k]);
            policy->low[at] = eex_policy_low(policy, k, c, policy->b[k]);
        }
}

bool eex_policy_rejects_by_distance(const eex_policy *p)
{
    for (int k = 0; p && k < p->exits; k++)
        if (p->far[k] < INFINITY)
            return true;
    return false;
}

int eex_policy_check_trace(const eex_policy *policy, const eex_trace *trace)
{
    EEX_NEED(policy, "policy");
    EEX_NEED(trace, "trace");
    return trace->distance || !eex_policy_rejects_by_distance(policy)
               ? EEX_OK
               : eex_fail(EEX_EINVAL,
                          "the policy rejects by distance from what is familiar, and the "
                          "trace has no distances: it is of another network");
}
