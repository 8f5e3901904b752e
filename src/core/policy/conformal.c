#include "core/policy/conformal.h"

#include "core/policy/binomial.h"
#include "core/policy/halves.h"
#include "core/policy/replay.h"
#include "device/decide.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

enum { USUAL_STEPS = 20, STREAM = 0x636f6e66 };

/* ---- the path ---- */

/* One setting of the upper thresholds, and how it does on the first half. */
typedef struct setting {
    const double *a; /* (exits) */
    int bad;
    double cost;
} setting;

typedef struct path {
    double closed[EEX_MAX_EXITS];
    eex_operating_point *front;
    setting *at;
    int count;
} path;

static void path_free(path *p)
{
    free(p->front);
    free(p->at);
}

static void use(eex_policy *policy, const double *a)
{
    for (int k = 0; k + 1 < policy->exits; k++)
        policy->a[k] = a[k];
    eex_policy_apply(policy);
}

/* Samples that are right at the end and not with the policy. */
static int count_bad(int *bad, double *cost, const eex_trace *t, const eex_policy *policy,
                     const eex_exit_costs *costs)
{
    const size_t n = (size_t)t->samples;
    const int32_t *end = t->top + (size_t)(t->exits - 1) * n;
    eex_outcome outcome;
    int32_t *exit_of = calloc(n, sizeof *exit_of);
    eex_decision *how = calloc(n, sizeof *how);
    int code = exit_of && how
                   ? eex_replay(&outcome, t, policy, costs, exit_of, how)
                   : eex_fail(EEX_ENOMEM, "conformal: out of memory for %d samples", t->samples);
    *bad = 0;
    for (size_t i = 0; i < n && code == EEX_OK; i++) {
        int32_t top = t->top[(size_t)exit_of[i] * n + i];
        bool right = how[i] == EEX_ACCEPT && top == t->labels[i];
        *bad += end[i] == t->labels[i] && !right;
    }
    if (code == EEX_OK && cost)
        *cost = outcome.cost;
    free(exit_of);
    free(how);
    return code;
}

static int compare_settings(const void *a, const void *b)
{
    const setting *x = a, *y = b;
    if (x->bad != y->bad)
        return x->bad < y->bad ? -1 : 1;
    return (x->cost > y->cost) - (x->cost < y->cost);
}

/* More risk has to buy something: keeps what is cheaper than everything with less of it. */
static void keep_front(path *p)
{
    int kept = 1; /* the first one has the least risk that there is */
    qsort(p->at + 1, (size_t)p->count - 1, sizeof *p->at, compare_settings);
    for (int i = 1; i < p->count; i++)
        if (p->at[i].cost < p->at[kept - 1].cost)
            p->at[kept++] = p->at[i];
    p->count = kept;
}

static int lay_path(path *p, const eex_trace *fit, eex_policy *policy, const eex_exit_costs *costs,
                    int steps)
{
    int found = 0;
    for (int k = 0; k < EEX_MAX_EXITS; k++)
        p->closed[k] = INFINITY;
    EEX_TRY(eex_policy_sweep(&p->front, &found, fit, policy, costs, steps));
    p->at = calloc((size_t)found + 1, sizeof *p->at);
    if (!p->at)
        return eex_fail(EEX_ENOMEM, "conformal: out of memory for %d settings", found);
    p->count = found + 1;
    for (int i = 0; i <= found; i++) {
        setting *s = &p->at[i];
        s->a = i == 0 ? p->closed : p->front[i - 1].a;
        use(policy, s->a);
        EEX_TRY(count_bad(&s->bad, &s->cost, fit, policy, costs));
    }
    keep_front(p);
    return EEX_OK;
}

/* ---- the test ---- */

int eex_conformal_test(const int *bad, int settings, int n, double epsilon, double delta)
{
    int passed = 0;
    while (passed < settings && eex_binomial_cdf(bad[passed], n, epsilon) <= delta)
        passed++;
    return passed;
}

static int test_path(eex_conformal *facts, eex_policy *policy, const path *p, const eex_trace *test,
                     const eex_exit_costs *costs, const eex_conformal_options *o)
{
    int *bad = calloc((size_t)p->count, sizeof *bad), code = EEX_OK;
    if (!bad)
        return eex_fail(EEX_ENOMEM, "conformal: out of memory for %d settings", p->count);
    for (int j = 0; j < p->count && code == EEX_OK; j++) {
        use(policy, p->at[j].a);
        code = count_bad(&bad[j], NULL, test, policy, costs);
    }
    if (code == EEX_OK) {
        facts->path = p->count;
        facts->passed = eex_conformal_test(bad, p->count, test->samples, o->epsilon, o->delta);
        facts->bad = bad[facts->passed > 0 ? facts->passed - 1 : 0];
        facts->bound = eex_binomial_upper(facts->bad, test->samples, o->delta);
        use(policy, p->at[facts->passed > 0 ? facts->passed - 1 : 0].a);
    }
    free(bad);
    EEX_TRY(code);
    if (facts->passed > 0)
        return EEX_OK;
    return eex_fail(EEX_ENOTFOUND,
                    "conformal: nothing can be promised within %g at a confidence of %g: on %d "
                    "samples the most careful setting has %d bad ones, which bounds the risk by "
                    "%.4f. An epsilon of that much, a larger delta or more calibration samples "
                    "would do",
                    o->epsilon, 1 - o->delta, test->samples, facts->bad, facts->bound);
}

static int check(const eex_trace *trace, const eex_exit_costs *costs,
                 const eex_conformal_options *o)
{
    if (!(o->epsilon > 0) || !(o->epsilon < 1) || !(o->delta > 0) || !(o->delta < 1))
        return eex_fail(EEX_EINVAL,
                        "conformal: epsilon %g, delta %g: both between 0 and 1 expected",
                        o->epsilon, o->delta);
    if (trace->samples < 2 || !costs || costs->exits != trace->exits)
        return eex_fail(EEX_EINVAL, "conformal: %d samples and costs of %d exits for %d",
                        trace->samples, costs ? costs->exits : 0, trace->exits);
    return EEX_OK;
}

static int fit_and_test(eex_policy **out, eex_conformal *facts, const eex__halves *h,
                        eex_device *device, const eex_calibration *how, const eex_exit_costs *costs,
                        const eex_conformal_options *o)
{
    path p = {0};
    EEX_TRY(eex__halves_fit(out, h, device, how, costs, o->reject, o->by));
    int code = lay_path(&p, h->fit, *out, costs, o->steps ? o->steps : USUAL_STEPS);
    if (code == EEX_OK)
        code = test_path(facts, *out, &p, h->test, costs, o);
    path_free(&p);
    return code;
}

int eex_conformal_fit(eex_policy **out, eex_conformal *facts, const eex_trace *trace,
                      eex_device *device, const eex_calibration *how, const eex_exit_costs *costs,
                      const eex_conformal_options *options)
{
    eex__halves h = {0};
    *out = NULL;
    EEX_TRY(check(trace, costs, options));
    int code = eex__halves_new(&h, trace, options->seed, STREAM);
    if (code == EEX_OK) {
        *facts = (eex_conformal){.fitted = h.fit->samples, .tested = h.test->samples};
        code = fit_and_test(out, facts, &h, device, how, costs, options);
    }
    eex__halves_free(&h);
    if (code < 0) {
        eex_policy_free(*out);
        *out = NULL;
    }
    return code;
}
