#include "core/run/scoring.h"

#include "core/graph/cost.h"

#include "base/status.h"

#include <math.h>

eex_scoring eex_scoring_of(const eex_experiment *e, const eex_structures *s)
{
    return (eex_scoring){.score = e->search.score,
                         .weight = e->search.weight,
                         .by_latency = e->search.cost == EEX_COST_LATENCY,
                         .base_macs = s->base_macs,
                         .base_ms = s->base_ms,
                         .limits = e->search.limits};
}

static int check_base(double cost)
{
    return cost > 0 && !isinf(cost)
               ? EEX_OK
               : eex_fail(EEX_EINVAL,
                          "evaluator: the backbone costs %g: a positive number expected", cost);
}

int eex_scoring_check(const eex_scoring *how)
{
    EEX_TRY(check_base(how->base_macs));
    if (!isnan(how->base_ms))
        EEX_TRY(check_base(how->base_ms));
    else if (how->by_latency || how->score == EEX_SCORE_EQUATION1)
        return eex_fail(EEX_EINVAL, "evaluator: score and tuning by latency need measured "
                                    "latencies, there are none");
    if (how->score == EEX_SCORE_WEIGHTED && (isnan(how->weight) || isinf(how->weight)))
        return eex_fail(EEX_EINVAL, "search.weight: a number, got %g", how->weight);
    if ((how->score == EEX_SCORE_CUT_MACS || how->score == EEX_SCORE_CUT_ACCURACY) &&
        (!how->cuts || how->cuts->count == 0))
        return eex_fail(EEX_EINVAL, "evaluator: a score against cuts needs some, there are none");
    return EEX_OK;
}

void eex_scoring_cuts(eex_cuts *out, const eex_trace *validation, const eex_graph *graph)
{
    double macs[EEX_MAX_EXITS];
    for (int k = 0; k < validation->exits; k++)
        macs[k] = (double)eex_cost_alone(graph, k, EEX_MACS);
    eex_cuts_of_trace(out, validation, macs);
}

eex_exit_costs eex_scoring_costs(const eex_scoring *how, const eex_structure_costs *costs)
{
    return (eex_exit_costs){costs->exits, how->by_latency ? costs->ms : costs->macs,
                            how->by_latency ? how->base_ms : how->base_macs};
}

static double score_of(const eex_scoring *how, const eex_trial *t)
{
    switch (how->score) {
    case EEX_SCORE_EQUATION1:
        return -(t->latency / how->base_ms + 1 - t->agreement);
    case EEX_SCORE_WEIGHTED:
        return t->accuracy - how->weight * (how->by_latency ? t->latency / how->base_ms
                                                            : t->macs / how->base_macs);
    case EEX_SCORE_CUT_MACS:
        return t->cut_saved;
    case EEX_SCORE_CUT_ACCURACY:
        return eex_cuts_gained(how->cuts, t->accuracy, t->macs);
    default:
        return t->accuracy;
    }
}

/* Of the gates, whoever goes to the end. */
static double least_share(const eex_outcome *outcome, int exits)
{
    double least = 1;
    for (int k = 0; k + 1 < exits; k++)
        least = fmin(least, outcome->share[k]);
    return least;
}

void eex_scoring_judge(eex_trial *out, const eex_scoring *how, const eex_outcome *outcome,
                       const eex_structure_costs *costs)
{
    *out = (eex_trial){.status = EEX_OK,
                       .accuracy = outcome->accuracy,
                       .macs = outcome->cost,
                       .agreement = outcome->agreement,
                       .rejected = outcome->rejected,
                       .least_share = least_share(outcome, costs->exits)};
    for (int k = 0; k < costs->exits; k++)
        out->latency += outcome->share[k] * costs->ms[k];
    out->cut_saved = how->cuts ? eex_cuts_saved(how->cuts, out->accuracy, out->macs) : (double)NAN;
    out->score = score_of(how, out);
    out->violation = eex_limits_violation(&how->limits, out, costs->params);
}
