#include "cli/print_compare.h"

#include "cli/print.h"
#include "core/sweep/compare.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>

/* Its columns, in their order. */
static const struct {
    const char *title;
    eex_figure figure;
    double scale;
    int digits;
    const char *unit;
} columns[] = {
    {"test", EEX_FIGURE_ACCURACY, 100, 2, " %"},
    {"base", EEX_FIGURE_BASE_ACCURACY, 100, 2, " %"},
    {"validation", EEX_FIGURE_VALIDATION, 100, 2, " %"},
    {"MACs, M", EEX_FIGURE_MACS, 1e-6, 3, ""},
    {"base, M", EEX_FIGURE_BASE_MACS, 1e-6, 3, ""},
    {"speed-up", EEX_FIGURE_SPEEDUP, 1, 2, "x"},
    {"against cut", EEX_FIGURE_CUT, -100, 1, " %"},
};

enum { COLUMNS = sizeof columns / sizeof *columns };

static void run_row(eex_table *t, const eex_comparison *c, size_t i, bool grouped)
{
    eex_table_row(t);
    eex_table_cell(t, "%s%s", grouped ? "  " : "", c->folder[i]);
    eex_table_cell(t, "%lld", (long long)c->report[i]->seed);
    for (int k = 0; k < COLUMNS; k++) {
        const double value = c->figure[i * EEX_FIGURES + (size_t)columns[k].figure];
        if (isnan(value))
            eex_table_cell(t, "-");
        else
            eex_table_cell(t, "%.*f%s", columns[k].digits,
                           eex_text_unsigned_zero(columns[k].scale * value, columns[k].digits),
                           columns[k].unit);
    }
}

/* What the runs of a group are counted as: one that is there twice is no seed more. */
static const char *members(const eex_comparison *c, size_t g)
{
    for (size_t i = 0; i < c->runs; i++)
        for (size_t k = 0; k < i; k++)
            if (c->group[i] == g && c->group[k] == g && c->report[i]->seed == c->report[k]->seed)
                return "runs";
    return "seeds";
}

static void mean_row(eex_table *t, const eex_comparison *c, size_t g)
{
    const eex_mean *mean = c->mean + g * EEX_FIGURES;
    eex_table_row(t);
    eex_table_cell(t, "%zu %s, mean", mean[EEX_FIGURE_ACCURACY].count, members(c, g));
    eex_table_cell(t, "%s", "");
    for (int k = 0; k < COLUMNS; k++) {
        const eex_mean *m = &mean[columns[k].figure];
        if (isnan(m->deviation))
            eex_table_cell(t, "-");
        else
            eex_table_cell(t, "%.*f ±%.*f%s", columns[k].digits,
                           eex_text_unsigned_zero(columns[k].scale * m->mean, columns[k].digits),
                           columns[k].digits, fabs(columns[k].scale) * m->deviation,
                           columns[k].unit);
    }
}

static int put_table(eex_buffer *out, const eex_comparison *c)
{
    eex_table *t = NULL;
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "run", EEX_ALIGN_LEFT, 10);
    eex_table_column(t, "seed", EEX_ALIGN_RIGHT, 5);
    for (int k = 0; k < COLUMNS; k++)
        eex_table_column(t, columns[k].title, EEX_ALIGN_RIGHT, 9 - k);
    for (size_t g = 0; g < c->groups; g++) {
        const bool grouped = eex_comparison_size(c, g) > 1;
        if (g)
            eex_table_rule(t);
        if (grouped)
            mean_row(t, c, g);
        for (size_t i = 0; i < c->runs; i++)
            if (c->group[i] == g)
                run_row(t, c, i, grouped);
    }
    return eex__put_table(out, t);
}

/* The first run of a group, which stands for it: a field has one value there. */
static size_t first_of(const eex_comparison *c, size_t group)
{
    size_t i = 0;
    while (c->group[i] != group)
        i++;
    return i;
}

static void group_column(eex_table *t, const eex_comparison *c, size_t group)
{
    char title[200];
    const size_t runs = eex_comparison_size(c, group);
    if (runs > 1)
        snprintf(title, sizeof title, "%.150s, %zu %s", c->folder[first_of(c, group)], runs,
                 members(c, group));
    else
        snprintf(title, sizeof title, "%.180s", c->folder[first_of(c, group)]);
    eex_table_column(t, title, EEX_ALIGN_LEFT, 0);
}

