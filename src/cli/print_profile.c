#include "cli/print_profile.h"

#include "cli/print.h"

#include "base/status.h"
#include "base/table.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BAR = 24, SLOWEST = 10 };

/* ---- by exit ---- */

static void bar(eex_table *t, double value, double most)
{
    static const char full[] = "########################";
    int length = most > 0 ? (int)lround(BAR * value / most) : 0;
    eex_table_cell(t, "%.*s", length, full);
}

static int exits(eex_buffer *out, const eex_profile *p, const eex_model *m)
{
    eex_table *t = NULL;
    double most = p->base_ms > 0 ? p->base_ms : 0;
    for (int k = 0; k < p->exits; k++)
        most = p->exit_ms[k] > most ? p->exit_ms[k] : most;
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "leaving at exit", EEX_ALIGN_LEFT, 5);
    eex_table_column(t, "images", EEX_ALIGN_RIGHT, 4);
    eex_table_column(t, "right", EEX_ALIGN_RIGHT, 2);
    eex_table_column(t, "MACs", EEX_ALIGN_RIGHT, 3);
    eex_table_column(t, "ms", EEX_ALIGN_RIGHT, 4);
    eex_table_column(t, "", EEX_ALIGN_LEFT, 1);
    for (int k = 0; k < p->exits; k++) {
        eex_table_row(t);
        eex_table_cell(t, "%d  %s", k + 1, eex__exit_name(m->graph, k));
        eex_table_percent(t, 1, p->share[k]);
        eex_table_percent(t, 1, p->accuracy[k]);
        eex_table_amount(t, p->exit_macs[k]);
        eex_table_cell(t, "%.3f", p->exit_ms[k]);
        bar(t, p->exit_ms[k], most);
    }
    if (!isnan(p->base_ms)) {
        eex_table_rule(t);
        eex_table_row(t);
        eex_table_cell(t, "base");
        eex_table_cell(t, "%s", "");
        eex_table_cell(t, "%s", "");
        eex_table_amount(t, p->base_macs);
        eex_table_cell(t, "%.3f", p->base_ms);
        bar(t, p->base_ms, most);
    }
    return eex__put_table(out, t);
}

/* ---- by segment and by layer ---- */

typedef struct sums {
    double macs, ms[EEX_PROFILE_BATCHES], bytes[EEX_PROFILE_BATCHES];
} sums;

static void add(sums *s, const eex_profile_op *op, int batches)
{
    s->macs += op->macs;
    for (int b = 0; b < batches; b++) {
        s->ms[b] += op->ms[b];
        s->bytes[b] += op->bytes[b];
    }
}

static sums total(const eex_profile *p)
{
    sums s = {0};
    for (int i = 0; i < p->ops; i++)
        add(&s, &p->op[i], p->batches);
    return s;
}

/* Columns of what is compared: microseconds of an image and share of all, for each batch. Each
 * title says of which batch, for columns may stand in different blocks. */
static void columns(eex_table *t, const eex_profile *p, const char *what)
{
    char title[48];
    eex_table_column(t, what, EEX_ALIGN_LEFT, 9);
    eex_table_column(t, "MACs", EEX_ALIGN_RIGHT, 5);
    eex_table_column(t, "of MACs", EEX_ALIGN_RIGHT, 7);
    for (int b = 0; b < p->batches; b++) {
        snprintf(title, sizeof title, "us, by %d", p->batch[b]);
        eex_table_column(t, title, EEX_ALIGN_RIGHT, 8);
        snprintf(title, sizeof title, "of time, by %d", p->batch[b]);
        eex_table_column(t, title, EEX_ALIGN_RIGHT, 7);
        snprintf(title, sizeof title, "GFLOP/s, by %d", p->batch[b]);
        eex_table_column(t, title, EEX_ALIGN_RIGHT, 4 - b);
    }
}

/* Two operations a multiply-accumulate. */
static double gflops(double macs, double ms)
{
    return ms > 0 ? 2e-6 * macs / ms : 0;
}

static void cells(eex_table *t, const eex_profile *p, const sums *s, const sums *all)
{
    eex_table_amount(t, s->macs);
    eex_table_percent(t, 1, all->macs > 0 ? s->macs / all->macs : 0);
    for (int b = 0; b < p->batches; b++) {
        eex_table_cell(t, "%.2f", 1e3 * s->ms[b] / p->rows[b]);
        eex_table_percent(t, 1, all->ms[b] > 0 ? s->ms[b] / all->ms[b] : 0);
        eex_table_cell(t, "%.1f", gflops(p->rows[b] * s->macs, s->ms[b]));
    }
}

static int segments(eex_buffer *out, const eex_profile *p, const eex_model *m)
{
    eex_table *t = NULL;
    const sums all = total(p);
    EEX_TRY(eex_table_new(&t));
    columns(t, p, "up to exit");
    for (int k = 0; k < p->exits; k++) {
        sums s = {0};
        for (int i = 0; i < p->ops; i++)
            if (p->op[i].segment == k)
                add(&s, &p->op[i], p->batches);
        eex_table_row(t);
        eex_table_cell(t, "%d  %s", k + 1, eex__exit_name(m->graph, k));
        cells(t, p, &s, &all);
    }
    return eex__put_table(out, t);
}

static int by_time(const void *a, const void *b)
{
    const eex_profile_op *x = *(const eex_profile_op *const *)a;
    const eex_profile_op *y = *(const eex_profile_op *const *)b;
    return (x->ms[0] < y->ms[0]) - (x->ms[0] > y->ms[0]);
}

