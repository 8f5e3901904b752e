/* What a ranking has found, from its trainings, and in its file. */
#include "core/run/run_ranking.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- from the trainings ---- */

typedef struct rows {
    double *guess, *cost, *truth;
    size_t *trainings;
    size_t *candidate; /* of each row: those whose trainings all failed are left out */
    size_t count;
} rows;

static void rows_free(rows *r)
{
    free(r->guess);
    free(r->cost);
    free(r->truth);
    free(r->trainings);
    free(r->candidate);
}

static int rows_new(rows *r, size_t candidates, size_t trained)
{
    *r = (rows){.guess = calloc(candidates + 1, sizeof *r->guess),
                .cost = calloc(candidates + 1, sizeof *r->cost),
                .truth = calloc(trained + 1, sizeof *r->truth),
                .trainings = calloc(candidates + 1, sizeof *r->trainings),
                .candidate = calloc(candidates + 1, sizeof *r->candidate)};
    if (r->guess && r->cost && r->truth && r->trainings && r->candidate)
        return EEX_OK;
    rows_free(r);
    return eex_fail(EEX_ENOMEM, "out of memory for %zu candidates", candidates);
}

static double figure(const eex_trial *t, bool accuracy)
{
    return accuracy ? t->accuracy : t->score;
}

static bool worked(const eex_trial *t)
{
    return t->status == EEX_OK && isfinite(t->accuracy) && isfinite(t->score);
}

/* A candidate may have failed in some trainings: the others count. */
static void fill_rows(rows *to, const eex__ranking *r, bool accuracy)
{
    size_t done = 0, last = SIZE_MAX;
    for (size_t i = 0; i < r->trained.count; i++) {
        if (!worked(&r->trained.at[i]))
            continue;
        if (r->of[i] != last) {
            const eex_trial *t = &r->picked.at[r->of[i]];
            to->candidate[to->count] = r->of[i];
            to->guess[to->count] = figure(t, accuracy);
            to->cost[to->count++] = t->macs;
            last = r->of[i];
        }
        to->trainings[to->count - 1]++;
        to->truth[done++] = figure(&r->trained.at[i], accuracy);
    }
}

static int rank(eex_ranking *out, const eex__ranking *r, bool accuracy)
{
    rows all;
    EEX_TRY(rows_new(&all, r->picked.count, r->trained.count));
    fill_rows(&all, r, accuracy);
    int code = EEX_OK;
    if (all.count < 2)
        code = eex_fail(EEX_EDIVERGED,
                        "ranking: of %zu candidates %zu could be trained: there is "
                        "no order to compare",
                        r->picked.count, all.count);
    const eex_ranking_data data = {all.count, all.guess, all.cost, all.truth, all.trainings};
    if (code == EEX_OK)
        code = eex_ranking_of(out, &data, eex__run_seed(r->run, EEX_STREAM_RANKING, 1));
    if (code == EEX_OK) {
        out->best = all.candidate[out->best];
        out->chosen = all.candidate[out->chosen];
    }
    rows_free(&all);
    return code;
}

int eex__ranking_judge(eex_rank_report *out, const eex__ranking *r)
{
    *out = (eex_rank_report){.trained = r->trained.count};
    for (size_t i = 0; i < r->trained.count; i++) {
        out->failed += !worked(&r->trained.at[i]);
        out->seconds += r->trained.at[i].seconds;
    }
    EEX_TRY(rank(&out->score, r, false));
    return rank(&out->accuracy, r, true);
}

/* ---- in its file ---- */

enum { NAME = 48 };

static const struct {
    const char *name;
    size_t offset;
} numbers[] =
    {
        {"tau", offsetof(eex_ranking, judge.tau)},
        {"tau_low", offsetof(eex_ranking, judge.low)},
        {"tau_high", offsetof(eex_ranking, judge.high)},
        {"macs_tau", offsetof(eex_ranking, null.tau)},
        {"macs_tau_low", offsetof(eex_ranking, null.low)},
        {"macs_tau_high", offsetof(eex_ranking, null.high)},
        {"tau_clear", offsetof(eex_ranking, clear)},
        {"ceiling", offsetof(eex_ranking, ceiling)},
        {"noise", offsetof(eex_ranking, noise)},
        {"spread", offsetof(eex_ranking, spread)},
        {"regret", offsetof(eex_ranking, regret)},
},
  counts[] = {
      {"candidates", offsetof(eex_ranking, count)},
      {"repeated", offsetof(eex_ranking, repeated)},
      {"pairs", offsetof(eex_ranking, pairs)},
      {"clear_pairs", offsetof(eex_ranking, clear_pairs)},
      {"best", offsetof(eex_ranking, best)},
      {"chosen", offsetof(eex_ranking, chosen)},
};

