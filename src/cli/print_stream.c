#include "cli/print_stream.h"

#include "cli/print.h"
#include "core/graph/cost.h"

#include "base/fs.h"
#include "base/status.h"
#include "base/table.h"
#include "base/text.h"

#include <stdio.h>
#include <unistd.h>

/* ---- figures ---- */

static bool knows_relevance(const eex_stream *s)
{
    return s->low + s->foreign > 0;
}

double eex__stream_precision(const eex_stream *s, const eex_stream_tally *t)
{
    return knows_relevance(s) ? eex__share(t->low_rejected + t->foreign_rejected, t->rejected)
                              : (double)NAN;
}

double eex__stream_recall(const eex_stream *s, const eex_stream_tally *t)
{
    return eex__share(t->low_rejected + t->foreign_rejected, s->low + s->foreign);
}

double eex__stream_macs(const eex_model *model, const eex_stream_tally *t)
{
    double sum = 0;
    for (int k = 0; k < t->exits; k++)
        sum += (double)t->left[k] * (double)eex_cost_cumulative(model->graph, k, EEX_MACS);
    return sum / (double)t->frames;
}

/* ---- latency ---- */

static void latency_columns(eex_table *t, const char *first)
{
    static const struct {
        const char *title;
        int priority;
    } columns[] = {{"cumulative", 9}, {"mean ms", 8},  {"p50 ms", 5},
                   {"p95 ms", 4},     {"p99 ms", 6},   {"max ms", 3},
                   {"MACs", 2},       {"accuracy", 7}, {"speed-up", 8}};
    eex_table_column(t, first, EEX_ALIGN_LEFT, 10);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        eex_table_column(t, columns[i].title, EEX_ALIGN_RIGHT, columns[i].priority);
}

static void latency_row(eex_table *t, const eex_model *model, const eex_stream_tally *y,
                        const char *speedup)
{
    char time[EEX_TEXT_SIZE], macs[EEX_TEXT_SIZE];
    const eex_histogram *h = &y->latency;
    eex_table_row(t);
    eex_table_cell(t, "%s", eex_path_base(model->path));
    eex_table_cell(t, "%s", eex_text_time(time, y->seconds));
    eex_table_cell(t, "%.3f", 1e3 * y->seconds / (double)y->frames);
    eex_table_cell(t, "%.3f", eex_histogram_quantile(h, 0.5));
    eex_table_cell(t, "%.3f", eex_histogram_quantile(h, 0.95));
    eex_table_cell(t, "%.3f", eex_histogram_quantile(h, 0.99));
    eex_table_cell(t, "%.3f", h->largest);
    eex_table_cell(t, "%s", eex_text_number(macs, eex__stream_macs(model, y), NULL));
    eex_table_percent(t, 2, eex__share(y->right, y->labelled));
    eex_table_cell(t, "%s", speedup);
}

/* The other times are those of the stream as it came, once. */
static void print_race(const eex_stream *s, bool disturbed)
{
    if (s->rounds)
        printf("speed-up: on %d of the frames in %d rounds of turns, each batch with its lower "
               "quartile%s\n",
               s->raced, s->rounds, disturbed ? ";\nthey disagree: the machine was disturbed" : "");
}

static int print_latency(const eex__stream_facts *f, const eex_stream *s)
{
    char speedup[EEX_SPEEDUP_SIZE];
    eex_table *t;
    EEX_TRY(eex_table_new(&t));
    latency_columns(t, "network");
    latency_row(t, f->model, &s->model, eex_speedup_text(speedup, &s->speedup));
    if (f->base)
        latency_row(t, f->base, &s->base, "1.00x");
    EEX_TRY(eex__print_table(t));
    print_race(s, s->speedup.disturbed);
    return EEX_OK;
}

static void print_head(const eex__stream_facts *f, const eex_stream *s, double share)
{
    char time[EEX_TEXT_SIZE], rate[EEX_TEXT_SIZE];
    printf("%s: %llu frames in %s, %s/s", f->source, (unsigned long long)s->frames,
           s->seconds < 60 ? eex_text_time(time, s->seconds) : eex_text_duration(time, s->seconds),
           eex_text_number(rate, (double)s->frames / s->seconds, "frames"));
    if (f->batch > 1)
        printf(", in batches of up to %d", f->batch);
    if (!isnan(share))
        printf(", %.0f %% irrelevant (%llu of low entropy, %llu out of distribution)",
               100 * eex__share(s->low + s->foreign, s->frames), (unsigned long long)s->low,
               (unsigned long long)s->foreign);
    printf("\n%llu skipped, %llu dropped\n\n", (unsigned long long)s->skipped,
           (unsigned long long)s->dropped);
}

