/* Training the candidates of a ranking, one file each, and writing what came out. */
#include "core/run/run_ranking.h"

#include "base/log.h"
#include "base/progress.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 48, MOST_TRAININGS = 99 };

/* Numbers of trials that no search reaches, so that seeds are nobody else's. */
#define FIRST_NUMBER (UINT64_C(1) << 40)

static const char *file_name(char out[NAME], const char *name, size_t candidate, int repetition)
{
    snprintf(out, NAME, "%s-%05zu.h5", name, candidate * (MOST_TRAININGS + 1) + (size_t)repetition);
    return out;
}

typedef struct training {
    eex_trials trial; /* one */
    int epochs;       /* of its training; loaded: 0 when it is not known */
} training;

static int fill_one(eex_store_file *file, const void *context)
{
    const training *t = context;
    EEX_TRY(eex_store_set_int(file, "", "epochs", t->epochs));
    return eex_trials_save(&t->trial, 0, t->trial.count, file, "trials");
}

static int use_one(eex_store_file *file, void *context)
{
    training *t = context;
    int64_t epochs = 0;
    const int known = eex_store_has_attribute(file, "", "epochs");
    if (known < 0)
        return known;
    if (known)
        EEX_TRY(eex_store_get_int(&epochs, file, "", "epochs"));
    t->epochs = (int)epochs;
    return eex_trials_load(&t->trial, file, "trials");
}

static bool is_of(const training *t, const eex__ranking *r, size_t candidate)
{
    return t->epochs == r->run->e->candidate.epochs && t->trial.count == 1 &&
           eex_space_equal(&r->run->structures->space, eex_trials_genome(&t->trial, 0),
                           eex_trials_genome(&r->picked, candidate));
}

/* One that is there of another candidate, or of other epochs, is left of a ranking with other
 * options. */
static int load_one(bool *loaded, eex__ranking *r, const char *file, size_t candidate)
{
    training one;
    *loaded = false;
    if (!eex__run_has(r->run, file))
        return EEX_OK;
    eex_trials_init(&one.trial, r->trained.genes);
    int code = eex__run_read(r->run, file, use_one, &one);
    if (code == EEX_OK && is_of(&one, r, candidate)) {
        code = eex_trials_add(&r->trained, eex_trials_genome(&one.trial, 0), &one.trial.at[0]);
        *loaded = code == EEX_OK;
    }
    eex_trials_free(&one.trial);
    return code;
}

static int train_one(eex__ranking *r, eex_judge *judge, const char *file, size_t candidate,
                     int repetition)
{
    const int *genome = eex_trials_genome(&r->picked, candidate);
    const uint64_t number = FIRST_NUMBER + candidate * (MOST_TRAININGS + 1) + (uint64_t)repetition;
    training one = {.epochs = r->run->e->candidate.epochs};
    eex_trial result;
    EEX_TRY(eex__run_poll());
    EEX_TRY(eex__judge_score(&result, judge, genome, number));
    eex_trials_init(&one.trial, r->trained.genes);
    int code = eex_trials_add(&one.trial, genome, &result);
    if (code == EEX_OK)
        code = eex__run_write(r->run, file, fill_one, &one);
    eex_trials_free(&one.trial);
    return code == EEX_OK ? eex_trials_add(&r->trained, genome, &result) : code;
}

static int train_candidate(eex__ranking *r, eex_judge *judge, const char *name, size_t candidate)
{
    char file[NAME];
    for (int t = 0; t < eex__ranking_trainings(r, candidate); t++) {
        bool loaded;
        file_name(file, name, candidate, t);
        EEX_TRY(load_one(&loaded, r, file, candidate));
        if (loaded)
            eex_progress_skip(r->trained.count);
        else
            EEX_TRY(train_one(r, judge, file, candidate, t));
        r->of[r->trained.count - 1] = candidate;
        eex_progress_update(r->trained.count, NULL);
    }
    return EEX_OK;
}

