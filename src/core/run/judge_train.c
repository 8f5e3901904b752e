/* Candidates trained for themselves, one after the other: the published way (NASEREX,
 * Algorithm 1). */
#include "core/policy/replay.h"
#include "core/run/judge.h"
#include "core/run/run.h"
#include "core/run/scoring.h"

#include "base/clock.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct training {
    eex_judge head;
    eex_graph *graph; /* of the candidate that was scored last; NULL: it failed */
    eex_params *params;
    eex_graph *shared_graph; /* NULL until a candidate starts from it */
    eex_params *shared;
} training;

const char *eex__run_candidate_name(char name[EEX__CANDIDATE_NAME], uint64_t trial)
{
    snprintf(name, EEX__CANDIDATE_NAME, "candidate-%07llu.h5", (unsigned long long)trial);
    return name;
}

/* ---- training ---- */

/* A ranking with other options has other candidates of the same number. */
static uint64_t subject_of(const eex_run *run, const int *genome, uint64_t number)
{
    uint64_t subject = (0xcbf29ce484222325u ^ number) * 0x100000001b3u;
    for (int i = 0; i < run->structures->space.genes; i++)
        subject = (subject ^ (uint64_t)genome[i]) * 0x100000001b3u;
    return subject;
}

static int train(eex_run *run, eex_params *params, const int *genome, uint64_t number)
{
    const eex__training how = {.title = "candidate",
                               .checkpoint = "candidate-checkpoint.h5",
                               .recipe = &run->e->candidate,
                               .seed = eex__run_seed(run, EEX_STREAM_CANDIDATE, 2 * number),
                               .subject = subject_of(run, genome, number),
                               .samples = run->split.train.at,
                               .count = run->split.train.count};
    eex__history history = {0};
    int code = eex__run_train(run, params, &how, &history);
    eex__history_free(&history);
    return code;
}

/* ---- what it starts from ---- */

/* Weights of the candidate's network without exits. */
static int take_trunk(training *t, const eex_run *run, const int *genome, const eex_params *from)
{
    const int end = eex_graph_exits(t->graph) - 1;
    eex_graph *trunk = NULL;
    eex_params *params = NULL;
    EEX_TRY(eex_graph_select(&trunk, t->graph, &end, 1));
    int code = eex_params_new(&params, run->device, trunk, 0);
    if (code == EEX_OK)
        code = eex_structures_weights(params, run->structures, genome, from);
    if (code == EEX_OK)
        code = eex__run_statistics(run, params);
    if (code == EEX_OK)
        code = eex_params_copy(t->params, params, NULL);
    eex_params_free(params);
    eex_graph_free(trunk);
    return code;
}

static int take_whole(training *t, const eex_run *run, const int *genome, const eex_params *from)
{
    EEX_TRY(eex_structures_weights(t->params, run->structures, genome, from));
    return eex__run_statistics(run, t->params);
}

static int load_shared(training *t, const eex_run *run)
{
    return t->shared ? EEX_OK : eex__run_shared_network(&t->shared_graph, &t->shared, run);
}

static int start(training *t, eex_run *run, const int *genome)
{
    const bool frozen = run->e->candidate.regime == EEX_REGIME_FROZEN;
    switch (run->e->candidate_from) {
    case EEX_START_SHARED:
        EEX_TRY(load_shared(t, run));
        return (run->e->candidate_exits ? take_whole : take_trunk)(t, run, genome, t->shared);
    case EEX_START_SCRATCH:
        if (!frozen)
            return EEX_OK;
        /* fall through */
    default:
        EEX_TRY(eex__run_base_params(run));
        return take_trunk(t, run, genome, run->base);
    }
}

/* Gates only have something to learn where there are some. */
static int make_params(training *t, eex_run *run, const int *genome, uint64_t number)
{
    uint64_t seed = eex__run_seed(run, EEX_STREAM_CANDIDATE, 2 * number + 1);
    bool frozen = run->e->candidate.regime == EEX_REGIME_FROZEN;
    EEX_TRY(eex_params_new(&t->params, run->device, t->graph, seed));
    EEX_TRY(start(t, run, genome));
    return frozen && eex_graph_exits(t->graph) == 1 ? EEX_OK
                                                    : train(run, t->params, genome, number);
}

