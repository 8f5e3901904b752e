/* The table at the end of a run. */
#include "core/report/report_cut.h"
#include "core/report/report_front.h"
#include "core/report/report_rivals.h"
#include "core/report/report_words.h"

#include "base/status.h"
#include "base/table.h"
#include "base/text.h"

#include <math.h>

enum { FRONT_ROWS = 8, NAME = 48 };

static const char *number(char out[EEX_TEXT_SIZE], double value)
{
    return isnan(value) ? "-" : eex_text_number(out, value, NULL);
}

static void add_columns(eex_table *t, const char *const *titles, int count)
{
    for (int i = 0; i < count; i++)
        eex_table_column(t, titles[i], i ? EEX_ALIGN_RIGHT : EEX_ALIGN_LEFT, count - i);
}

static int finish(eex_buffer *out, eex_table *t, size_t width)
{
    int code = eex_table_format(out, t, width);
    eex_table_free(t);
    return code;
}

/* ---- base against best ---- */

static void network(eex_table *t, const char *name, double accuracy, double macs,
                    const eex_report_latency *l)
{
    eex_table_row(t);
    eex_table_cell(t, "%s", name);
    eex_table_percent(t, 2, accuracy);
    eex_table_amount(t, macs);
    eex_table_fixed(t, 3, l->mean);
    eex_table_fixed(t, 3, l->p50);
    eex_table_fixed(t, 3, l->p95);
    eex_table_fixed(t, 3, l->p99);
}

static void base_name(char out[NAME], const eex_report *r)
{
    if (eex__report_base_is_a_start(r))
        snprintf(out, NAME, "base, %lld epoch%s", (long long)r->base.epochs,
                 eex_plural(r->base.epochs));
    else
        snprintf(out, NAME, "base");
}

static int networks(eex_buffer *out, const eex_report *r, size_t width)
{
    static const char *const titles[] = {"network", "test", "MACs", "mean ms",
                                         "p50",     "p95",  "p99",  "speed-up"};
    char speedup[EEX_SPEEDUP_SIZE], name[NAME];
    eex_table *t = NULL;
    EEX_TRY(eex_table_new(&t));
    add_columns(t, titles, 8);
    base_name(name, r);
    network(t, name, r->base.accuracy, r->base.macs, &r->base.latency);
    eex_table_cell(t, "1.00x");
    network(t, "early exit", r->best.accuracy, r->best.ada_macs_cumulative, &r->best.latency);
    eex_table_cell(t, "%s", eex_speedup_text(speedup, &r->best.speedup));
    network(t, "to its end", r->full.accuracy, r->full.macs, &r->full.latency);
    eex_table_cell(t, "%s", eex_speedup_text(speedup, &r->full.speedup));
    return finish(out, t, width);
}

/* How far the times can be trusted. */
static void timing(eex_buffer *out, const eex_report *r)
{
    if (r->latency_rounds == 0)
        eex_buffer_puts(out, "ms: measured the old way, once: the speed-up has no interval");
    else
        eex_buffer_printf(out, "ms: networks in turns, each image's lower quartile of %d rounds",
                          r->latency_rounds);
    if (r->best.speedup.disturbed)
        eex_buffer_puts(out, ", which disagree: the machine was disturbed, times are rough");
    eex_buffer_puts(out, ".\n");
}

/* ---- exits ---- */

/* Exits are numbered as they come in the network: what commands take as an exit. Which of the run's
 * points it is at, the last column says: fronts are written in those. */
static void exit_row(eex_table *t, const eex_report_exit *x, int number_of)
{
    eex_table_row(t);
    if (x->blocks < 0) {
        eex_table_cell(t, "%d  end of the backbone", number_of);
        eex_table_cell(t, "%s", "");
    } else {
        eex_table_cell(t, "%d  %s", number_of, x->node);
        eex_table_cell(t, "%d", x->blocks);
    }
    eex_table_percent(t, 2, x->utilisation);
    eex_table_percent(t, 2, x->accuracy);
    eex_table_amount(t, x->macs);
    if (x->blocks >= 0)
        eex_table_cell(t, "%d", x->position);
}