enum { NUMBERS = sizeof numbers / sizeof *numbers, COUNTS = sizeof counts / sizeof *counts };

static const char *named(char out[NAME], const char *by, const char *what)
{
    snprintf(out, NAME, "%s_%s", by, what);
    return out;
}

static int fill_ranking(eex_store_file *file, const char *by, const eex_ranking *r)
{
    char name[NAME];
    const char *base = (const char *)r;
    for (size_t i = 0; i < NUMBERS; i++)
        EEX_TRY(eex_store_set_double(file, "", named(name, by, numbers[i].name),
                                     *(const double *)(const void *)(base + numbers[i].offset)));
    for (size_t i = 0; i < COUNTS; i++)
        EEX_TRY(
            eex_store_set_int(file, "", named(name, by, counts[i].name),
                              (int64_t) * (const size_t *)(const void *)(base + counts[i].offset)));
    return EEX_OK;
}

static int load_ranking(eex_ranking *r, eex_store_file *file, const char *by)
{
    char name[NAME], *base = (char *)r;
    for (size_t i = 0; i < NUMBERS; i++)
        EEX_TRY(eex_store_get_double((double *)(void *)(base + numbers[i].offset), file, "",
                                     named(name, by, numbers[i].name)));
    for (size_t i = 0; i < COUNTS; i++) {
        int64_t value = 0;
        EEX_TRY(eex_store_get_int(&value, file, "", named(name, by, counts[i].name)));
        if (value < 0)
            return eex_store_refuse(file, "%s is %lld", name, (long long)value);
        *(size_t *)(void *)(base + counts[i].offset) = (size_t)value;
    }
    return EEX_OK;
}

static int fill_of(eex_store_file *file, const eex__ranking *r)
{
    const eex_store_shape shape = {1, {r->trained.count}};
    uint64_t *of = malloc((r->trained.count + 1) * sizeof *of);
    for (size_t i = 0; of && i < r->trained.count; i++)
        of[i] = r->of[i];
    int code = of ? eex_store_write(file, "of", EEX_STORE_U64, &shape, of)
                  : eex_fail(EEX_ENOMEM, "out of memory for %zu trainings", r->trained.count);
    free(of);
    return code == EEX_OK ? eex_store_set_string(file, "of", "meaning",
                                                 "the candidate that each training is of")
                          : code;
}

int eex__ranking_fill(eex_store_file *file, const eex__ranking *r, const eex_rank_report *report)
{
    EEX_TRY(eex_trials_save(&r->picked, 0, r->picked.count, file, "candidates"));
    EEX_TRY(eex_trials_save(&r->trained, 0, r->trained.count, file, "trials"));
    EEX_TRY(fill_of(file, r));
    EEX_TRY(fill_ranking(file, "score", &report->score));
    EEX_TRY(fill_ranking(file, "accuracy", &report->accuracy));
    EEX_TRY(eex_store_set_int(file, "", "candidates_wanted", r->options.candidates));
    EEX_TRY(eex_store_set_int(file, "", "repeated_wanted", r->options.repeated));
    EEX_TRY(eex_store_set_int(file, "", "trainings_wanted", r->options.trainings));
    EEX_TRY(eex_store_set_int(file, "", "epochs", r->run->e->candidate.epochs));
    EEX_TRY(eex_store_set_int(file, "", "trained", (int64_t)report->trained));
    EEX_TRY(eex_store_set_int(file, "", "failed", (int64_t)report->failed));
    EEX_TRY(eex_store_set_double(file, "", "tau", report->score.judge.tau));
    return eex_store_set_double(file, "", "seconds", report->seconds);
}

int eex_rank_report_load(eex_rank_report *out, eex_store_file *file)
{
    int64_t trained = 0, failed = 0;
    EEX_TRY(load_ranking(&out->score, file, "score"));
    EEX_TRY(load_ranking(&out->accuracy, file, "accuracy"));
    EEX_TRY(eex_store_get_int(&trained, file, "", "trained"));
    EEX_TRY(eex_store_get_int(&failed, file, "", "failed"));
    out->trained = (size_t)trained;
    out->failed = (size_t)failed;
    return eex_store_get_double(&out->seconds, file, "", "seconds");
}
