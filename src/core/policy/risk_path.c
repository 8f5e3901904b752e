#include "core/policy/replay.h"
#include "core/policy/risk_impl.h"
#include "core/policy/tune.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { USUAL_STEPS = 10, LAMBDAS = 200 };

void eex__risk_path_free(eex__risk_path *p)
{
    free(p->a);
    free(p->lambda);
}

static double *row_of(const eex__risk_path *p, int j)
{
    return p->a + (size_t)j * (size_t)p->exits;
}

/* ---- a direction ---- */

/* Lambda of one sample at one exit: where it begins to pass there, along thresholds from `a`. NaN:
 * it passes, or not, whatever lambda is. */
static double lambda_of(const eex_policy *p, double a, int k, int top, double score)
{
    const size_t at = (size_t)k * (size_t)p->classes + (size_t)top;
    const double surest = p->kind == EEX_POLICY_ENTROPY ? 0 : 1;
    if (isinf(a))
        return NAN;
    if (p->kind == EEX_POLICY_PER_CLASS)
        return p->dev[at] > 0 ? a - (score - p->mean[at]) / p->dev[at] : NAN;
    return a < surest ? (surest - score) / (surest - a) : NAN;
}

/* The threshold of exit k that lambda makes of `a`. */
static double threshold_of(eex_policy_kind kind, double a, double lambda)
{
    const double surest = kind == EEX_POLICY_ENTROPY ? 0 : 1;
    if (isinf(a) || lambda == -INFINITY)
        return INFINITY;
    return kind == EEX_POLICY_PER_CLASS ? a - lambda : surest - lambda * (surest - a);
}

static double score_of(const eex_trace *t, const eex_policy *p, int k, int i)
{
    const size_t at = (size_t)k * (size_t)t->samples + (size_t)i;
    return (double)eex_policy_score(p->kind, t->confidence[at], t->margin[at], t->entropy[at]);
}

/* An exit that lets everybody go has no threshold to move: it gets that of its least sure sample.
 */
static double least_sure(const eex_trace *t, const eex_policy *p, int k)
{
    double least = INFINITY;
    for (int i = 0; i < t->samples; i++) {
        double score = score_of(t, p, k, i);
        const size_t c = (size_t)k * (size_t)p->classes +
                         (size_t)t->top[(size_t)k * (size_t)t->samples + (size_t)i];
        if (p->kind == EEX_POLICY_PER_CLASS)
            score = p->dev[c] > 0 ? (score - p->mean[c]) / p->dev[c] : INFINITY;
        least = fmin(least, score);
    }
    return least;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* All lambdas at which a sample begins to pass an exit, in ascending order; how many. */
static size_t sorted_lambdas(double *out, const eex_trace *t, const eex_policy *p, const double *a)
{
    size_t used = 0;
    for (int k = 0; k + 1 < p->exits; k++)
        for (int i = 0; i < t->samples; i++) {
            const int top = t->top[(size_t)k * (size_t)t->samples + (size_t)i];
            double lambda = lambda_of(p, a[k], k, top, score_of(t, p, k, i));
            if (!isnan(lambda))
                out[used++] = lambda;
        }
    qsort(out, used, sizeof *out, compare_doubles);
    return used;
}

/* Lambdas at evenly spaced ranks, half-way between samples; closed before, all open behind. */
static void space_lambdas(eex__risk_path *path, const double *sorted, size_t used)
{
    path->lambda[0] = -INFINITY;
    path->count = 1;
    for (size_t j = 1; j <= LAMBDAS && used > 0; j++) {
        const size_t rank = used * j / LAMBDAS;
        if (rank == 0)
            continue;
        const double here = sorted[rank - 1];
        const double next = rank < used ? sorted[rank] : here + fabs(here) + 1;
        const double lambda = here / 2 + next / 2;
        if (lambda > path->lambda[path->count - 1])
            path->lambda[path->count++] = lambda;
    }
}

/* The path that leads through thresholds `a` of the tuner. `scratch`: (exits, samples). */
static void follow(eex__risk_path *path, const eex_trace *t, const eex_policy *p, const double *a,
                   double *scratch)
{
    double from[EEX_MAX_EXITS];
    for (int k = 0; k + 1 < p->exits; k++)
        from[k] = a[k] == -INFINITY ? least_sure(t, p, k) : a[k];
    space_lambdas(path, scratch, sorted_lambdas(scratch, t, p, from));
    for (int j = 0; j < path->count; j++) {
        for (int k = 0; k + 1 < p->exits; k++)
            row_of(path, j)[k] = threshold_of(p->kind, from[k], path->lambda[j]);
        row_of(path, j)[p->exits - 1] = -INFINITY;
    }
}

/* ---- which direction ---- */

static int path_new(eex__risk_path *out, int exits, int settings, bool lambdas)
{
    *out = (eex__risk_path){.exits = exits};
    out->a = calloc((size_t)settings * (size_t)exits, sizeof *out->a);
    out->lambda = lambdas ? calloc((size_t)settings, sizeof *out->lambda) : NULL;
    return out->a && (out->lambda || !lambdas)
               ? EEX_OK
               : eex_fail(EEX_ENOMEM, "risk: out of memory for %d settings", settings);
}

/* What the fastest setting costs that the first half would certify if it were the second. Losses
 * hardly ever fall along a path, so bisection finds it; where they do, the direction is no less
 * valid. */
static int promise_of(double *cost, const eex__risk_path *path, eex__risk_run *run,
                      eex_policy *policy, int tested, const eex_risk_options *o)
{
    int held = 0, failed = path->count;
    EEX_TRY(eex__risk_run_at(run, policy, row_of(path, 0)));
    *cost = run->cost;
    while (failed - held > 1) {
        const int middle = (held + failed) / 2;
        EEX_TRY(eex__risk_run_at(run, policy, row_of(path, middle)));
        if (!eex__risk_holds(o, run->sum, tested)) {
            failed = middle;
            continue;
        }
        held = middle;
        *cost = run->cost;
    }
    return EEX_OK;
}

/* Tries where each of `count` points leads; the path keeps the one that promises most. */
static int choose(eex__risk_path *path, const eex_operating_point *front, int count,
                  eex__risk_run *run, eex_policy *policy, double *scratch, int tested,
                  const eex_risk_options *o)
{
    int best = 0;
    double least = INFINITY;
    for (int i = 0; i < count; i++) {
        double cost;
        follow(path, run->trace, policy, front[i].a, scratch);
        EEX_TRY(promise_of(&cost, path, run, policy, tested, o));
        if (cost < least) {
            least = cost;
            best = i;
        }
    }
    follow(path, run->trace, policy, front[best].a, scratch);
    return EEX_OK;
}

int eex__risk_path_along(eex__risk_path *out, eex__risk_run *run, eex_policy *policy, int tested,
                         const eex_risk_options *o)
{
    eex_operating_point *front = NULL;
    int count = 0;
    EEX_TRY(path_new(out, policy->exits, LAMBDAS + 1, true));
    EEX_TRY(eex_policy_sweep(&front, &count, run->trace, policy, run->costs,
                             o->steps ? o->steps : USUAL_STEPS));
    double *scratch = calloc((size_t)policy->exits * (size_t)run->trace->samples, sizeof *scratch);
    int code =
        scratch ? choose(out, front, count, run, policy, scratch, tested, o)
                : eex_fail(EEX_ENOMEM, "risk: out of memory for %d samples", run->trace->samples);
    free(scratch);
    free(front);
    return code;
}