/* ---- judging ---- */

/* Its cuts are its own: no other network has learned with it. */
static int judge_traces(eex_trial *trial, eex_run *run, const training *t, const int *genome,
                        eex_trace *calibration, eex_trace *validation)
{
    const eex_structures *s = run->structures;
    eex_scoring how = eex_scoring_of(run->e, s);
    eex_cuts cuts;
    eex_structure_costs costs;
    eex_policy *policy = NULL;
    eex_outcome outcome;
    EEX_TRY(eex_structures_costs(&costs, s, genome));
    eex_scoring_cuts(&cuts, validation, t->graph);
    how.cuts = &cuts;
    const eex_exit_costs macs = {costs.exits, costs.macs, s->base_macs};
    int code = eex__run_calibrate(&policy, run, genome, calibration);
    if (code == EEX_OK)
        code = eex_trace_score(validation, run->device, policy->temperature);
    if (code == EEX_OK)
        code = eex_replay(&outcome, validation, policy, &macs, NULL, NULL);
    eex_policy_free(policy);
    if (code == EEX_OK)
        eex_scoring_judge(trial, &how, &outcome, &costs);
    return code;
}

static int judge(eex_trial *trial, eex_run *run, const training *t, const int *genome)
{
    eex_trace *calibration = NULL, *validation = NULL;
    int code =
        eex__run_trace(&calibration, run, t->graph, t->params, NULL, &run->split.calibration);
    if (code == EEX_OK)
        code = eex__run_trace(&validation, run, t->graph, t->params, NULL, &run->split.validation);
    if (code == EEX_OK)
        code = judge_traces(trial, run, t, genome, calibration, validation);
    eex_trace_free(calibration);
    eex_trace_free(validation);
    return code;
}

static void drop(training *t)
{
    eex_params_free(t->params);
    eex_graph_free(t->graph);
    t->params = NULL;
    t->graph = NULL;
}

static int score(eex_trial *out, eex_judge *j, const int *genome, uint64_t number)
{
    training *t = (training *)j;
    eex_run *run = j->run;
    double begin = eex_clock_seconds();
    drop(t);
    eex_device_range(run->device, "trial %llu", (unsigned long long)number);
    int code = eex_structures_graph(&t->graph, run->structures, genome);
    if (code == EEX_OK)
        code = make_params(t, run, genome, number);
    if (code == EEX_OK)
        code = judge(out, run, t, genome);
    eex_device_range_end(run->device);
    if (code != EEX_OK)
        drop(t);
    out->seconds = eex_clock_seconds() - begin;
    return code;
}

/* ---- what is kept ---- */

static int keep(eex_judge *j, uint64_t number)
{
    const training *t = (const training *)j;
    char name[EEX__CANDIDATE_NAME];
    const eex__history none = {.exits = eex_graph_exits(t->graph)};
    return eex__run_save_weights(j->run, eex__run_candidate_name(name, number), t->params, &none);
}

static int forget(const eex_run *run, uint64_t number)
{
    char name[EEX__CANDIDATE_NAME];
    return eex__run_remove(run, eex__run_candidate_name(name, number));
}

static int weights(eex_params *out, eex_run *run, const int *genome, uint64_t number)
{
    char name[EEX__CANDIDATE_NAME];
    return eex__run_read_weights(out, run, eex__run_candidate_name(name, number));
}

/* ---- a judge ---- */

static int open(eex_judge **out, eex_run *run)
{
    training *t = calloc(1, sizeof *t);
    if (!t)
        return eex_fail(EEX_ENOMEM, "out of memory for a judge");
    *out = &t->head;
    return EEX_OK;
}

static void close(eex_judge *j)
{
    training *t = (training *)j;
    drop(t);
    eex_params_free(t->shared);
    eex_graph_free(t->shared_graph);
    free(t);
}

const eex_judge_kind eex__judge_train = {.file_trials = 1,
                                         .open = open,
                                         .close = close,
                                         .score = score,
                                         .keep = keep,
                                         .forget = forget,
                                         .weights = weights};
