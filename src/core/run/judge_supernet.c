/* Candidates of an elastic backbone, judged by the shared network's weights: those of a candidate's
 * network are gathered, batch norm's statistics taken anew, and the network with all exits is
 * traced once on both splits. From these traces every choice of exits and thresholds on it is
 * answered by replay, so what costs seconds is a new network, not a new candidate. */
#include "core/graph/elastic.h"
#include "core/run/evaluate.h"
#include "core/run/judge.h"
#include "core/run/run.h"

#include "base/clock.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* Networks whose traces are kept, and trials that a kill may cost. */
enum { KEPT = 4, FILE_TRIALS = 4 };

/* A network with its traces; no evaluator: nothing is here. */
typedef struct traced {
    uint64_t used; /* when */
    int genes[EEX_GENES];
    eex_trace *calibration, *validation;
    eex_cuts cuts;
    eex_evaluator *evaluator;
} traced;

typedef struct supernet {
    eex_judge head;
    eex_graph *graph; /* the shared network */
    eex_params *params;
    uint64_t now;
    traced kept[KEPT];
} supernet;

static void drop(traced *t)
{
    eex_evaluator_free(t->evaluator);
    eex_trace_free(t->calibration);
    eex_trace_free(t->validation);
    *t = (traced){.used = 0};
}

static void close(eex_judge *j)
{
    supernet *s = (supernet *)j;
    for (int i = 0; i < KEPT; i++)
        drop(&s->kept[i]);
    eex_params_free(s->params);
    eex_graph_free(s->graph);
    free(s);
}

static int open(eex_judge **out, eex_run *run)
{
    supernet *s = calloc(1, sizeof *s);
    if (!s)
        return eex_fail(EEX_ENOMEM, "out of memory for a judge");
    const int code = eex__run_shared_network(&s->graph, &s->params, run);
    if (code != EEX_OK)
        close(&s->head);
    else
        *out = &s->head;
    return code;
}

/* ---- networks ---- */

/* The genome's network with all exits as it is judged: weights and statistics. Both are the
 * caller's, also after a failure. */
static int gather(eex_graph **graph, eex_params **params, const eex_run *run, const int *genome,
                  const eex_params *shared)
{
    const eex_structures *s = run->structures;
    EEX_TRY(eex_structures_all(graph, s, genome));
    EEX_TRY(eex_params_new(params, run->device, *graph, 0));
    const int code = eex_structures_weights(*params, s, genome, shared);
    if (code < 0)
        return eex_fail_in(code, "shared.h5");
    return eex__run_statistics(run, *params);
}

static int trace(traced *t, const eex_run *run, const eex_graph *graph, eex_params *params)
{
    const eex_structures *s = run->structures;
    eex_evaluator_options options = {.policy = run->e->policy,
                                     .scoring = eex_scoring_of(run->e, s),
                                     .levels = s->levels,
                                     .level = s->level};
    EEX_TRY(eex__run_trace(&t->calibration, run, graph, params, NULL, &run->split.calibration));
    EEX_TRY(eex__run_trace(&t->validation, run, graph, params, NULL, &run->split.validation));
    eex_scoring_cuts(&t->cuts, t->validation, graph);
    options.scoring.cuts = &t->cuts;
    return eex_evaluator_new(&t->evaluator, t->calibration, t->validation, run->device, &options);
}

static int make(traced *t, const supernet *s, const int *genome)
{
    const eex_run *run = s->head.run;
    eex_graph *graph = NULL;
    eex_params *params = NULL;
    int code = gather(&graph, &params, run, genome, s->params);
    if (code == EEX_OK)
        code = trace(t, run, graph, params);
    eex_params_free(params);
    eex_graph_free(graph);
    return code;
}

/* The network's traces; those that were not asked for longest make room. */
static int find(traced **out, supernet *s, const int *genome)
{
    const size_t size = (size_t)eex_graph_genes(s->head.run->e->backbone) * sizeof *genome;
    traced *oldest = &s->kept[0];
    *out = NULL;
    for (int i = 0; i < KEPT; i++) {
        traced *t = &s->kept[i];
        if (t->evaluator && memcmp(t->genes, genome, size) == 0)
            *out = t;
        if (t->used < oldest->used)
            oldest = t;
    }
    if (!*out) {
        drop(oldest);
        const int code = make(oldest, s, genome);
        if (code != EEX_OK) {
            drop(oldest);
            return code;
        }
        memcpy(oldest->genes, genome, size);
        *out = oldest;
    }
    (*out)->used = ++s->now;
    return EEX_OK;
}

/* ---- judging ---- */

static int judge(eex_candidate *out, traced **network, eex_judge *j, const int *genome)
{
    const eex_structures *s = j->run->structures;
    eex_structure_costs costs;
    int column[EEX_MAX_EXITS];
    double a[EEX_MAX_EXITS];
    EEX_TRY(eex_structures_costs(&costs, s, genome));
    EEX_TRY(eex_structures_columns(column, s, genome));
    EEX_TRY(eex_structures_thresholds(a, s, genome));
    EEX_TRY(find(network, (supernet *)j, genome));
    return eex_evaluator_score_at((*network)->evaluator, out, column, &costs, a);
}

static int score(eex_trial *out, eex_judge *j, const int *genome, uint64_t number)
{
    const double begin = eex_clock_seconds();
    eex_candidate candidate = {.trial = {.status = EEX_OK}};
    traced *network;
    eex_device_range(j->run->device, "trial %llu", (unsigned long long)number);
    const int code = judge(&candidate, &network, j, genome);
    eex_device_range_end(j->run->device);
    *out = candidate.trial;
    out->seconds = eex_clock_seconds() - begin;
    return code;
}

static int policy(eex_policy **out, eex_judge *j, const int *genome)
{
    eex_candidate candidate;
    traced *network;
    EEX_TRY(judge(&candidate, &network, j, genome));
    return eex_evaluator_policy(out, network->evaluator, &candidate);
}

/* Of the network with all exits, of which it has some: so they are what was judged, whatever the
 * exits that are left out do to a plan. */
static int weights_from(eex_params *out, const eex_run *run, const int *genome,
                        const eex_params *shared)
{
    eex_graph *graph = NULL;
    eex_params *params = NULL;
    int code = gather(&graph, &params, run, genome, shared);
    if (code == EEX_OK)
        code = eex_params_copy(out, params, NULL);
    eex_params_free(params);
    eex_graph_free(graph);
    return code;
}

static int weights(eex_params *out, eex_run *run, const int *genome, uint64_t number)
{
    eex_graph *graph = NULL;
    eex_params *shared = NULL;
    int code = eex__run_shared_network(&graph, &shared, run);
    if (code == EEX_OK)
        code = weights_from(out, run, genome, shared);
    eex_params_free(shared);
    eex_graph_free(graph);
    return code;
}

const eex_judge_kind eex__judge_supernet = {.shared = true,
                                            .timed = true,
                                            .file_trials = FILE_TRIALS,
                                            .open = open,
                                            .close = close,
                                            .score = score,
                                            .weights = weights,
                                            .policy = policy};
