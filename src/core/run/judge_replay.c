/* Candidates judged by replaying the traces of the shared network. */
#include "core/run/evaluate.h"
#include "core/run/judge.h"
#include "core/run/run.h"

#include "base/status.h"

#include <stdlib.h>

/* Trials are cheap and made again when less than a file was done. */
enum { FILE_TRIALS = 10000 };

typedef struct replay {
    eex_judge head;
    eex_trace *calibration, *validation;
    eex_cuts cuts; /* of the shared network */
    eex_evaluator *evaluator;
} replay;

static void close(eex_judge *j)
{
    replay *r = (replay *)j;
    eex_evaluator_free(r->evaluator);
    eex_trace_free(r->calibration);
    eex_trace_free(r->validation);
    free(r);
}

static int find_cuts(replay *r, const eex_run *run)
{
    eex_graph *graph = NULL;
    EEX_TRY(eex_structures_shared(&graph, run->structures));
    const int exits = eex_graph_exits(graph);
    if (exits == r->validation->exits)
        eex_scoring_cuts(&r->cuts, r->validation, graph);
    eex_graph_free(graph);
    return exits == r->validation->exits
               ? EEX_OK
               : eex_fail(EEX_EFORMAT, "trace-validation.h5: %d exits, the shared network has %d",
                          r->validation->exits, exits);
}

static int open_evaluator(replay *r, eex_run *run)
{
    eex_evaluator_options options = {.policy = run->e->policy,
                                     .scoring = eex_scoring_of(run->e, run->structures),
                                     .levels = run->structures->levels,
                                     .level = run->structures->level};
    EEX_TRY(eex__run_load_trace(&r->calibration, run, "trace-calibration.h5"));
    EEX_TRY(eex__run_load_trace(&r->validation, run, "trace-validation.h5"));
    EEX_TRY(find_cuts(r, run));
    options.scoring.cuts = &r->cuts;
    return eex_evaluator_new(&r->evaluator, r->calibration, r->validation, run->device, &options);
}

static int open(eex_judge **out, eex_run *run)
{
    replay *r = calloc(1, sizeof *r);
    if (!r)
        return eex_fail(EEX_ENOMEM, "out of memory for a judge");
    int code = open_evaluator(r, run);
    if (code != EEX_OK)
        close(&r->head);
    else
        *out = &r->head;
    return code;
}

static int judge(eex_candidate *out, eex_judge *j, const int *genome)
{
    const eex_structures *s = j->run->structures;
    eex_structure_costs costs;
    int column[EEX_MAX_EXITS];
    double a[EEX_MAX_EXITS];
    EEX_TRY(eex_structures_costs(&costs, s, genome));
    EEX_TRY(eex_structures_columns(column, s, genome));
    EEX_TRY(eex_structures_thresholds(a, s, genome));
    return eex_evaluator_score_at(((replay *)j)->evaluator, out, column, &costs, a);
}

static int score(eex_trial *out, eex_judge *j, const int *genome, uint64_t number)
{
    eex_candidate candidate;
    EEX_TRY(judge(&candidate, j, genome));
    *out = candidate.trial;
    return EEX_OK;
}

static int policy(eex_policy **out, eex_judge *j, const int *genome)
{
    eex_candidate candidate;
    EEX_TRY(judge(&candidate, j, genome));
    return eex_evaluator_policy(out, ((replay *)j)->evaluator, &candidate);
}

static int weights(eex_params *out, eex_run *run, const int *genome, uint64_t number)
{
    eex_graph *graph = NULL;
    eex_params *shared = NULL;
    int code = eex__run_shared_network(&graph, &shared, run);
    if (code == EEX_OK) {
        code = eex_structures_weights(out, run->structures, genome, shared);
        if (code < 0)
            code = eex_fail_in(code, "shared.h5");
    }
    eex_params_free(shared);
    eex_graph_free(graph);
    return code;
}

const eex_judge_kind eex__judge_replay = {.shared = true,
                                          .traced = true,
                                          .timed = true,
                                          .quick = true,
                                          .file_trials = FILE_TRIALS,
                                          .open = open,
                                          .close = close,
                                          .score = score,
                                          .weights = weights,
                                          .policy = policy};
