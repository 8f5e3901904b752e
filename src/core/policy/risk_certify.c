#include "core/policy/binomial.h"
#include "core/policy/bounded.h"
#include "core/policy/risk_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

/* What rounding may add to a probability or a mean: at the least number of samples both sides of a
 * comparison are the same number. */
static const double rounding = 1e-8;

/* ---- when a sum of losses is little enough ---- */

static bool counts(const eex_risk_options *o)
{
    return o->loss != EEX_LOSS_BRIER;
}

double eex__risk_p(const eex_risk_options *o, double sum, int n)
{
    const double most = eex_loss_most(o->loss);
    return counts(o) ? eex_binomial_cdf((int)sum, n, o->epsilon)
                     : eex_bounded_p(sum / most, n, o->epsilon / most);
}

double eex__risk_bound(const eex_risk_options *o, double sum, int n)
{
    const double most = eex_loss_most(o->loss);
    if (o->method == EEX_RISK_CRC)
        return (sum + most) / (n + 1.0);
    return counts(o) ? eex_binomial_upper((int)sum, n, o->delta)
                     : most * eex_bounded_upper(sum / most, n, o->delta);
}

bool eex__risk_holds(const eex_risk_options *o, double sum, int n)
{
    return o->method == EEX_RISK_CRC ? eex__risk_bound(o, sum, n) <= o->epsilon * (1 + rounding)
                                     : eex__risk_p(o, sum, n) <= o->delta * (1 + rounding);
}

double eex_risk_samples(const eex_risk_options *o)
{
    const double share = o->epsilon / eex_loss_most(o->loss);
    const double least =
        o->method == EEX_RISK_CRC ? (1 - share) / share : log(o->delta) / log1p(-share);
    return fmax(ceil(least * (1 - rounding)), 1);
}

/* ---- the certificate ---- */

/* The exits that setting `a` opens, each on its own: where nobody happens to leave, nothing is
 * known of those who would. Nothing is lost at the end. */
static bool exits_hold(const eex__risk_run *r, const double *a, const eex_risk_options *o)
{
    for (int k = 0; k + 1 < r->trace->exits; k++)
        if (a[k] < INFINITY && (r->left[k] == 0 || !eex__risk_holds(o, r->lost[k], r->left[k])))
            return false;
    return true;
}

/* Raises each sample's worst loss so far to that of the run; their sum. */
static double raise_worst(double *worst, const eex__risk_run *r)
{
    double sum = 0;
    for (int i = 0; i < r->trace->samples; i++) {
        worst[i] = fmax(worst[i], r->loss[i]);
        sum += worst[i];
    }
    return sum;
}

typedef struct best {
    int at;
    double cost, sum; /* sum: what was held against epsilon */
} best;

/* Walks the path up to the first setting that does not hold. */
static int walk(best *out, eex_risk *facts, double *worst, eex__risk_run *r, eex_policy *policy,
                const eex__risk_path *path, const eex_risk_options *o)
{
    *out = (best){.at = 0, .cost = INFINITY};
    for (int j = 0; j < path->count; j++) {
        const double *a = path->a + (size_t)j * (size_t)path->exits;
        EEX_TRY(eex__risk_run_at(r, policy, a));
        const double sum = o->method == EEX_RISK_CRC ? raise_worst(worst, r) : r->sum;
        const bool holds =
            o->each_exit ? exits_hold(r, a, o) : eex__risk_holds(o, sum, r->trace->samples);
        if (j == 0)
            out->sum = sum;
        if (!holds)
            break;
        facts->passed++;
        if (r->cost <= out->cost)
            *out = (best){j, r->cost, sum};
    }
    return EEX_OK;
}

static eex_risk_part part_of(double sum, int n)
{
    return (eex_risk_part){n, n ? sum / n : NAN, NAN};
}

static void describe(eex_risk *facts, const eex__risk_run *r, double held,
                     const eex_risk_options *o)
{
    const int n = r->trace->samples, exits = r->trace->exits;
    facts->all = part_of(r->sum, n);
    if (!o->each_exit)
        facts->all.bound = eex__risk_bound(o, held, n);
    for (int k = 0; k < exits; k++) {
        facts->at[k] = part_of(r->lost[k], r->left[k]);
        if (o->each_exit && r->left[k] > 0)
            facts->at[k].bound = k < exits - 1 ? eex__risk_bound(o, r->lost[k], r->left[k]) : 0;
    }
}

int eex__risk_certify(eex_risk *facts, eex__risk_run *r, eex_policy *policy,
                      const eex__risk_path *path, const eex_risk_options *o)
{
    best taken;
    double *worst = calloc((size_t)r->trace->samples, sizeof *worst);
    if (!worst)
        return eex_fail(EEX_ENOMEM, "risk: out of memory for %d samples", r->trace->samples);
    facts->settings = path->count;
    int code = walk(&taken, facts, worst, r, policy, path, o);
    free(worst);
    EEX_TRY(code);
    EEX_TRY(eex__risk_run_at(r, policy, path->a + (size_t)taken.at * (size_t)path->exits));
    facts->exits = path->exits;
    facts->open = taken.at > 0;
    facts->lambda = path->lambda && facts->open ? path->lambda[taken.at] : NAN;
    describe(facts, r, taken.sum, o);
    return EEX_OK;
}
