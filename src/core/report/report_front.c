#include "core/report/report_front.h"

#include "base/status.h"
#include "base/table.h"

#include <math.h>

enum { LIST = 512, CELL = 16, MODEL_ROWS = 8 };

static int begin(eex_table **out, const char *const *titles, int count)
{
    EEX_TRY(eex_table_new(out));
    for (int i = 0; i < count; i++)
        eex_table_column(*out, titles[i], i ? EEX_ALIGN_RIGHT : EEX_ALIGN_LEFT, count - i);
    return EEX_OK;
}

static int finish(eex_buffer *out, eex_table *t, size_t width)
{
    int code = eex_table_format(out, t, width);
    eex_table_free(t);
    return code;
}

/* ---- members of the front ---- */

/* "0.52"; a threshold that none passes, or all, is none of the scale. */
static int threshold(char *out, size_t room, const char *before, double value)
{
    if (isinf(value))
        return snprintf(out, room, "%s%s", before, value > 0 ? "none" : "all");
    return snprintf(out, room, "%s%.3g", before, value);
}

/* "12 70 18": one number an exit, in percent; those of the gates alone, as they are. */
static void list(char out[LIST], const eex_front *f, const eex_front_member *m, bool thresholds)
{
    const int count = thresholds ? m->exits - 1 : m->exits;
    size_t used = 0;
    out[0] = '\0';
    for (int k = 0; k < count && used < LIST - CELL; k++) {
        const eex_front_exit *x = &f->exits[m->first + (size_t)k];
        const char *before = k ? " " : "";
        used += (size_t)(thresholds ? threshold(out + used, LIST - used, before, x->threshold)
                                    : snprintf(out + used, LIST - used, "%s%.0f", before,
                                               100 * x->utilisation));
    }
}

/* Why a network is in the table. */
static void reasons(eex_table *t, const eex_report *r, const eex_front_member *m)
{
    const bool chosen = r->chosen >= 0 && (uint64_t)r->chosen == m->trial;
    eex_table_cell(t, "%s%s%s%s%s%s", m->spread ? "front" : "", m->spread && m->best ? ", " : "",
                   m->best ? "best" : "", chosen ? ", chosen" : "",
                   m->status != EEX_OK ? ", failed: " : "", m->status != EEX_OK ? m->reason : "");
}

static void alone(eex_table *t, const eex_front_exit *x)
{
    eex_table_percent(t, 2, x ? x->alone_accuracy : NAN);
    eex_table_amount(t, x ? x->alone_macs : NAN);
}

static void name(eex_table *t, const eex_front *f, size_t i)
{
    eex_table_row(t);
    eex_table_cell(t, "%zu  trial %llu", i + 1, (unsigned long long)f->members[i].trial);
}

static void member(eex_table *t, const eex_report *r, size_t i)
{
    const eex_front_member *m = &r->tested.members[i];
    char leave[LIST];
    name(t, &r->tested, i);
    eex_table_cell(t, "%d", m->gates);
    eex_table_percent(t, 2, m->accuracy);
    eex_table_amount(t, m->macs);
    eex_table_amount(t, m->macs_taken);
    list(leave, &r->tested, m, false);
    eex_table_cell(t, "%s", leave);
    reasons(t, r, m);
}

static int members(eex_buffer *out, const eex_report *r, size_t width)
{
    static const char *const titles[] = {"front", "gates", "test", "MACs", "taken", "leave, %"};
    eex_table *t = NULL;
    EEX_TRY(begin(&t, titles, sizeof titles / sizeof *titles));
    eex_table_column(t, "as", EEX_ALIGN_LEFT, 0);
    for (size_t i = 0; i < r->tested.count; i++)
        member(t, r, i);
    return finish(out, t, width);
}

static void rival(eex_table *t, const eex_front *f, size_t i)
{
    const eex_front_member *m = &f->members[i];
    const eex_front_exit *cut = eex_front_cut(f, m);
    char thresholds[LIST];
    name(t, f, i);
    alone(t, eex_front_end(f, m));
    eex_table_cell(t, "%s", cut ? cut->node : "-");
    alone(t, cut);
    list(thresholds, f, m, true);
    eex_table_cell(t, "%s", thresholds);
}

static int rivals(eex_buffer *out, const eex_report *r, size_t width)
{
    static const char *const titles[] = {"front",    "backbone",   "its MACs",  "cut after",
                                         "cut test", "cut's MACs", "thresholds"};
    eex_table *t = NULL;
    EEX_TRY(begin(&t, titles, sizeof titles / sizeof *titles));
    for (size_t i = 0; i < r->tested.count; i++)
        rival(t, &r->tested, i);
    return finish(out, t, width);
}

int eex__report_tested(eex_buffer *out, const eex_report *r, size_t width)
{
    EEX_TRY(members(out, r, width));
    eex_buffer_putc(out, '\n');
    return rivals(out, r, width);
}

/* ---- models ---- */

static void models(eex_table *t, const eex_models_batch *b)
{
    eex_table_row(t);
    eex_table_cell(t, "%llu trials", (unsigned long long)b->trials);
    eex_table_cell(t, "%s", b->surrogate[0]);
    eex_table_fixed(t, 2, b->tau[0]);
    eex_table_cell(t, "%s", b->surrogate[1]);
    eex_table_fixed(t, 2, b->tau[1]);
    eex_table_fixed(t, 2, b->null_tau);
    eex_table_amount(t, b->hypervolume);
}

int eex__report_models(eex_buffer *out, const eex_report *r, size_t width)
{
    static const char *const titles[] = {"after",    "accuracy by", "its tau",    "cost by",
                                         "cost tau", "cost alone",  "hypervolume"};
    const size_t count = r->models.count, rows = count < MODEL_ROWS ? count : MODEL_ROWS;
    eex_table *t = NULL;
    EEX_TRY(begin(&t, titles, sizeof titles / sizeof *titles));
    for (size_t i = 0; i < rows; i++)
        models(t, &r->models.at[rows > 1 ? i * (count - 1) / (rows - 1) : 0]);
    eex_table_row(t);
    eex_table_cell(t, "%zu trials, all", r->trials.count);
    for (int i = 0; i < 5; i++)
        eex_table_cell(t, "%s", "");
    eex_table_amount(t, r->hypervolume);
    return finish(out, t, width);
}
