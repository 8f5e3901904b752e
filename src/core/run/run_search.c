/* The search: ask, evaluate, store, tell; then the choice from the Pareto front. */
#include "core/run/ahead.h"
#include "core/run/candidates.h"
#include "core/run/front_pick.h"
#include "core/run/judge.h"
#include "core/run/limits.h"
#include "core/run/models.h"
#include "core/run/run.h"
#include "search/controller.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 48 };

typedef struct search {
    eex_run *run;
    const eex_judge_kind *how;
    eex_judge *judge;
    eex_controller *controller;
    eex__ahead ahead;
    eex_trials trials;
    size_t stored; /* trials in files */
    size_t chosen; /* the best so far by what is wanted; SIZE_MAX: none */
    eex__front_bests bests;
    eex_models models;
    size_t models_stored; /* batches in files */
    int heard;            /* what came of hearing about the models */
    double seconds;       /* of what was loaded and what was done now */
} search;

static const char *trials_name(char name[NAME], size_t first)
{
    snprintf(name, NAME, "trials-%07zu.h5", first);
    return name;
}

/* ---- the choice ---- */

static double cost_of(const eex_run *run, const eex_trial *t)
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
    double cost = cost_of(run, t), other_cost = cost_of(run, than);
    if (good)
        return cost < other_cost || (cost == other_cost && t->accuracy > than->accuracy);
    return t->accuracy > than->accuracy || (t->accuracy == than->accuracy && cost < other_cost);
}

/* Considers the newest trial. */
static int consider(search *s, size_t trial)
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
static int find_wanted(bool **out, const search *s)
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
static int remove_stale(const search *s)
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
static int keep(bool *kept, const search *s, bool elsewhere)
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

/* ---- trials in files ---- */

static int fill_trials(eex_store_file *file, const void *context)
{
    const search *s = context;
    EEX_TRY(eex_models_save(&s->models, s->models_stored, file, "models"));
    return eex_trials_save(&s->trials, s->stored, s->trials.count - s->stored, file, "trials");
}

static int store(search *s)
{
    char name[NAME];
    EEX_TRY(eex__run_write(s->run, trials_name(name, s->stored), fill_trials, s));
    s->stored = s->trials.count;
    s->models_stored = s->models.count;
    return EEX_OK;
}

static int use_trials(eex_store_file *file, void *context)
{
    search *s = context;
    EEX_TRY(eex_models_load(&s->models, file, "models"));
    return eex_trials_load(&s->trials, file, "trials");
}

/* Of a trial that was just made as of one that was stored: the controller hears the same. */
static int tell(search *s, size_t trial)
{
    const eex_trial *t = &s->trials.at[trial];
    const eex_score score = {.fitness = t->score,
                             .objectives = {1 - t->accuracy, cost_of(s->run, t)},
                             .objective_count = 2,
                             .violation = t->violation,
                             .failed = t->status != EEX_OK};
    s->seconds += t->seconds;
    return eex_controller_tell(s->controller, eex_trials_genome(&s->trials, trial), &score);
}

static int load_stored(search *s)
{
    char name[NAME];
    while (eex__run_has(s->run, trials_name(name, s->stored))) {
        EEX_TRY(eex__run_read(s->run, name, use_trials, s));
        for (size_t i = s->stored; i < s->trials.count; i++) {
            EEX_TRY(tell(s, i));
            EEX_TRY(consider(s, i));
        }
        if (s->stored == s->trials.count)
            return eex_fail(EEX_EFORMAT, "%s: %s has no trials", s->run->options->folder, name);
        s->stored = s->trials.count;
        s->models_stored = s->models.count;
    }
    return EEX_OK;
}

/* ---- evaluation ---- */

/* Weights are kept of what may still be wanted alone, and are there before the trial is. */
static int judge(search *s, const int *genome)
{
    eex_trial trial;
    const size_t number = s->trials.count;
    bool kept, elsewhere;
    EEX_TRY(eex__ahead_trial(&trial, &elsewhere, &s->ahead, number, genome));
    if (!elsewhere)
        EEX_TRY(eex__judge_score(&trial, s->judge, genome, number));
    EEX_TRY(eex_trials_add(&s->trials, genome, &trial));
    EEX_TRY(consider(s, number));
    EEX_TRY(keep(&kept, s, elsewhere));
    if (s->trials.count - s->stored == s->how->file_trials)
        EEX_TRY(store(s));
    EEX_TRY(eex__ahead_told(&s->ahead, number));
    return kept ? remove_stale(s) : EEX_OK;
}

static void show(const search *s)
{
    if (s->chosen == SIZE_MAX) {
        eex_progress_update(s->trials.count, NULL);
        return;
    }
    const eex_trial *best = &s->trials.at[s->chosen];
    eex_progress_update(s->trials.count, "best %.2f %% validation, at %.0f %% of the base's MACs",
                        100 * best->accuracy, 100 * best->macs / s->run->structures->base_macs);
}

static bool is_full(const search *s)
{
    return eex_controller_pending(s->controller) >= s->ahead.most;
}

/* As many as may be open. */
static int ask(search *s)
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

static bool is_done(const search *s)
{
    return eex_controller_pending(s->controller) == 0 && eex_controller_done(s->controller);
}