static int train_all(eex__ranking *r, const char *name)
{
    size_t trainings = 0;
    eex_judge *judge = NULL;
    for (size_t i = 0; i < r->picked.count; i++)
        trainings += (size_t)eex__ranking_trainings(r, i);
    r->of = calloc(trainings, sizeof *r->of);
    if (!r->of)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu trainings", trainings);
    EEX_TRY(eex__judge_open(&judge, r->run, &eex__judge_train));
    eex_log_info("training %zu candidate%s, %zu times in all, to compare the evaluators",
                 r->picked.count, eex_plural((int64_t)r->picked.count), trainings);
    eex_progress_begin("comparing evaluators", trainings, "trainings");
    int code = EEX_OK;
    for (size_t i = 0; i < r->picked.count && code == EEX_OK; i++)
        code = train_candidate(r, judge, name, i);
    eex_progress_end();
    eex__judge_close(judge);
    return code;
}

typedef struct finding {
    const eex__ranking *r;
    const eex_rank_report *report;
} finding;

static int fill(eex_store_file *file, const void *context)
{
    const finding *f = context;
    return eex__ranking_fill(file, f->r, f->report);
}

/* What the whole file has made superfluous. */
static int clean(const eex__ranking *r, const char *name)
{
    char file[NAME];
    for (size_t i = 0; i < r->picked.count; i++)
        for (int t = 0; t < eex__ranking_trainings(r, i); t++)
            EEX_TRY(eex__run_remove(r->run, file_name(file, name, i, t)));
    return eex__run_remove(r->run, "candidate-checkpoint.h5");
}

static int work(eex_rank_report *out, eex__ranking *r, const char *name)
{
    char file[NAME];
    const finding f = {r, out};
    snprintf(file, sizeof file, "%s.h5", name);
    EEX_TRY(eex__ranking_pick(r));
    if (r->picked.count < (size_t)r->options.candidates)
        eex_log_warn("%d candidates were asked for, %zu were found in the space: so many are "
                     "compared",
                     r->options.candidates, r->picked.count);
    EEX_TRY(train_all(r, name));
    EEX_TRY(eex__ranking_judge(out, r));
    EEX_TRY(eex__run_write(r->run, file, fill, &f));
    return clean(r, name);
}

int eex__run_rank(eex_rank_report *out, eex_run *run, const char *name,
                  const eex_rank_options *options)
{
    eex__ranking r = {.run = run, .options = *options};
    eex_trials_init(&r.picked, run->structures->space.genes);
    eex_trials_init(&r.trained, run->structures->space.genes);
    int code = work(out, &r, name);
    eex_trials_free(&r.picked);
    eex_trials_free(&r.trained);
    free(r.of);
    return code;
}

/* ---- as a phase ---- */

int eex__run_tau(eex_run *run)
{
    const eex_rank_options options = {.candidates = run->e->search.tau, .trainings = 1};
    eex_rank_report report;
    return eex__run_has(run, "tau.h5") ? EEX_OK : eex__run_rank(&report, run, "tau", &options);
}

/* ---- of a finished run ---- */

static int check(const eex_rank_options *o)
{
    if (o->candidates < 2 || o->candidates > EEX_RANKING_MOST)
        return eex_fail(EEX_EINVAL, "candidates: 2 to %d, got %d", EEX_RANKING_MOST, o->candidates);
    if (o->trainings < 1 || o->trainings > MOST_TRAININGS)
        return eex_fail(EEX_EINVAL, "trainings: 1 to %d, got %d", MOST_TRAININGS, o->trainings);
    if (o->epochs < 0)
        return eex_fail(EEX_EINVAL, "epochs: 1 or more, got %d", o->epochs);
    if (o->repeated < 0 || o->repeated > o->candidates)
        return eex_fail(EEX_EINVAL, "repeated: 0 to the number of candidates, %d, got %d",
                        o->candidates, o->repeated);
    return EEX_OK;
}

typedef struct stored {
    eex_rank_options options;
    eex_rank_report *report;
} stored;