static int list_layers(eex_buffer *out, const eex_profile *p, const eex_profile_op **order,
                       int count)
{
    eex_table *t = NULL;
    const sums all = total(p);
    EEX_TRY(eex_table_new(&t));
    columns(t, p, count < p->ops ? "slowest layers" : "layer");
    for (int i = 0; i < count; i++) {
        sums s = {0};
        add(&s, order[i], p->batches);
        eex_table_row(t);
        eex_table_cell(t, "%s", order[i]->name);
        cells(t, p, &s, &all);
    }
    return eex__put_table(out, t);
}

static int layers(eex_buffer *out, const eex_profile *p, bool all)
{
    const eex_profile_op **order = calloc((size_t)p->ops + 1, sizeof *order);
    if (!order)
        return eex_fail(EEX_ENOMEM, "out of memory for a list of layers");
    for (int i = 0; i < p->ops; i++)
        order[i] = &p->op[i];
    if (!all)
        qsort(order, (size_t)p->ops, sizeof *order, by_time);
    int code = list_layers(out, p, order, all || p->ops < SLOWEST ? p->ops : SLOWEST);
    free(order);
    return code;
}

/* ---- against the base ---- */

static int speeds(eex_buffer *out, const eex_profile *p)
{
    char speedup[EEX_SPEEDUP_SIZE];
    eex_table *t = NULL;
    static const char *const titles[] = {"batch",    "images",      "base ms", "ms",
                                         "speed-up", "theoretical", "of it"};
    EEX_TRY(eex_table_new(&t));
    for (int i = 0; i < 7; i++)
        eex_table_column(t, titles[i], EEX_ALIGN_RIGHT, 7 - i);
    for (int b = 0; b < p->batches; b++) {
        const eex_profile_speed *s = &p->speed[b];
        eex_table_row(t);
        eex_table_cell(t, "%d", s->batch);
        eex_table_cell(t, "%d", s->images);
        eex_table_cell(t, "%.4f", s->base.mean);
        eex_table_cell(t, "%.4f", s->own.mean);
        eex_table_cell(t, "%s", eex_speedup_text(speedup, &s->realised));
        eex_table_cell(t, "%.2fx", s->theoretical);
        eex_table_cell(t, "%.2f", s->realised.ratio / s->theoretical);
    }
    return eex__put_table(out, t);
}

static int put_profile(eex_buffer *out, const eex_profile *p, const eex_model *m, bool all_layers)
{
    eex_buffer_printf(out, "%s, %d exit%s, on %s", eex_graph_name(m->graph), p->exits,
                      eex_plural(p->exits), m->params->device->name);
    if (m->runs_in != EEX_F32)
        eex_buffer_printf(out, ", in %s", eex_precision_name(m->runs_in));
    eex_buffer_puts(out, "\n\n");
    EEX_TRY(exits(out, p, m));
    eex_buffer_printf(
        out,
        "\nimages, right: of %d of the validation split. ms: of one image that leaves there; at "
        "the\n"
        "end it is this network with nobody leaving early, to be held against the base.\n\n",
        p->images);
    EEX_TRY(segments(out, p, m));
    eex_buffer_putc(out, '\n');
    EEX_TRY(layers(out, p, all_layers));
    eex_buffer_puts(
        out, "\nus: microseconds of one image, operations timed one by one while nobody leaves");
    if (p->rows[p->batches - 1] < p->batch[p->batches - 1])
        eex_buffer_printf(out, ";\na batch of %d passes the network in parts of %d",
                          p->batch[p->batches - 1], p->rows[p->batches - 1]);
    eex_buffer_puts(out, ".\n");
    if (!p->speed[0].images)
        return EEX_OK;
    eex_buffer_putc(out, '\n');
    EEX_TRY(speeds(out, p));
    eex_buffer_printf(
        out,
        "\nms: of one image on average, base and network in turns, each image with the\n"
        "lower quartile of %d rounds%s.\ntheoretical: in MACs.\n",
        p->rounds, p->disturbed ? ", which disagree: the machine was disturbed" : "");
    return EEX_OK;
}

int eex_print_profile(const eex_profile *p, const eex_model *m, bool all_layers)
{
    eex_buffer out = EEX_BUFFER_INIT;
    const int code = put_profile(&out, p, m, all_layers);
    return eex__print_report(&out, code);
}

/* ---- as a picture ---- */

static void data_line(eex_buffer *out, const char *name, double ms, double share)
{
    eex_buffer_printf(out, "\"%s\" %.6g %.6g\n", name, ms, isnan(share) ? 0 : 100 * share);
}

void eex_profile_script(eex_buffer *out, const eex_profile *p, const eex_model *m)
{
    char name[EEX_NAME_MAX + 16];
    eex_buffer_puts(out, "$exits << END\n");
    for (int k = 0; k < p->exits; k++) {
        snprintf(name, sizeof name, "%d  %s", k + 1, eex__exit_name(m->graph, k));
        data_line(out, name, p->exit_ms[k], p->share[k]);
    }
    if (!isnan(p->base_ms))
        data_line(out, "base", p->base_ms, NAN);
    eex_buffer_puts(out, "END\n"
                         "set style fill solid 0.8\n"
                         "set boxwidth 0.6\n"
                         "set xtics rotate by -35 noenhanced\n"
                         "set ylabel 'latency of one image, ms'\n"
                         "set y2label 'images that leave there, %'\n"
                         "set yrange [0:*]\n"
                         "set y2range [0:100]\n"
                         "set y2tics\n"
                         "set ytics nomirror\n"
                         "set key top left\n"
                         "plot $exits using 0:2:xtic(1) with boxes title 'latency', \\\n"
                         "     $exits using 0:3 axes x1y2 with linespoints pointtype 7 title "
                         "'utilisation'\n");
}