/* From arrival to decision, where frames arrive at a rate. */
static void print_delay(const eex__stream_facts *f, const eex_stream *s)
{
    const eex_histogram *h = &s->delay;
    if (!(f->fps > 0) || h->count == 0)
        return;
    printf("\nfrom arrival (%g frames a second) to decision: mean %.2f ms, p50 %.2f, p95 %.2f, p99 "
           "%.2f, max %.2f\n",
           f->fps, eex_histogram_mean(h), eex_histogram_quantile(h, 0.5),
           eex_histogram_quantile(h, 0.95), eex_histogram_quantile(h, 0.99), h->largest);
}

/* ---- exits ---- */

static int print_exits(const eex__stream_facts *f, const eex_stream *s)
{
    eex_table *t;
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "exit", EEX_ALIGN_RIGHT, 9);
    eex_table_column(t, "node", EEX_ALIGN_LEFT, 5);
    eex_table_column(t, "leave", EEX_ALIGN_RIGHT, 8);
    if (f->rejects)
        eex_table_column(t, "rejected", EEX_ALIGN_RIGHT, 7);
    for (int k = 0; k < s->model.exits; k++) {
        eex_table_row(t);
        eex_table_cell(t, "%d", k + 1);
        eex_table_cell(t, "%s", eex__exit_node(f->model->graph, k));
        eex_table_percent(t, 2, eex__share(s->model.left[k], s->model.frames));
        if (f->rejects)
            eex_table_percent(t, 2, eex__share(s->model.rejected_at[k], s->model.frames));
    }
    printf("\n");
    return eex__print_table(t);
}

static void print_rejections(const eex__stream_facts *f, const eex_stream *s)
{
    const eex_stream_tally *y = &s->model;
    if (!f->rejects) {
        printf("\nThis policy rejects nobody; `eex tune` can make one that does.\n");
        return;
    }
    printf("\nrejected: %llu (%.2f %%)", (unsigned long long)y->rejected,
           100 * eex__share(y->rejected, y->frames));
    if (knows_relevance(s)) {
        if (y->rejected)
            printf(", precision %.2f %%", 100 * eex__stream_precision(s, y));
        printf(", recall %.2f %%", 100 * eex__stream_recall(s, y));
        if (s->low)
            printf(", of low entropy %.2f %%", 100 * eex__share(y->low_rejected, s->low));
        if (s->foreign)
            printf(", out of distribution %.2f %%",
                   100 * eex__share(y->foreign_rejected, s->foreign));
    }
    printf("\n");
}

static void print_drift(const eex__stream_facts *f, const eex_stream *s)
{
    const eex_drift *d = &s->drift;
    if (!s->watched) {
        if (f->unwatched)
            printf("drift: not looked for (%s)\n", f->unwatched);
        return;
    }
    printf("drift: %llu windows of %d frames compared with %.0f calibration samples, %llu alarm%s "
           "(chance of any false one below %g)",
           (unsigned long long)d->windows, d->size, d->samples, (unsigned long long)d->alarms,
           d->alarms == 1 ? "" : "s", d->alpha);
    if (d->alarms)
        printf("; the first at frame %llu: G = %.1f, df = %d, p = %.1e",
               (unsigned long long)d->first_alarm.number * (unsigned)d->size, d->first_alarm.g,
               d->first_alarm.df, d->first_alarm.p);
    printf("%s\n", d->drifting ? "; it goes on" : "");
}

/* ---- over time ---- */

static int print_timeline(const eex__stream_facts *f, const eex_stream *s)
{
    uint64_t from = 0;
    char title[32];
    eex_table *t;
    if (s->timeline.rows < 2)
        return EEX_OK;
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "frames to", EEX_ALIGN_RIGHT, 90);
    eex_table_column(t, "mean ms", EEX_ALIGN_RIGHT, 80);
    eex_table_column(t, "max ms", EEX_ALIGN_RIGHT, 20);
    if (f->rejects)
        eex_table_column(t, "rejected", EEX_ALIGN_RIGHT, 70);
    for (int k = 0; k < s->model.exits; k++) {
        snprintf(title, sizeof title, "exit %d", k + 1);
        eex_table_column(t, title, EEX_ALIGN_RIGHT, 60 - k);
    }
    for (int i = 0; i < s->timeline.rows; i++) {
        const eex_timeline_row *r = &s->timeline.row[i];
        eex_table_row(t);
        eex_table_cell(t, "%llu", (unsigned long long)(from += r->frames));
        eex_table_cell(t, "%.3f", r->ms / (double)r->frames);
        eex_table_cell(t, "%.3f", r->slowest);
        if (f->rejects)
            eex_table_cell(t, "%.1f %%", 100 * eex__share(r->rejected, r->frames));
        for (int k = 0; k < s->model.exits; k++)
            eex_table_cell(t, "%.1f %%", 100 * eex__share(r->left[k], r->frames));
    }
    printf("\n");
    return eex__print_table(t);
}

