/* What a worker does: it takes candidates that wait, and judges them as the search itself would. */
#include "core/run/candidates.h"
#include "core/run/judge.h"
#include "core/run/run.h"

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

/* A search that was killed has so many polls without anything to do to be started again. */
enum { POLL_MS = 20, LOOK_POLLS = 50, PATIENCE_POLLS = 3000, MESSAGE = 1024 };

typedef struct worker {
    eex_run run;
    eex_judge *judge;
    struct stat begun; /* run.h5 when it began: another one is of another run */
} worker;

/* ---- one candidate ---- */

/* What has killed so many would kill more. */
static eex_trial deadly(int deaths)
{
    eex_trial trial = {.status = EEX_EIO,
                       .accuracy = NAN,
                       .macs = NAN,
                       .latency = NAN,
                       .agreement = NAN,
                       .rejected = NAN,
                       .least_share = NAN,
                       .violation = NAN,
                       .cut_saved = NAN,
                       .score = NAN};
    snprintf(trial.reason, sizeof trial.reason,
             "%d workers that judged it were killed one after the other", deaths);
    return trial;
}

/* Nobody knows yet whether its weights will be wanted. */
static int judge(worker *w, uint64_t number, int deaths)
{
    int genome[EEX_MAX_GENES];
    eex_trial trial = deadly(deaths);
    EEX_TRY(eex__candidate_genome(genome, &w->run, number));
    if (deaths < EEX__CANDIDATE_DEATHS)
        EEX_TRY(eex__judge_score(&trial, w->judge, genome, number));
    if (trial.status == EEX_OK && w->judge->kind->keep)
        EEX_TRY(w->judge->kind->keep(w->judge, number));
    return eex__candidate_finish(&w->run, number, genome, &trial);
}

/* Where the search has taken the candidate away, or has begun again, nothing is to be said. */
static int say_why(const worker *w, uint64_t number, int code)
{
    char line[MESSAGE], message[MESSAGE];
    eex_text_clip(message, MESSAGE - sizeof "failed", eex_error());
    snprintf(line, sizeof line, "failed %.*s", MESSAGE - 8, message);
    const int said =
        eex__candidate_say(&w->run, number, code == EEX_EINTERRUPTED ? "stopped" : line);
    return said < 0 && code == EEX_EINTERRUPTED ? code : eex_fail(code, "%s", message);
}

/* *taken: whether there was something to do. */
static int try_one(bool *taken, worker *w, uint64_t number)
{
    eex_lock *lock = NULL;
    char *folder = NULL;
    int deaths = 0;
    int code = eex__candidate_take(&lock, &deaths, &w->run, number);
    if (code == EEX_EBUSY || code == EEX_ENOTFOUND)
        return EEX_OK;
    if (code == EEX_OK)
        code = eex__candidate_path(&folder, &w->run, number, "");
    if (code == EEX_OK) {
        *taken = true;
        eex_log_info("candidate %llu", (unsigned long long)number);
        w->run.candidate = folder;
        code = judge(w, number, deaths);
        w->run.candidate = NULL;
    }
    if (code < 0)
        code = say_why(w, number, code);
    free(folder);
    eex_lock_release(lock);
    return code;
}

/* ---- all of them ---- */

static int take_one(bool *taken, worker *w)
{
    uint64_t *number = NULL;
    size_t count = 0;
    *taken = false;
    int code = eex__candidates_list(&number, &count, &w->run);
    for (size_t i = 0; i < count && code == EEX_OK && !*taken; i++)
        code = try_one(taken, w, number[i]);
    free(number);
    return code;
}

static int look_at_run(struct stat *out, const eex_run *run)
{
    char *path = NULL;
    EEX_TRY(eex_path_join(&path, run->options->folder, "run.h5"));
    const bool there = stat(path, out) == 0;
    free(path);
    return there ? EEX_OK : eex_fail(EEX_ENOTFOUND, "%s holds no run", run->options->folder);
}

/* Nothing is left to do once the search is done, or its run is another one. */
static bool is_over(const worker *w)
{
    struct stat now;
    return eex__run_has(&w->run, "search.h5") || look_at_run(&now, &w->run) < 0 ||
           now.st_ino != w->begun.st_ino || now.st_mtim.tv_sec != w->begun.st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != w->begun.st_mtim.tv_nsec;
}

static int work(worker *w)
{
    const struct timespec moment = {.tv_nsec = POLL_MS * 1000000L};
    int alone = 0; /* polls since somebody led the search, or there was something to do */
    while (!is_over(w)) {
        bool taken;
        EEX_TRY(eex__run_poll());
        EEX_TRY(take_one(&taken, w));
        alone = taken ? 0 : alone + 1;
        if (alone % LOOK_POLLS == LOOK_POLLS - 1 && eex__candidates_are_led(&w->run))
            alone = 0;
        if (alone > PATIENCE_POLLS) {
            eex_log_info("nobody leads the search any more, and nothing is left to do");
            return EEX_OK;
        }
        if (!taken)
            nanosleep(&moment, NULL);
    }
    return EEX_OK;
}

/* What candidates start from is there before the first of them is asked for; a worker makes none of
 * it. */
static int check_phases(const eex_run *run)
{
    for (int p = 0; p < EEX_PHASE_SEARCH; p++) {
        const eex_phase_row *phase = eex_phase_at((eex_phase)p);
        if ((!phase->wanted || phase->wanted(run)) && !eex__run_has(run, phase->files[0].name))
            return eex_fail(EEX_EINVAL,
                            "the run in %s has not begun to search: it lacks %s; its workers are "
                            "for candidates alone",
                            run->options->folder, phase->files[0].name);
    }
    return EEX_OK;
}

static int open(worker *w)
{
    eex_run *run = &w->run;
    EEX_TRY(look_at_run(&w->begun, run));
    EEX_TRY(eex__run_begin(run));
    EEX_TRY(check_phases(run));
    EEX_TRY(eex__run_phases(run, EEX_PHASE_SEARCH));
    return eex__judge_open(&w->judge, run, eex__judge_of(run));
}

int eex_experiment_work(const eex_experiment *e, const eex_run_options *options)
{
    worker w = {.run = {.e = e, .options = options, .works = true}};
    EEX_TRY(eex_experiment_check(e));
    if (e->search.workers == 0)
        return eex_fail(EEX_EINVAL, "search.workers: 1 or more where there are workers, got 0");
    int code = open(&w);
    if (code == EEX_OK)
        code = work(&w);
    eex__judge_close(w.judge);
    eex__run_end(&w.run);
    return code;
}