static int exits(eex_buffer *out, const eex_report *r, size_t width)
{
    static const char *const titles[] = {"exit", "blocks", "leave", "right", "MACs", "point"};
    eex_table *t = NULL;
    EEX_TRY(eex_table_new(&t));
    add_columns(t, titles, 6);
    for (int k = 0; k < r->best.exits; k++)
        exit_row(t, &r->best.exit[k], k + 1);
    return finish(out, t, width);
}

/* What each exit's score is worth, whoever comes to it: all of the validation split. */
static int scores(eex_buffer *out, const eex_report *r, size_t width)
{
    static const char *const titles[] = {"score of exit", "alone", "ECE", "after", "AUROC", "AURC"};
    eex_table *t = NULL;
    EEX_TRY(eex_table_new(&t));
    add_columns(t, titles, 6);
    for (int k = 0; k < r->best.exits; k++) {
        const eex_report_exit *x = &r->best.exit[k];
        eex_table_row(t);
        eex_table_cell(t, "%d", k + 1);
        eex_table_percent(t, 2, x->validation_accuracy);
        eex_table_fixed(t, 3, x->ece_before);
        eex_table_fixed(t, 3, x->ece_after);
        eex_table_fixed(t, 3, x->auroc);
        eex_table_fixed(t, 4, x->aurc);
    }
    return finish(out, t, width);
}

/* ---- the front ---- */

/* Where nothing asks for latencies of candidates, there is no column for them. */
static bool timed(const eex_report *r)
{
    bool known = false;
    for (size_t i = 0; i < r->front_count; i++)
        known = known || !isnan(r->trials.at[r->front[i]].latency);
    return known;
}

static int front(eex_buffer *out, const eex_report *r, size_t width)
{
    static const char *const titles[] = {"Pareto front", "validation", "MACs", "latency ms"};
    const bool times = timed(r);
    char list[EEX_REPORT_GATES];
    size_t rows = r->front_count < FRONT_ROWS ? r->front_count : FRONT_ROWS;
    eex_table *t = NULL;
    EEX_TRY(eex_table_new(&t));
    add_columns(t, titles, times ? 4 : 3);
    eex_table_column(t, "gates (point:blocks)", EEX_ALIGN_LEFT, 0);
    for (size_t i = 0; i < rows; i++) {
        size_t trial = r->front[rows > 1 ? i * (r->front_count - 1) / (rows - 1) : 0];
        const eex_trial *x = &r->trials.at[trial];
        eex_table_row(t);
        eex_table_cell(t, "trial %zu", trial);
        eex_table_percent(t, 2, x->accuracy);
        eex_table_amount(t, x->macs);
        if (times)
            eex_table_fixed(t, 3, x->latency);
        eex_table_cell(t, "%s", eex_report_gates(list, r, trial));
    }
    EEX_TRY(finish(out, t, width));
    eex_report_put_left_out(out, rows, r->front_count, width);
    return eex_buffer_status(out);
}

/* ---- other policies ---- */

static int policies(eex_buffer *out, const eex_report *r, size_t width)
{
    static const char *const titles[] = {"policy, tuned alike", "validation", "MACs"};
    eex_table *t = NULL;
    EEX_TRY(eex_table_new(&t));
    add_columns(t, titles, 3);
    for (size_t i = 0; i < r->policies; i++) {
        eex_table_row(t);
        eex_table_cell(t, "%s", r->policy_names.item[i]);
        eex_table_percent(t, 2, r->policy_accuracy[i]);
        eex_table_amount(t, r->policy_macs[i]);
    }
    return finish(out, t, width);
}

/* ---- all of it ---- */

