/* How far the shared evaluator can be trusted: some of its candidates are trained for themselves
 * and both orders are compared (Kendall's tau). */
#include "core/run/judge.h"
#include "core/run/run.h"
#include "search/rank.h"

#include "base/log.h"
#include "base/progress.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 32 };

typedef struct ranked {
    size_t trial;
    double score;
} ranked;

static int compare(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return (x->trial > y->trial) - (x->trial < y->trial);
}

/* Trials at evenly spaced ranks of the score, the worst and the best among them. */
static int pick(size_t *trial, size_t *count, const eex_trials *trials)
{
    ranked *order = malloc((trials->count + 1) * sizeof *order);
    size_t valid = 0, wanted = *count;
    if (!order)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu trials", trials->count);
    for (size_t i = 0; i < trials->count; i++)
        if (trials->at[i].status == EEX_OK && !isnan(trials->at[i].score))
            order[valid++] = (ranked){i, trials->at[i].score};
    qsort(order, valid, sizeof *order, compare);
    *count = wanted < valid ? wanted : valid;
    for (size_t i = 0; i < *count; i++)
        trial[i] = order[*count > 1 ? i * (valid - 1) / (*count - 1) : 0].trial;
    free(order);
    return EEX_OK;
}

static const char *tau_name(char name[NAME], size_t i)
{
    snprintf(name, NAME, "tau-%03zu.h5", i);
    return name;
}

static int fill_one(eex_store_file *file, const void *context)
{
    const eex_trials *one = context;
    return eex_trials_save(one, 0, one->count, file, "trials");
}

static int use(eex_store_file *file, void *context)
{
    return eex_trials_load(context, file, "trials");
}

/* Trains the i-th picked candidate unless that is done already; appends what came out. */
static int train_one(eex_trials *trained, eex_judge *judge, const int *genome, size_t trial,
                     size_t i)
{
    char name[NAME];
    if (eex__run_has(judge->run, tau_name(name, i)))
        return eex__run_read(judge->run, name, use, trained);
    eex_trial result;
    EEX_TRY(eex__run_poll());
    EEX_TRY(eex__judge_score(&result, judge, genome, trial));
    eex_trials one;
    eex_trials_init(&one, trained->genes);
    int code = eex_trials_add(&one, genome, &result);
    if (code == EEX_OK)
        code = eex__run_write(judge->run, name, fill_one, &one);
    eex_trials_free(&one);
    return code == EEX_OK ? eex_trials_add(trained, genome, &result) : code;
}

/* Over the candidates that could be trained. */
static int correlate(double *tau, const eex_trials *shared, const eex_trials *trained,
                     const size_t *of)
{
    double *x = malloc((trained->count + 1) * sizeof *x),
           *y = malloc((trained->count + 1) * sizeof *y);
    size_t n = 0;
    for (size_t i = 0; x && y && i < trained->count; i++)
        if (trained->at[i].status == EEX_OK) {
            x[n] = shared->at[of[i]].score;
            y[n++] = trained->at[i].score;
        }
    int code = x && y ? eex_rank_kendall(tau, x, y, n) : eex_fail(EEX_ENOMEM, "out of memory");
    free(x);
    free(y);
    return code;
}

typedef struct comparison {
    const eex_trials *trained;
    const uint64_t *of; /* (trained) */
    double tau, seconds;
} comparison;

static int fill(eex_store_file *file, const void *context)
{
    const comparison *c = context;
    const eex_store_shape shape = {1, {c->trained->count}};
    EEX_TRY(eex_trials_save(c->trained, 0, c->trained->count, file, "trials"));
    EEX_TRY(eex_store_write(file, "of", EEX_STORE_U64, &shape, c->of));
    EEX_TRY(eex_store_set_string(file, "of", "meaning", "the same candidates in search.h5"));
    EEX_TRY(eex_store_set_double(file, "", "tau", c->tau));
    return eex_store_set_double(file, "", "seconds", c->seconds);
}

static int save(const eex_run *run, const eex_trials *trained, const size_t *of, double tau)
{
    uint64_t *rows = malloc((trained->count + 1) * sizeof *rows);
    comparison c = {trained, rows, tau, 0};
    for (size_t i = 0; rows && i < trained->count; i++) {
        rows[i] = of[i];
        c.seconds += trained->at[i].seconds;
    }
    int code = rows ? eex__run_write(run, "tau.h5", fill, &c)
                    : eex_fail(EEX_ENOMEM, "out of memory for %zu trials", trained->count);
    free(rows);
    return code;
}

static int train_all(eex_trials *trained, eex_run *run, const eex_trials *shared, const size_t *of,
                     size_t count)
{
    eex_judge *judge = NULL;
    EEX_TRY(eex__judge_open(&judge, run, &eex__judge_train));
    eex_log_info("training %zu candidate%s to compare the evaluators", count,
                 eex_plural((int64_t)count));
    eex_progress_begin("comparing evaluators", count, "candidates");
    int code = EEX_OK;
    for (size_t i = 0; i < count && code == EEX_OK; i++) {
        code = train_one(trained, judge, eex_trials_genome(shared, of[i]), of[i], i);
        eex_progress_update(i + 1, NULL);
    }
    eex_progress_end();
    eex__judge_close(judge);
    return code;
}

static int compare_evaluators(eex_run *run, const eex_trials *shared, eex_trials *trained,
                              size_t *of)
{
    size_t count = (size_t)run->e->search.tau;
    double tau = NAN;
    EEX_TRY(pick(of, &count, shared));
    EEX_TRY(train_all(trained, run, shared, of, count));
    EEX_TRY(correlate(&tau, shared, trained, of));
    return save(run, trained, of, tau);
}

static int clean(const eex_run *run)
{
    char name[NAME];
    for (size_t i = 0; i < (size_t)run->e->search.tau; i++)
        EEX_TRY(eex__run_remove(run, tau_name(name, i)));
    return eex__run_remove(run, "candidate-checkpoint.h5");
}

int eex__run_tau(eex_run *run)
{
    if (eex__run_has(run, "tau.h5"))
        return clean(run);
    eex_trials shared, trained;
    size_t *of = malloc((size_t)run->e->search.tau * sizeof *of);
    eex_trials_init(&shared, run->structures->space.genes);
    eex_trials_init(&trained, run->structures->space.genes);
    int code =
        of ? eex__run_read(run, "search.h5", use, &shared) : eex_fail(EEX_ENOMEM, "out of memory");
    if (code == EEX_OK)
        code = compare_evaluators(run, &shared, &trained, of);
    eex_trials_free(&shared);
    eex_trials_free(&trained);
    free(of);
    return code == EEX_OK ? clean(run) : code;
}