static int use_stored(eex_store_file *file, void *context)
{
    stored *s = context;
    int64_t candidates, repeated, trainings, epochs;
    EEX_TRY(eex_store_get_int(&candidates, file, "", "candidates_wanted"));
    EEX_TRY(eex_store_get_int(&repeated, file, "", "repeated_wanted"));
    EEX_TRY(eex_store_get_int(&trainings, file, "", "trainings_wanted"));
    EEX_TRY(eex_store_get_int(&epochs, file, "", "epochs"));
    s->options =
        (eex_rank_options){(int)candidates, (int)repeated, (int)trainings, (int)epochs, false};
    return eex_rank_report_load(s->report, file);
}

/* Whether there is a ranking already that is the one that is wanted. */
static int load_stored(bool *done, eex_rank_report *out, const eex_run *run,
                       const eex_rank_options *o)
{
    stored s = {.report = out};
    *done = false;
    if (o->force || !eex__run_has(run, "rank.h5"))
        return EEX_OK;
    EEX_TRY(eex__run_read(run, "rank.h5", use_stored, &s));
    *done = s.options.candidates == o->candidates && s.options.repeated == o->repeated &&
            s.options.trainings == o->trainings && s.options.epochs == run->e->candidate.epochs;
    return *done ? EEX_OK
                 : eex_fail(EEX_EINVAL,
                            "%s has a ranking of %d candidates, %d of them trained %d times, for "
                            "%d epoch%s: --force replaces it",
                            run->options->folder, s.options.candidates, s.options.repeated,
                            s.options.trainings, s.options.epochs, eex_plural(s.options.epochs));
}

/* Of a run that has begun: it is one of another experiment to anybody who asks later. */
static int use_epochs(eex_experiment *own, eex_run *run, int epochs)
{
    *own = *run->e;
    if (epochs) {
        own->candidate.epochs = epochs;
        own->candidate.schedule.warmup = fmin(own->candidate.schedule.warmup, epochs);
        own->candidate.alone = own->candidate.alone < epochs ? own->candidate.alone : epochs;
    }
    run->e = own;
    int code = eex_experiment_check(own);
    if (code == EEX_OK)
        code = eex_device_calculates(run->device, eex_recipe_precision(&own->candidate));
    return code < 0 ? eex_fail_in(code, "candidate") : EEX_OK;
}

static int rank(eex_rank_report *out, eex_run *run, eex_experiment *own,
                const eex_rank_options *options)
{
    bool done;
    EEX_TRY(eex__run_begin(run));
    if (!eex__run_has(run, "result.h5"))
        return eex_fail(EEX_EINVAL, "%s is not finished: the same \"eex run\" as before goes on",
                        run->options->folder);
    if (!eex__judge_of(run)->shared)
        return eex_fail(EEX_EINVAL,
                        "%s: its search trained each candidate, search.evaluator = \"train\": "
                        "there is no other evaluator to compare with",
                        run->options->folder);
    EEX_TRY(use_epochs(own, run, options->epochs));
    EEX_TRY(load_stored(&done, out, run, options));
    if (done)
        return EEX_OK;
    EEX_TRY(eex__run_add_to_folder(run));
    EEX_TRY(eex__run_phases(run, EEX_PHASE_TAU)); /* all done: what they read is wanted */
    return eex__run_rank(out, run, "rank", options);
}

int eex_experiment_rank(eex_rank_report *out, const eex_experiment *e, const eex_run_options *how,
                        const eex_rank_options *options)
{
    eex_run run = {.e = e, .options = how};
    eex_experiment own; /* borrows from e */
    *out = (eex_rank_report){0};
    EEX_TRY(check(options));
    EEX_TRY(eex_experiment_check(e));
    int code = rank(out, &run, &own, options);
    if (code == EEX_EINTERRUPTED)
        code = eex_fail(code,
                        "interrupted: what was trained so far is kept in %s; the same command "
                        "goes on from there",
                        how->folder);
    eex__run_end(&run);
    return code;
}
