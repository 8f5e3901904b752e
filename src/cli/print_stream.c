#include "cli/print_stream.h"

#include "cli/print.h"
#include "cli/print_remote.h"
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

static void latency_row(eex_table *t, const char *name, const eex_model *model,
                        const eex_stream_tally *y, const char *speedup)
{
    char time[EEX_TEXT_SIZE], macs[EEX_TEXT_SIZE];
    const eex_histogram *h = &y->latency;
    eex_table_row(t);
    eex_table_cell(t, "%s", name);
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
static void put_race(eex_buffer *out, const eex_stream *s, bool disturbed)
{
    if (s->rounds)
        eex_buffer_printf(
            out,
            "speed-up: on %d of the frames in %d rounds of turns, each batch with its lower "
            "quartile%s\n",
            s->raced, s->rounds, disturbed ? ";\nthey disagree: the machine was disturbed" : "");
}

static int put_latency(eex_buffer *out, const eex__stream_facts *f, const eex_stream *s)
{
    char speedup[EEX_SPEEDUP_SIZE];
    eex_table *t;
    EEX_TRY(eex_table_new(&t));
    latency_columns(t, "network");
    latency_row(t, eex_path_base(f->model->path), f->model, &s->model,
                eex_speedup_text(speedup, &s->speedup));
    if (s->full.frames)
        latency_row(t, "to its end", f->model, &s->full, "-");
    if (f->base)
        latency_row(t, eex_path_base(f->base->path), f->base, &s->base, "1.00x");
    EEX_TRY(eex__put_table(out, t));
    put_race(out, s, s->speedup.disturbed);
    return EEX_OK;
}

/* What accuracies are of. */
static void put_whose(eex_buffer *out, const eex__stream_facts *f, const eex_stream *s,
                      const char *name)
{
    if (s->model.labelled == 0)
        return;
    eex_buffer_printf(out, "\n%s: of the relevant frames%s%s%s%s", name,
                      f->split ? ", images of the " : "",
                      f->split ? f->split : " that have a label", f->split ? " split" : "",
                      f->rejects ? "; one that is rejected is not right" : "");
    eex_buffer_printf(out, "%s\n",
                      s->full.frames ? ".\nto its end: the same network with nobody leaving early, "
                                       "every gate run"
                                     : "");
}

static void put_head(eex_buffer *out, const eex__stream_facts *f, const eex_stream *s, double share)
{
    char time[EEX_TEXT_SIZE], rate[EEX_TEXT_SIZE];
    eex__put_name(out, f->source);
    eex_buffer_printf(out, ": %llu frame%s in %s, %s/s", (unsigned long long)s->frames,
                      eex_plural((int64_t)s->frames),
                      s->seconds < 60 ? eex_text_time(time, s->seconds)
                                      : eex_text_duration(time, s->seconds),
                      eex_text_number(rate, (double)s->frames / s->seconds, "frames"));
    if (f->batch > 1)
        eex_buffer_printf(out, ", in batches of up to %d", f->batch);
    if (!isnan(share))
        eex_buffer_printf(out,
                          ", %.0f %% irrelevant (%llu of low entropy, %llu out of distribution)",
                          100 * eex__share(s->low + s->foreign, s->frames),
                          (unsigned long long)s->low, (unsigned long long)s->foreign);
    eex_buffer_printf(out, "\n%llu skipped, %llu dropped\n\n", (unsigned long long)s->skipped,
                      (unsigned long long)s->dropped);
}

/* From arrival to decision, where frames arrive at a rate. */
static void put_delay(eex_buffer *out, const eex__stream_facts *f, const eex_stream *s)
{
    const eex_histogram *h = &s->delay;
    if (!(f->fps > 0) || h->count == 0)
        return;
    eex_buffer_printf(
        out,
        "\nfrom arrival (%g frames a second) to decision: mean %.2f ms, p50 %.2f, p95 %.2f, p99 "
        "%.2f, max %.2f\n",
        f->fps, eex_histogram_mean(h), eex_histogram_quantile(h, 0.5),
        eex_histogram_quantile(h, 0.95), eex_histogram_quantile(h, 0.99), h->largest);
}

/* ---- exits ---- */

static int put_exits(eex_buffer *out, const eex__stream_facts *f, const eex_stream *s)
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
    eex_buffer_putc(out, '\n');
    return eex__put_table(out, t);
}

