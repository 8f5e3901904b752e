#include "core/sweep/collect.h"

#include "core/report/report.h"

#include "base/log.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

EEX_NAMES(eex_figure, eex_figure, EEX_FIGURES, [EEX_FIGURE_ACCURACY] = "test_accuracy",
          [EEX_FIGURE_MACS] = "macs", [EEX_FIGURE_VALIDATION] = "validation_accuracy",
          [EEX_FIGURE_BASE_ACCURACY] = "base_test_accuracy", [EEX_FIGURE_BASE_MACS] = "base_macs",
          [EEX_FIGURE_SPEEDUP] = "speedup", [EEX_FIGURE_CUT] = "cut_saved",
          [EEX_FIGURE_VALIDATION_CUT] = "validation_cut_saved", [EEX_FIGURE_SECONDS] = "seconds");

/* ---- means ---- */

/* Student's t, 97.5 %, for 1 to 30 degrees of freedom; beyond, Cornish and Fisher's expansion is
 * good to four digits. */
static double quantile(size_t freedom)
{
    static const double table[] = {
        12.7062, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.306,   2.26216, 2.22814,
        2.20099, 2.17881, 2.16037, 2.14479, 2.13145, 2.11991, 2.10982, 2.10092, 2.09302, 2.08596,
        2.07961, 2.07387, 2.06866, 2.0639,  2.05954, 2.05553, 2.05183, 2.04841, 2.04523, 2.04227};
    const double z = 1.959964, n = (double)freedom;
    if (freedom <= sizeof table / sizeof *table)
        return table[freedom - 1];
    return z + (z * z * z + z) / (4 * n) + (5 * pow(z, 5) + 16 * z * z * z + 3 * z) / (96 * n * n);
}

eex_mean eex_mean_of(const double *value, size_t count)
{
    eex_mean m = {.mean = 0, .deviation = NAN, .low = NAN, .high = NAN};
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(value[i])) {
            m.mean += value[i];
            m.count++;
        }
    m.mean = m.count ? m.mean / (double)m.count : NAN;
    for (size_t i = 0; i < count; i++)
        if (!isnan(value[i]))
            squares += (value[i] - m.mean) * (value[i] - m.mean);
    if (m.count > 1) {
        const double n = (double)m.count;
        const double half = quantile(m.count - 1) * sqrt(squares / (n - 1) / n);
        m.deviation = sqrt(squares / (n - 1));
        m.low = m.mean - half;
        m.high = m.mean + half;
    }
    return m;
}

/* ---- runs ---- */

void eex_figures_of(double figure[EEX_FIGURES], const eex_report *r)
{
    figure[EEX_FIGURE_ACCURACY] = r->best.accuracy;
    figure[EEX_FIGURE_MACS] = r->best.ada_macs_cumulative;
    figure[EEX_FIGURE_VALIDATION] = r->best.validation_accuracy;
    figure[EEX_FIGURE_BASE_ACCURACY] = r->base.accuracy;
    figure[EEX_FIGURE_BASE_MACS] = r->base.macs;
    figure[EEX_FIGURE_SPEEDUP] = r->best.speedup.ratio;
    figure[EEX_FIGURE_CUT] = r->best.cut_saved;
    figure[EEX_FIGURE_VALIDATION_CUT] = r->best.validation_cut_saved;
    figure[EEX_FIGURE_SECONDS] = r->seconds;
}

static int keep(eex_collection *c, size_t number, const eex_report *report)
{
    eex_collected_data *data = &c->data[number];
    eex_figures_of(c->figure + number * EEX_FIGURES, report);
    memcpy(data->fingerprint, report->made_of.fingerprint, EEX_FINGERPRINT);
    data->name = strdup(report->dataset);
    return data->name ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for a collection");
}