/* Which data each group is on, told by as much of the fingerprint as tells them apart. */
static void data_row(eex_table *t, const eex_comparison *c)
{
    enum { SHOWN = 12 };
    eex_table_row(t);
    eex_table_cell(t, "fingerprint of the data");
    for (size_t g = 0; g < c->groups; g++) {
        const char *data = eex_comparison_group_data(c, g);
        if (data)
            eex_table_cell(t, "%.*s...", SHOWN, data);
        else
            eex_table_cell(t, "-");
    }
}

static int put_fields(eex_buffer *out, const eex_comparison *c)
{
    eex_table *t = NULL;
    if (c->fields == 0 && !c->other_data)
        return EEX_OK;
    eex_buffer_putc(out, '\n');
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "what differs", EEX_ALIGN_LEFT, 1);
    for (size_t g = 0; g < c->groups; g++)
        group_column(t, c, g);
    for (size_t f = 0; f < c->fields; f++) {
        eex_table_row(t);
        eex_table_cell(t, "%s", c->field[f].path);
        for (size_t g = 0; g < c->groups; g++) {
            const char *value = c->field[f].value[first_of(c, g)];
            eex_table_cell(t, "%s", *value ? value : "-");
        }
    }
    if (c->other_data)
        data_row(t, c);
    return eex__put_table(out, t);
}

/* Whose figures are of other images than whose, as far as the runs know. */
static void put_data(eex_buffer *out, const eex_comparison *c)
{
    if (c->other_data)
        eex_buffer_puts(out,
                        "Runs on other data, by the fingerprint: what is right of other images "
                        "has no mean and cannot be compared.\n");
    for (size_t i = 0; i < c->runs; i++)
        if (!eex_comparison_data(c, i) && eex_comparison_group_data(c, c->group[i]))
            eex__put_line(out, "%s does not keep which data it is on: taken as its fields say.",
                          c->folder[i]);
}

static void put_failures(eex_buffer *out, const char *folder, const eex_report *report)
{
    eex_report_failure x;
    for (size_t i = 0; eex_report_failure_at(&x, report, i); i++)
        eex__put_line(out, "%s has no %s: %s.", folder, x.what, x.reason);
    const char *unmet;
    for (size_t i = 0; (unmet = eex_report_unmet_at(report, i)); i++)
        eex__put_line(out, "%s does not meet: %s.", folder, unmet);
}

static void put_legend(eex_buffer *out, const eex_comparison *c)
{
    eex_buffer_puts(out,
                    "\ntest, base: right of the test split, with exits and the backbone alone; "
                    "MACs with every gate that was run.\n");
    eex_buffer_puts(out, EEX_AGAINST_CUT "\n");
    if (c->groups < c->runs)
        eex_buffer_puts(out, "mean: of runs that differ in their seed alone, ± their standard "
                             "deviation.\n");
    put_data(out, c);
    for (size_t i = 0; i < c->runs; i++)
        if (!c->report[i]->finished)
            eex__put_line(out, "%s is not finished: %s.", c->folder[i], c->report[i]->state);
    for (size_t i = 0; i < c->runs; i++)
        put_failures(out, c->folder[i], c->report[i]);
}

int eex_print_compare(const char *const *folders, size_t count, eex_compare_form form)
{
    eex_comparison c;
    eex_buffer out = EEX_BUFFER_INIT;
    EEX_TRY(eex_compare(&c, folders, count));
    int code = EEX_OK;
    if (form == EEX_COMPARE_CSV) {
        eex_comparison_csv(&out, &c);
    } else if (form == EEX_COMPARE_JSON) {
        eex_comparison_json(&out, &c);
    } else {
        code = put_table(&out, &c);
        if (code == EEX_OK)
            code = put_fields(&out, &c);
        put_legend(&out, &c);
    }
    eex_comparison_free(&c);
    return form == EEX_COMPARE_TABLE ? eex__print_report(&out, code) : eex__print_text(&out, code);
}
