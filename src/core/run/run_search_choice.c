/* Which trial a search would take, and whose weights it keeps. */
#include "core/run/run_search.h"

#include "base/status.h"

#include <stdlib.h>

/* ---- the choice ---- */

double eex__search_cost(const eex_run *run, const eex_trial *t)
{
    return run->e->search.cost == EEX_COST_LATENCY ? t->latency : t->macs;
}

/* The cheapest that is accurate enough, or else the most accurate; without min_accuracy the best
 * score. The order is total but for equals, of which the first stays: so the choice among all
 * trials is the choice among the chosen so far and the newest. */
bool eex__run_prefers(const eex_run *run, const eex_trial *t, const eex_trial *than)
{
    double enough = run->e->search.min_accuracy;
    if (enough < 0)
        return t->score > than->score;
    bool good = t->accuracy >= enough, other = than->accuracy >= enough;
    if (good != other)
        return good;
    double cost = eex__search_cost(run, t), other_cost = eex__search_cost(run, than);
    if (good)
        return cost < other_cost || (cost == other_cost && t->accuracy > than->accuracy);
    return t->accuracy > than->accuracy || (t->accuracy == than->accuracy && cost < other_cost);
}

int eex__search_consider(eex__search *s, size_t trial)
{
    const eex_trial *t = &s->trials.at[trial];
    if (!eex_trial_eligible(t))
        return EEX_OK;
    if (s->chosen == SIZE_MAX || eex__run_prefers(s->run, t, &s->trials.at[s->chosen]))
        s->chosen = trial;
    return s->how->keep ? eex__front_consider(&s->bests, s->run, &s->trials, trial) : EEX_OK;
}

/* ---- weights ---- */

/* Whether anything may still want the weights of each trial so far: the choice, and the front. */
static int find_wanted(bool **out, const eex__search *s)
{
    bool *wanted = calloc(s->trials.count + 1, sizeof *wanted);
    *out = NULL;
    if (!wanted)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu trials", s->trials.count);
    if (s->chosen != SIZE_MAX)
        wanted[s->chosen] = true;
    int code = eex__front_mark(wanted, s->run, &s->trials, &s->bests);
    if (code < 0)
        free(wanted);
    else
        *out = wanted;
    return code;
}

/* Those that were wanted for a while, and what a kill has left behind of them. */
int eex__search_remove_stale(const eex__search *s)
{
    bool *wanted = NULL;
    if (!s->how->forget)
        return EEX_OK;
    EEX_TRY(find_wanted(&wanted, s));
    int code = EEX_OK;
    for (size_t i = 0; i <= s->trials.count && code == EEX_OK; i++)
        if (!wanted[i])
            code = s->how->forget(s->run, i);
    free(wanted);
    return code;
}

/* Of the candidate that was judged last, here or elsewhere. */
int eex__search_keep(bool *kept, const eex__search *s, bool elsewhere)
{
    const size_t number = s->trials.count - 1;
    bool *wanted = NULL;
    *kept = false;
    if (!s->how->keep)
        return EEX_OK;
    EEX_TRY(find_wanted(&wanted, s));
    *kept = wanted[number];
    free(wanted);
    if (!*kept)
        return EEX_OK;
    return elsewhere ? eex__ahead_keep(&s->ahead, number) : s->how->keep(s->judge, number);
}
