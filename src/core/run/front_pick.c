#include "core/run/front_pick.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

static bool by_latency(const eex_run *run)
{
    return run->e->search.cost == EEX_COST_LATENCY;
}

static double cost_of(const eex_run *run, const eex_trial *t)
{
    return by_latency(run) ? t->latency : t->macs;
}

/* ---- the best of each number of gates ---- */

void eex__front_bests_init(eex__front_bests *bests)
{
    for (int i = 0; i < EEX__FRONT_GATES; i++)
        bests->trial[i] = SIZE_MAX;
}

static int gates_of(int *out, const eex_run *run, const eex_trials *trials, size_t trial)
{
    eex_structure_costs costs;
    EEX_TRY(eex_structures_costs(&costs, run->structures, eex_trials_genome(trials, trial)));
    *out = costs.exits - 1;
    return EEX_OK;
}

int eex__front_consider(eex__front_bests *bests, const eex_run *run, const eex_trials *trials,
                        size_t trial)
{
    const eex_trial *t = &trials->at[trial];
    int gates;
    if (!eex_trial_eligible(t))
        return EEX_OK;
    EEX_TRY(gates_of(&gates, run, trials, trial));
    if (gates < 1 || gates > EEX__FRONT_GATES)
        return EEX_OK;
    size_t *best = &bests->trial[gates - 1];
    if (*best == SIZE_MAX || eex__run_prefers(run, t, &trials->at[*best]))
        *best = trial;
    return EEX_OK;
}

static void mark_bests(bool *marks, const eex__front_bests *bests)
{
    for (int i = 0; i < EEX__FRONT_GATES; i++)
        if (bests->trial[i] != SIZE_MAX)
            marks[bests->trial[i]] = true;
}

int eex__front_mark(bool *wanted, const eex_run *run, const eex_trials *trials,
                    const eex__front_bests *bests)
{
    size_t *front = NULL, count = 0;
    if (run->e->search.front == 0)
        return EEX_OK;
    EEX_TRY(eex_trials_front(&front, &count, trials, by_latency(run)));
    for (size_t i = 0; i < count; i++)
        wanted[front[i]] = true;
    free(front);
    mark_bests(wanted, bests);
    return EEX_OK;
}

/* ---- members of the Pareto front ---- */

void eex__front_spread(size_t *chosen, const double *cost, size_t count, size_t wanted)
{
    const double first = log(cost[0]), range = log(cost[count - 1]) - first;
    size_t at = 0;
    for (size_t k = 0; k < wanted; k++) {
        const double place = wanted > 1 ? (double)k / (double)(wanted - 1) : 0.5;
        const double target = first + place * range;
        const size_t last = count - (wanted - k); /* one is left for each that comes */
        while (at < last && fabs(log(cost[at + 1]) - target) < fabs(log(cost[at]) - target))
            at++;
        chosen[k] = at++;
    }
}

static int mark_some(bool *marks, const eex_run *run, const eex_trials *trials, const size_t *front,
                     size_t count)
{
    const size_t most = (size_t)run->e->search.front, wanted = count < most ? count : most;
    double *cost = malloc((count + 1) * sizeof *cost);
    size_t *chosen = malloc((wanted + 1) * sizeof *chosen);
    int code = cost && chosen ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for a front");
    for (size_t i = 0; code == EEX_OK && i < count; i++)
        cost[i] = cost_of(run, &trials->at[front[i]]);
    if (code == EEX_OK && count > 0)
        eex__front_spread(chosen, cost, count, wanted);
    for (size_t k = 0; code == EEX_OK && k < wanted; k++)
        marks[front[chosen[k]]] = true;
    free(cost);
    free(chosen);
    return code;
}

static int mark_spread(bool *marks, const eex_run *run, const eex_trials *trials)
{
    size_t *front = NULL, count = 0;
    EEX_TRY(eex_trials_front(&front, &count, trials, by_latency(run)));
    int code = mark_some(marks, run, trials, front, count);
    free(front);
    return code;
}

static int mark_best(bool *marks, const eex_run *run, const eex_trials *trials)
{
    eex__front_bests bests;
    eex__front_bests_init(&bests);
    for (size_t i = 0; i < trials->count; i++)
        EEX_TRY(eex__front_consider(&bests, run, trials, i));
    mark_bests(marks, &bests);
    return EEX_OK;
}

/* ---- all of it ---- */

/* Puts a trial behind those that cost no more. */
static int insert(eex_front *out, const eex_run *run, const eex_trials *trials, size_t trial,
                  bool spread, bool best)
{
    eex_front_member m = {.trial = trial, .spread = spread, .best = best};
    size_t at = out->count++;
    EEX_TRY(gates_of(&m.gates, run, trials, trial));
    for (; at > 0; at--) {
        const eex_trial *before = &trials->at[out->members[at - 1].trial];
        if (!(cost_of(run, before) > cost_of(run, &trials->at[trial])))
            break;
        out->members[at] = out->members[at - 1];
    }
    out->members[at] = m;
    return EEX_OK;
}

static int gather(eex_front *out, const eex_run *run, const eex_trials *trials, const bool *spread,
                  const bool *best)
{
    size_t count = 0;
    for (size_t i = 0; i < trials->count; i++)
        count += spread[i] || best[i];
    out->members = calloc(count + 1, sizeof *out->members);
    if (!out->members)
        return eex_fail(EEX_ENOMEM, "out of memory for a front of %zu networks", count);
    for (size_t i = 0; i < trials->count; i++)
        if (spread[i] || best[i])
            EEX_TRY(insert(out, run, trials, i, spread[i], best[i]));
    return EEX_OK;
}

int eex__front_pick(eex_front *out, const eex_run *run, const eex_trials *trials)
{
    bool *spread = calloc(trials->count + 1, sizeof *spread);
    bool *best = calloc(trials->count + 1, sizeof *best);
    *out = (eex_front){0};
    int code = spread && best ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for a front");
    if (code == EEX_OK)
        code = mark_spread(spread, run, trials);
    if (code == EEX_OK)
        code = mark_best(best, run, trials);
    if (code == EEX_OK)
        code = gather(out, run, trials, spread, best);
    free(spread);
    free(best);
    return code;
}