int eex__stream_print(const eex__stream_facts *f, const eex_stream *s, double share)
{
    print_head(f, s, share);
    EEX_TRY(print_latency(f, s));
    print_delay(f, s);
    EEX_TRY(print_exits(f, s));
    print_rejections(f, s);
    print_drift(f, s);
    return print_timeline(f, s);
}

/* ---- Table II ---- */

static void shares_columns(eex_table *t, bool base, bool rejects)
{
    eex_table_column(t, "irrelevant", EEX_ALIGN_RIGHT, 20);
    if (base)
        eex_table_column(t, "base", EEX_ALIGN_RIGHT, 18);
    eex_table_column(t, "early exit", EEX_ALIGN_RIGHT, 18);
    if (base) {
        eex_table_column(t, "speed-up", EEX_ALIGN_RIGHT, 19);
        eex_table_column(t, "by MACs", EEX_ALIGN_RIGHT, 9);
    }
    eex_table_column(t, "p99 ms", EEX_ALIGN_RIGHT, 5);
    if (base)
        eex_table_column(t, "base right", EEX_ALIGN_RIGHT, 14);
    eex_table_column(t, "right", EEX_ALIGN_RIGHT, 15);
    if (rejects) {
        eex_table_column(t, "rejected", EEX_ALIGN_RIGHT, 8);
        eex_table_column(t, "precision", EEX_ALIGN_RIGHT, 10);
        eex_table_column(t, "recall", EEX_ALIGN_RIGHT, 11);
    }
}

static void shares_row(eex_table *t, const eex__stream_facts *f, const eex_stream *s, double share)
{
    const bool base = f->base != NULL;
    const eex_stream_tally *y = &s->model;
    char time[EEX_TEXT_SIZE], speedup[EEX_SPEEDUP_SIZE];
    eex_table_row(t);
    eex_table_cell(t, "%g %%", 100 * share);
    if (base)
        eex_table_cell(t, "%s", eex_text_time(time, s->base.seconds));
    eex_table_cell(t, "%s", eex_text_time(time, y->seconds));
    if (base) {
        eex_table_cell(t, "%s", eex_speedup_text(speedup, &s->speedup));
        eex_table_cell(t, "%.2fx",
                       eex__stream_macs(f->base, &s->base) / eex__stream_macs(f->model, y));
    }
    eex_table_cell(t, "%.3f", eex_histogram_quantile(&y->latency, 0.99));
    if (base)
        eex_table_percent(t, 2, eex__share(s->base.right, s->base.labelled));
    eex_table_percent(t, 2, eex__share(y->right, y->labelled));
    if (f->rejects) {
        eex_table_percent(t, 2, eex__share(y->rejected, y->frames));
        eex_table_percent(t, 2, y->rejected ? eex__stream_precision(s, y) : (double)NAN);
        eex_table_percent(t, 2, eex__stream_recall(s, y));
    }
}

int eex__stream_print_table(const eex__stream_facts *f, eex_stream *const *streams,
                            const double *share, int count)
{
    bool disturbed = false;
    eex_table *t;
    printf("%s: %llu frames each, cumulative latency at batch %d\n\n", f->source,
           (unsigned long long)streams[0]->frames, f->batch);
    EEX_TRY(eex_table_new(&t));
    shares_columns(t, f->base != NULL, f->rejects);
    for (int i = 0; i < count; i++) {
        shares_row(t, f, streams[i], share[i]);
        disturbed = disturbed || streams[i]->speedup.disturbed;
    }
    EEX_TRY(eex__print_table(t));
    print_race(streams[0], disturbed);
    printf("\nright: of the relevant frames%s\n",
           f->rejects ? "; a rejected one is not"
                      : ". This policy rejects nobody; `eex tune` can "
                        "make one that does.");
    return EEX_OK;
}
