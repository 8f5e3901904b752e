/* One candidate, trained for itself: the published way (nasexer.txt, Algorithm 1). */
#include "core/policy/replay.h"
#include "core/run/run.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *eex__run_candidate_name(char name[EEX__CANDIDATE_NAME], uint64_t trial)
{
    snprintf(name, EEX__CANDIDATE_NAME, "candidate-%07llu.h5", (unsigned long long)trial);
    return name;
}

int eex__run_calibrate(eex_policy **out, const eex_run *run, const eex_graph *graph,
                       const int *genome, eex_trace *calibration)
{
    double cost[EEX_MAX_EXITS];
    eex_exit_costs costs = {eex_graph_exits(graph), cost, run->base_macs};
    if (run->e->search.cost == EEX_COST_LATENCY) {
        eex__latencies table = {{0}, {0}, 0};
        EEX_TRY(eex__run_latencies(&table, run));
        EEX_TRY(eex__run_ms(cost, run, genome));
        costs.base = table.base;
    } else {
        eex__run_macs(cost, graph);
    }
    eex_calibration how = run->e->policy;
    if (!calibration->distance) /* candidates are judged without rejection, as by replay */
        how.reject = 0;
    return eex_calibrate(out, calibration, run->device, &how, &costs);
}

static int train(eex_run *run, eex_params *params, uint64_t number)
{
    const eex__training training = {.title = "candidate",
                                    .checkpoint = "candidate-checkpoint.h5",
                                    .recipe = &run->e->candidate,
                                    .seed = eex__run_seed(run, EEX_STREAM_CANDIDATE, 2 * number),
                                    .subject = number,
                                    .samples = run->split.train.at,
                                    .count = run->split.train.count};
    eex__history history = {0};
    int code = eex__run_train(run, params, &training, &history);
    eex__history_free(&history);
    return code;
}

/* Gates only have something to learn where there are some. */
static int make_params(eex_params **out, eex_run *run, const eex_graph *graph, uint64_t number)
{
    uint64_t seed = eex__run_seed(run, EEX_STREAM_CANDIDATE, 2 * number + 1);
    bool frozen = run->e->candidate.regime == EEX_REGIME_FROZEN;
    EEX_TRY(eex_params_new(out, run->device, graph, seed));
    if (run->e->candidate_from_base || frozen) {
        EEX_TRY(eex__run_base_params(run));
        EEX_TRY(eex_params_copy(*out, run->base, NULL));
    }
    return frozen && eex_graph_exits(graph) == 1 ? EEX_OK : train(run, *out, number);
}

static int score(eex_trial *trial, const eex_run *run)
{
    eex__latencies table = {{0}, {0}, 0};
    bool by_latency = run->e->search.cost == EEX_COST_LATENCY;
    if (by_latency || run->e->search.score == EEX_SCORE_EQUATION1)
        EEX_TRY(eex__run_latencies(&table, run));
    switch (run->e->search.score) {
    case EEX_SCORE_EQUATION1:
        trial->score = -(trial->latency / table.base + 1 - trial->agreement);
        break;
    case EEX_SCORE_WEIGHTED:
        trial->score =
            trial->accuracy - run->e->search.weight * (by_latency ? trial->latency / table.base
                                                                  : trial->macs / run->base_macs);
        break;
    default:
        trial->score = trial->accuracy;
    }
    return EEX_OK;
}

static int judge_traces(eex_trial *trial, eex_run *run, const eex_graph *graph, const int *genome,
                        eex_trace *calibration, eex_trace *validation)
{
    eex_policy *policy = NULL;
    eex_outcome outcome;
    double cost[EEX_MAX_EXITS], ms[EEX_MAX_EXITS] = {0};
    const eex_exit_costs costs = {eex_graph_exits(graph), cost, run->base_macs};
    bool timed = eex__run_timed(run);
    eex__run_macs(cost, graph);
    int code = eex__run_calibrate(&policy, run, graph, genome, calibration);
    if (code == EEX_OK)
        code = eex_trace_score(validation, run->device, policy->temperature);
    if (code == EEX_OK)
        code = eex_replay(&outcome, validation, policy, &costs, NULL, NULL);
    if (code == EEX_OK && timed)
        code = eex__run_ms(ms, run, genome);
    eex_policy_free(policy);
    EEX_TRY(code);
    trial->accuracy = outcome.accuracy;
    trial->macs = outcome.cost;
    trial->agreement = outcome.agreement;
    trial->rejected = outcome.rejected;
    trial->latency = timed ? 0 : NAN;
    for (int k = 0; timed && k < costs.exits; k++)
        trial->latency += outcome.share[k] * ms[k];
    return score(trial, run);
}

static int judge(eex_trial *trial, eex_run *run, const eex_graph *graph, const int *genome,
                 eex_params *params)
{
    eex_trace *calibration = NULL, *validation = NULL;
    int code = eex__run_trace(&calibration, run, graph, params, NULL, &run->split.calibration);
    if (code == EEX_OK)
        code = eex__run_trace(&validation, run, graph, params, NULL, &run->split.validation);
    if (code == EEX_OK)
        code = judge_traces(trial, run, graph, genome, calibration, validation);
    eex_trace_free(calibration);
    eex_trace_free(validation);
    return code;
}

static void failed(eex_trial *trial, int code)
{
    *trial = (eex_trial){.status = code,
                         .accuracy = NAN,
                         .macs = NAN,
                         .latency = NAN,
                         .agreement = NAN,
                         .rejected = NAN,
                         .score = NAN};
    snprintf(trial->reason, sizeof trial->reason, "%.*s", EEX_TRIAL_REASON - 1, eex_error());
}

int eex__run_candidate(eex_run *run, eex_trial *trial, eex_graph **graph, eex_params **params,
                       const int *genome, uint64_t number)
{
    double begin = eex_clock_seconds();
    *trial = (eex_trial){.status = EEX_OK};
    *graph = NULL;
    *params = NULL;
    eex_device_range(run->device, "trial %llu", (unsigned long long)number);
    int code = eex__run_graph(graph, run, genome);
    if (code == EEX_OK)
        code = make_params(params, run, *graph, number);
    if (code == EEX_OK)
        code = judge(trial, run, *graph, genome, *params);
    eex_device_range_end(run->device);
    if (code == EEX_OK) {
        trial->seconds = eex_clock_seconds() - begin;
        return EEX_OK;
    }
    eex_params_free(*params);
    eex_graph_free(*graph);
    *params = NULL;
    *graph = NULL;
    if (code != EEX_EDIVERGED && code != EEX_ENOMEM)
        return code;
    failed(trial, code);
    eex_log_warn("candidate %llu failed: %s", (unsigned long long)number, trial->reason);
    trial->seconds = eex_clock_seconds() - begin;
    return EEX_OK;
}