static int step(search *s)
{
    int genome[EEX_MAX_GENES];
    EEX_TRY(eex__run_poll());
    EEX_TRY(ask(s));
    memcpy(genome, eex_controller_pending_genome(s->controller, 0),
           (size_t)s->trials.genes * sizeof *genome);
    EEX_TRY(judge(s, genome));
    EEX_TRY(tell(s, s->trials.count - 1));
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
    search *s = context;
    char accuracy[16], cost[16], null[16];
    s->heard = eex_models_add(&s->models, r);
    eex_log_info("after %zu trials: accuracy by %s (tau %s), cost by %s (tau %s), accuracy by "
                 "cost alone tau %s; hypervolume %.6g",
                 r->trials, r->surrogate[0], tau_text(accuracy, r->tau[0]), r->surrogate[1],
                 tau_text(cost, r->tau[1]), tau_text(null, r->null_tau), r->hypervolume);
}

static int make_controller(search *s)
{
    const eex_experiment *e = s->run->e;
    const eex_space *space = &s->run->structures->space;
    const eex_controller_options options = {.seed = eex__run_seed(s->run, EEX_STREAM_SEARCH, 0),
                                            .trials = (size_t)e->search.trials,
                                            .population = e->search.population,
                                            .sample = e->search.sample,
                                            .initial = (size_t)e->search.initial,
                                            .batch = (size_t)e->search.batch,
                                            .report = hear_of_models,
                                            .report_context = s};
    return eex_controller_new(&s->controller, e->search.algorithm, space, &options);
}

/* ---- search.h5 ---- */

static int save_front(const search *s, eex_store_file *file)
{
    size_t *front = NULL, count = 0;
    EEX_TRY(
        eex_trials_front(&front, &count, &s->trials, s->run->e->search.cost == EEX_COST_LATENCY));
    const eex_store_shape shape = {1, {count}};
    uint64_t *rows = malloc((count + 1) * sizeof *rows);
    for (size_t i = 0; rows && i < count; i++)
        rows[i] = front[i];
    int code = rows ? eex_store_write(file, "front", EEX_STORE_U64, &shape, rows)
                    : eex_fail(EEX_ENOMEM, "out of memory for a Pareto front");
    free(rows);
    free(front);
    return code == EEX_OK ? eex_store_set_string(file, "front", "meaning",
                                                 "Pareto-optimal trials, cheapest first")
                          : code;
}

/* And the hypervolume that the search has come to. */
static int save_models(const search *s, eex_store_file *file)
{
    double hypervolume;
    if (s->models.count == 0)
        return EEX_OK;
    EEX_TRY(eex_models_hypervolume(&hypervolume, &s->models, &s->trials,
                                   s->run->e->search.cost == EEX_COST_LATENCY));
    EEX_TRY(eex_models_save(&s->models, 0, file, "models"));
    return eex_store_set_double(file, "models", "hypervolume", hypervolume);
}

/* How many structures there are, where that can be counted. */
static int save_structures(const search *s, eex_store_file *file)
{
    uint64_t count = 0;
    return eex_space_candidates(&count, &s->run->structures->space)
               ? eex_store_set_int(file, "", "structures", (int64_t)count)
               : EEX_OK;
}

static int fill_search(eex_store_file *file, const void *context)
{
    const search *s = context;
    EEX_TRY(eex_trials_save(&s->trials, 0, s->trials.count, file, "trials"));
    EEX_TRY(eex_structures_describe(file, s->run->structures));
    EEX_TRY(save_front(s, file));
    EEX_TRY(save_models(s, file));
    EEX_TRY(save_structures(s, file));
    EEX_TRY(eex_store_set_int(file, "", "chosen", (int64_t)s->chosen));
    return eex_store_set_double(file, "", "seconds", s->seconds);
}

/* ---- all of it ---- */

static int nothing_to_choose(const search *s)
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
static int finish(search *s)
{
    if (s->chosen == SIZE_MAX) {
        if (s->trials.count > s->stored)
            EEX_TRY(store(s));
        return nothing_to_choose(s);
    }
    const eex_trial *best = &s->trials.at[s->chosen];
    if (best->accuracy < s->run->e->search.min_accuracy)
        eex_log_warn("no candidate reaches search.min_accuracy = %g: taking the most "
                     "accurate on the validation split, %g",
                     s->run->e->search.min_accuracy, best->accuracy);
    return eex__run_write(s->run, "search.h5", fill_search, s);
}

static int work(search *s)
{
    const eex_space *space = &s->run->structures->space;
    double begin = eex_clock_seconds();
    EEX_TRY(eex__run_limits(s->run));
    eex_trials_init(&s->trials, space->genes);
    EEX_TRY(make_controller(s));
    EEX_TRY(load_stored(s));
    EEX_TRY(remove_stale(s));
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

/* What search.h5 has made superfluous. */
static int clean(const search *s)
{
    char name[NAME];
    for (size_t first = 0; first < (size_t)s->run->e->search.trials; first += s->how->file_trials)
        EEX_TRY(eex__run_remove(s->run, trials_name(name, first)));
    EEX_TRY(eex__candidates_clear(s->run));
    return eex__run_remove(s->run, "candidate-checkpoint.h5");
}

int eex__run_search(eex_run *run)
{
    search s = {.run = run, .how = eex__judge_of(run), .chosen = SIZE_MAX};
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
    return code == EEX_OK ? clean(&s) : code;
}