static void put_rejections(eex_buffer *out, const eex__stream_facts *f, const eex_stream *s)
{
    const eex_stream_tally *y = &s->model;
    if (!f->rejects) {
        eex_buffer_puts(out, "\nThis policy rejects nobody; `eex tune` can make one that does.\n");
        return;
    }
    eex_buffer_printf(out, "\nrejected: %llu (%.2f %%)", (unsigned long long)y->rejected,
                      100 * eex__share(y->rejected, y->frames));
    if (knows_relevance(s)) {
        if (y->rejected)
            eex_buffer_printf(out, ", precision %.2f %%", 100 * eex__stream_precision(s, y));
        eex_buffer_printf(out, ", recall %.2f %%", 100 * eex__stream_recall(s, y));
        if (s->low)
            eex_buffer_printf(out, ", of low entropy %.2f %%",
                              100 * eex__share(y->low_rejected, s->low));
        if (s->foreign)
            eex_buffer_printf(out, ", out of distribution %.2f %%",
                              100 * eex__share(y->foreign_rejected, s->foreign));
    }
    eex_buffer_putc(out, '\n');
}

static void put_drift(eex_buffer *out, const eex__stream_facts *f, const eex_stream *s)
{
    const eex_drift *d = &s->drift;
    if (!s->watched) {
        if (f->unwatched)
            eex_buffer_printf(out, "drift: not looked for (%s)\n", f->unwatched);
        return;
    }
    eex_buffer_printf(
        out,
        "drift: %llu window%s of %d frames compared with %.0f calibration samples, %llu "
        "alarm%s (chance of any false one below %g)",
        (unsigned long long)d->windows, eex_plural((int64_t)d->windows), d->size, d->samples,
        (unsigned long long)d->alarms, eex_plural((int64_t)d->alarms), d->alpha);
    if (d->alarms)
        eex_buffer_printf(out, "; the first at frame %llu: G = %.1f, df = %d, p = %.1e",
                          (unsigned long long)d->first_alarm.number * (unsigned)d->size,
                          d->first_alarm.g, d->first_alarm.df, d->first_alarm.p);
    eex_buffer_printf(out, "%s\n", d->drifting ? "; it goes on" : "");
}

/* ---- over time ---- */

static int put_timeline(eex_buffer *out, const eex__stream_facts *f, const eex_stream *s)
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
    eex_buffer_putc(out, '\n');
    return eex__put_table(out, t);
}

static int put_stream(eex_buffer *out, const eex__stream_facts *f, const eex_stream *s,
                      double share)
{
    put_head(out, f, s, share);
    EEX_TRY(put_latency(out, f, s));
    put_whose(out, f, s, "accuracy");
    put_delay(out, f, s);
    EEX_TRY(put_exits(out, f, s));
    put_rejections(out, f, s);
    put_drift(out, f, s);
    return put_timeline(out, f, s);
}

int eex__stream_print(const eex__stream_facts *f, const eex_stream *s, double share)
{
    eex_buffer out = EEX_BUFFER_INIT;
    const int code = put_stream(&out, f, s, share);
    if (f->offloaded)
        eex__remote_put(&out, f->offloaded, f->server);
    return eex__print_report(&out, code);
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
    if (base) {
        eex_table_column(t, "base right", EEX_ALIGN_RIGHT, 14);
        eex_table_column(t, "to its end", EEX_ALIGN_RIGHT, 13);
    }
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
    if (base) {
        eex_table_percent(t, 2, eex__share(s->base.right, s->base.labelled));
        eex_table_percent(t, 2, eex__share(s->full.right, s->full.labelled));
    }
    eex_table_percent(t, 2, eex__share(y->right, y->labelled));
    if (f->rejects) {
        eex_table_percent(t, 2, eex__share(y->rejected, y->frames));
        eex_table_percent(t, 2, y->rejected ? eex__stream_precision(s, y) : (double)NAN);
        eex_table_percent(t, 2, eex__stream_recall(s, y));
    }
}

static int put_shares(eex_buffer *out, const eex__stream_facts *f, eex_stream *const *streams,
                      const double *share, int count)
{
    bool disturbed = false;
    eex_table *t;
    eex__put_name(out, f->source);
    eex_buffer_printf(out, ": %llu frame%s each, cumulative latency at batch %d\n\n",
                      (unsigned long long)streams[0]->frames,
                      eex_plural((int64_t)streams[0]->frames), f->batch);
    EEX_TRY(eex_table_new(&t));
    shares_columns(t, f->base != NULL, f->rejects);
    for (int i = 0; i < count; i++) {
        shares_row(t, f, streams[i], share[i]);
        disturbed = disturbed || streams[i]->speedup.disturbed;
    }
    EEX_TRY(eex__put_table(out, t));
    put_race(out, streams[0], disturbed);
    put_whose(out, f, streams[0], "right");
    if (!f->rejects)
        eex_buffer_puts(out, "This policy rejects nobody; `eex tune` can make one that does.\n");
    return EEX_OK;
}

int eex__stream_print_table(const eex__stream_facts *f, eex_stream *const *streams,
                            const double *share, int count)
{
    eex_buffer out = EEX_BUFFER_INIT;
    const int code = put_shares(&out, f, streams, share, count);
    if (f->offloaded)
        eex__remote_put(&out, f->offloaded, f->server);
    return eex__print_report(&out, code);
}