static void costs(eex_buffer *out, const eex_report *r)
{
    char own[EEX_TEXT_SIZE], share[EEX_TEXT_SIZE], taken[EEX_TEXT_SIZE];
    char words[EEX_POLICY_WORDS];
    if (r->best.decides)
        eex_buffer_printf(out, "policy: %s\n",
                          eex_policy_words(words, r->best.policy, r->best.by_label));
    eex_buffer_printf(out,
                      "ADA_MACs: %s (%s %% of the base) with every gate that was run, %s with only "
                      "the gate taken\n",
                      number(own, r->best.ada_macs_cumulative),
                      number(share, 100 * r->best.ada_macs_cumulative / r->base.macs),
                      number(taken, r->best.ada_macs));
    if (r->best.device_bytes > 0)
        eex_buffer_printf(
            out,
            "device memory: %.0f MiB at most, without the driver's own (context, kernels, "
            "graphs)\n",
            (double)r->best.device_bytes / (1 << 20));
    if (!isnan(r->best.joules))
        eex_buffer_printf(out, "energy: %.3g mJ an image, base %.3g mJ\n", 1e3 * r->best.joules,
                          1e3 * r->base.joules);
    if (r->best.rejected > 0)
        eex_buffer_printf(out, "rejected as out of distribution: %.2f %% of the test split\n",
                          100 * r->best.rejected);
}

static int results(eex_buffer *out, const eex_report *r, size_t width)
{
    eex_buffer_putc(out, '\n');
    EEX_TRY(networks(out, r, width));
    EEX_TRY(eex__report_paragraph(out, r, width, timing));
    eex_buffer_putc(out, '\n');
    EEX_TRY(eex__report_paragraph(out, r, width, eex__report_compare));
    EEX_TRY(eex__report_paragraph(out, r, width, eex__report_cut));
    eex_buffer_putc(out, '\n');
    EEX_TRY(exits(out, r, width));
    eex_buffer_putc(out, '\n');
    EEX_TRY(eex__report_paragraph(out, r, width, costs));
    eex_buffer_putc(out, '\n');
    return scores(out, r, width);
}

static void failures(eex_buffer *out, const eex_report *r)
{
    eex_report_failure x;
    for (size_t i = 0; eex_report_failure_at(&x, r, i); i++)
        eex_buffer_printf(out, "No %s: %s.\n", x.what, x.reason);
    const char *unmet;
    for (size_t i = 0; (unmet = eex_report_unmet_at(r, i)); i++)
        eex_buffer_printf(out, "Not met: %s.\n", unmet);
}

static bool has_failures(const eex_report *r)
{
    eex_report_failure x;
    return eex_report_failure_at(&x, r, 0) || eex_report_unmet_at(r, 0);
}

static int put_failures(eex_buffer *out, const eex_report *r, size_t width)
{
    return eex__report_paragraph(out, r, width, failures);
}

int eex_report_table(eex_buffer *out, const eex_report *r, size_t width)
{
    EEX_TRY(eex__report_paragraph(out, r, width, eex__report_heading));
    if (r->finished)
        EEX_TRY(results(out, r, width));
    const struct {
        bool there;
        int (*table)(eex_buffer *out, const eex_report *r, size_t width);
    } parts[] = {{r->front_count > 0, front},
                 {r->tested.count > 0, eex__report_tested},
                 {r->rivals.count > 0, eex__report_rivals},
                 {r->models.count > 0, eex__report_models},
                 {r->policies > 0, policies},
                 {has_failures(r), put_failures}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!parts[i].there)
            continue;
        eex_buffer_putc(out, '\n');
        EEX_TRY(parts[i].table(out, r, width));
    }
    if (r->trials.count) {
        eex_buffer_putc(out, '\n');
        EEX_TRY(eex__report_paragraph(out, r, width, eex__report_search));
    }
    if (r->finished || r->front_count) {
        eex_buffer_putc(out, '\n');
        EEX_TRY(eex__report_paragraph(out, r, width, eex__report_legend));
    }
    return eex_buffer_status(out);
}