static int read_run(eex_collection *c, const char *folder, size_t number)
{
    eex_task *task = &c->task[number];
    char *run = NULL;
    eex_report *report = NULL;
    EEX_TRY(eex_sweep_path(&run, folder, "runs", number, ""));
    int code = eex_report_load(&report, run);
    free(run);
    if (code == EEX_ENOMEM || code == EEX_EINTERRUPTED)
        return code;
    if (code != EEX_OK) {
        eex_log_warn("task %zu: %s", number, eex_error());
        task->state = EEX_TASK_FAILED;
        snprintf(task->message, sizeof task->message, "%.*s", (int)sizeof task->message - 1,
                 eex_error());
        return EEX_OK;
    }
    code = keep(c, number, report);
    eex_report_free(report);
    return code;
}

static int read_runs(eex_collection *c, const char *folder)
{
    const size_t tasks = eex_sweep_tasks(c->sweep);
    for (size_t i = 0; i < tasks * EEX_FIGURES; i++)
        c->figure[i] = NAN;
    for (size_t t = 0; t < tasks; t++)
        if (c->task[t].state == EEX_TASK_DONE)
            EEX_TRY(read_run(c, folder, t));
    return EEX_OK;
}

/* ---- what they are on ---- */

static bool differs(const eex_collected_data *a, const eex_collected_data *b)
{
    return *a->fingerprint && *b->fingerprint && strcmp(a->fingerprint, b->fingerprint) != 0;
}

bool eex_collection_mixed(const eex_collection *c, size_t point)
{
    const eex_collected_data *of = c->data + point * c->sweep->seeds;
    for (size_t i = 0; i < c->sweep->seeds; i++)
        for (size_t k = 0; k < i; k++)
            if (differs(&of[k], &of[i]))
                return true;
    return false;
}

/* The last one before each that has its name and knows its content is enough to look at. */
bool eex_collection_changed(const eex_collection *c)
{
    for (size_t t = 0; t < eex_sweep_tasks(c->sweep); t++) {
        size_t k = t;
        if (!*c->data[t].fingerprint)
            continue;
        while (k-- > 0)
            if (*c->data[k].fingerprint && strcmp(c->data[k].name, c->data[t].name) == 0)
                break;
        if (k < t && differs(&c->data[k], &c->data[t]))
            return true;
    }
    return false;
}

/* ---- all of it ---- */

static int take_means(eex_collection *c)
{
    const eex_sweep *s = c->sweep;
    double *row = malloc(s->seeds * sizeof *row);
    if (!row)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu seeds", s->seeds);
    for (size_t p = 0; p < s->points; p++) {
        const bool mixed = eex_collection_mixed(c, p);
        for (int f = 0; f < EEX_FIGURES; f++) {
            eex_mean *mean = &c->mean[p * EEX_FIGURES + (size_t)f];
            for (size_t i = 0; i < s->seeds; i++)
                row[i] = c->figure[(p * s->seeds + i) * EEX_FIGURES + (size_t)f];
            *mean = eex_mean_of(row, s->seeds);
            if (mixed)
                mean->mean = mean->low = mean->high = mean->deviation = NAN;
        }
    }
    free(row);
    return EEX_OK;
}

int eex_collect(eex_collection *out, const eex_sweep *s, const char *folder)
{
    const size_t tasks = eex_sweep_tasks(s);
    *out = (eex_collection){.sweep = s};
    out->figure = malloc(tasks * EEX_FIGURES * sizeof *out->figure);
    out->mean = malloc(s->points * EEX_FIGURES * sizeof *out->mean);
    out->data = calloc(tasks, sizeof *out->data);
    int code = out->figure && out->mean && out->data
                   ? eex_tasks_look(&out->task, s, folder)
                   : eex_fail(EEX_ENOMEM, "out of memory for %zu tasks", tasks);
    if (code == EEX_OK)
        code = read_runs(out, folder);
    if (code == EEX_OK)
        code = take_means(out);
    if (code != EEX_OK)
        eex_collection_free(out);
    return code;
}

void eex_collection_free(eex_collection *c)
{
    for (size_t t = 0; c->data && t < eex_sweep_tasks(c->sweep); t++)
        free(c->data[t].name);
    free(c->task);
    free(c->data);
    free(c->figure);
    free(c->mean);
    *c = (eex_collection){0};
}
