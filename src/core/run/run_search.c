/* The search: ask, evaluate, store, tell; then the choice from the Pareto front. */
#include "core/run/run_search.h"

#include "core/run/limits.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- evaluation ---- */

int eex__search_tell(eex__search *s, size_t trial)
{
    const eex_trial *t = &s->trials.at[trial];
    const eex_score score = {.fitness = t->score,
                             .objectives = {1 - t->accuracy, eex__search_cost(s->run, t)},
                             .objective_count = 2,
                             .violation = t->violation,
                             .failed = t->status != EEX_OK};
    s->seconds += t->seconds;
    return eex_controller_tell(s->controller, eex_trials_genome(&s->trials, trial), &score);
}

/* Weights are kept of what may still be wanted alone, and are there before the trial is. */
static int judge(eex__search *s, const int *genome)
{
    eex_trial trial;
    const size_t number = s->trials.count;
    bool kept, elsewhere;
    EEX_TRY(eex__ahead_trial(&trial, &elsewhere, &s->ahead, number, genome));
    if (!elsewhere)
        EEX_TRY(eex__judge_score(&trial, s->judge, genome, number));
    EEX_TRY(eex_trials_add(&s->trials, genome, &trial));
    EEX_TRY(eex__search_consider(s, number));
    EEX_TRY(eex__search_keep(&kept, s, elsewhere));
    if (s->trials.count - s->stored == s->how->file_trials)
        EEX_TRY(eex__search_store(s));
    EEX_TRY(eex__ahead_told(&s->ahead, number));
    return kept ? eex__search_remove_stale(s) : EEX_OK;
}

static void show(const eex__search *s)
{
    if (s->chosen == SIZE_MAX) {
        eex_progress_update(s->trials.count, NULL);
        return;
    }
    const eex_trial *best = &s->trials.at[s->chosen];
    eex_progress_update(s->trials.count, "best %.2f %% validation, at %.0f %% of the base's MACs",
                        100 * best->accuracy, 100 * best->macs / s->run->structures->base_macs);
}

static bool is_full(const eex__search *s)
{
    return eex_controller_pending(s->controller) >= s->ahead.most;
}

/* As many as may be open. */
static int ask(eex__search *s)
{
    int genome[EEX_MAX_GENES];
    while (!is_full(s) && !eex_controller_done(s->controller)) {
        EEX_TRY(eex_controller_ask(s->controller, genome));
        EEX_TRY(s->heard);
        const size_t open = eex_controller_pending(s->controller);
        EEX_TRY(eex__ahead_put(&s->ahead, s->trials.count + open - 1, genome));
    }
    return EEX_OK;
}

static bool is_done(const eex__search *s)
{
    return eex_controller_pending(s->controller) == 0 && eex_controller_done(s->controller);
}

static int step(eex__search *s)
{
    int genome[EEX_MAX_GENES];
    EEX_TRY(eex__run_poll());
    EEX_TRY(ask(s));
    memcpy(genome, eex_controller_pending_genome(s->controller, 0),
           (size_t)s->trials.genes * sizeof *genome);
    EEX_TRY(judge(s, genome));
    EEX_TRY(eex__search_tell(s, s->trials.count - 1));
    show(s);
    return EEX_OK;
}

/* Of few trials, or of equal ones, cross-validation knows none. */
static const char *tau_text(char text[16], double tau)
{
    if (isnan(tau))
        return "unknown";
    snprintf(text, 16, "%.2f", tau);
    return text;
}

/* What the models of a search on surrogates are worth. */
static void hear_of_models(const eex_search_report *r, void *context)
{
    eex__search *s = context;
    char accuracy[16], cost[16], null[16];
    s->heard = eex_models_add(&s->models, r);
    eex_log_info("after %zu trials: accuracy by %s (tau %s), cost by %s (tau %s), accuracy by "
                 "cost alone tau %s; hypervolume %.6g",
                 r->trials, r->surrogate[0], tau_text(accuracy, r->tau[0]), r->surrogate[1],
                 tau_text(cost, r->tau[1]), tau_text(null, r->null_tau), r->hypervolume);
}

static int make_controller(eex__search *s)
{
    eex_controller_options options = eex__search_options(s->run->e);
    options.seed = eex__run_seed(s->run, EEX_STREAM_SEARCH, 0);
    options.report = hear_of_models;
    options.report_context = s;
    return eex_controller_new(&s->controller, s->run->e->search.algorithm,
                              &s->run->structures->space, &options);
}

/* ---- all of it ---- */

static int nothing_to_choose(const eex__search *s)
{
    int code;
    return eex_limits_tell_nearest(&code, &s->run->e->search.limits, &s->trials, s->run->structures)
               ? code
               : eex_fail(EEX_EDIVERGED, "search: all %zu candidates failed, the last with: %s",
                          s->trials.count,
                          s->trials.count ? s->trials.at[s->trials.count - 1].reason
                                          : "there was none");
}

/* What was judged stays, so that reports can tell of it. */
static int finish(eex__search *s)
{
    if (s->chosen == SIZE_MAX) {
        if (s->trials.count > s->stored)
            EEX_TRY(eex__search_store(s));
        return nothing_to_choose(s);
    }
    const eex_trial *best = &s->trials.at[s->chosen];
    if (best->accuracy < s->run->e->search.min_accuracy)
        eex_unmet_say(&s->unmet, EEX_WISH_MIN_ACCURACY,
                      "no candidate reaches search.min_accuracy = %g: taking the most "
                      "accurate on the validation split, %g",
                      s->run->e->search.min_accuracy, best->accuracy);
    return eex__search_save(s);
}

static int work(eex__search *s)
{
    const eex_space *space = &s->run->structures->space;
    double begin = eex_clock_seconds();
    EEX_TRY(eex__run_limits(s->run));
    eex_trials_init(&s->trials, space->genes);
    EEX_TRY(make_controller(s));
    EEX_TRY(eex__search_load(s));
    EEX_TRY(eex__search_remove_stale(s));
    EEX_TRY(eex__judge_open(&s->judge, s->run, s->how));
    EEX_TRY(eex__ahead_begin(&s->ahead, s->run, s->controller, s->trials.count));
    eex_log_info("searching: %s, %d trial%s, 2^%.1f structures",
                 eex_algorithm_name(s->run->e->search.algorithm), s->run->e->search.trials,
                 eex_plural(s->run->e->search.trials), eex_space_size_log2(space));
    eex_progress_begin("search", (uint64_t)s->run->e->search.trials, "trials");
    eex_progress_skip(s->trials.count);
    int code = EEX_OK;
    while (code == EEX_OK && !is_done(s))
        code = step(s);
    eex_progress_end();
    if (s->how->quick)
        s->seconds += eex_clock_seconds() - begin;
    return code == EEX_OK ? finish(s) : code;
}

int eex__run_search(eex_run *run)
{
    eex__search s = {.run = run, .how = eex__judge_of(run), .chosen = SIZE_MAX};
    int code = EEX_OK;
    if (!eex__run_has(run, "search.h5")) {
        eex__front_bests_init(&s.bests);
        code = work(&s);
        eex__ahead_end(&s.ahead);
        eex_controller_free(s.controller);
        eex__judge_close(s.judge);
        eex_trials_free(&s.trials);
        eex_models_free(&s.models);
    }
    return code == EEX_OK ? eex__search_clean(&s) : code;
}
