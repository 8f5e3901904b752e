#include "cli/print_watch.h"

#include "cli/text_plot.h"
#include "core/report/moment.h"
#include "core/report/report.h"

#include "base/status.h"
#include "base/table.h"
#include "base/text.h"
#include "base/wrap.h"

#include <math.h>
#include <stdlib.h>

enum { CURVE_ROWS = 10, FRONT_ROWS = 12, BAR = 30, MEMBERS = 6 };

/* ---- what it does ---- */

static void put_process(eex_buffer *out, const eex_moment *m)
{
    if (m->at == EEX_PHASES)
        eex_buffer_puts(out, "finished\n");
    else if (m->process > 0)
        eex_buffer_printf(out, "process %ld is at work on it\n", m->process);
    else if (m->process == 0)
        eex_buffer_puts(out, "no process of this machine is at work on it; the same \"eex run\" "
                             "goes on from there\n");
}

static void put_done(eex_buffer *out, const eex_moment *m)
{
    const char *before = "done: ";
    for (int p = 0; p < EEX_PHASES; p++)
        if (m->done[p]) {
            eex_buffer_printf(out, "%s%s", before, eex_phase_at((eex_phase)p)->name);
            before = ", ";
        }
    if (*before == ',')
        eex_buffer_putc(out, '\n');
}

static void put_bar(eex_buffer *out, double share)
{
    const int filled = (int)(BAR * (share > 1 ? 1 : share));
    eex_buffer_puts(out, "  [");
    eex_buffer_fill(out, '#', (size_t)filled);
    eex_buffer_fill(out, '-', (size_t)(BAR - filled));
    eex_buffer_printf(out, "] %.0f %%", 100 * share);
}

static void put_now(eex_buffer *out, const eex_moment *m)
{
    if (m->at == EEX_PHASES)
        return;
    eex_buffer_printf(out, "%s: %s", m->process > 0 ? "now" : "next", eex_phase_at(m->at)->name);
    if (m->of && m->total > 0) {
        eex_buffer_printf(out, ", %lld of %lld %s", (long long)m->count, (long long)m->total,
                          m->of);
        put_bar(out, (double)m->count / (double)m->total);
    } else if (m->of) {
        eex_buffer_printf(out, ", %lld %s", (long long)m->count, m->of);
    }
    eex_buffer_putc(out, '\n');
}

/* ---- curves ---- */

static int put_curves(eex_buffer *out, const eex_moment *m, size_t width)
{
    char title[160];
    const size_t n = (size_t)m->curves.epochs;
    if (n < 2)
        return EEX_OK;
    double *x = malloc(3 * n * sizeof *x);
    if (!x)
        return eex_fail(EEX_ENOMEM, "out of memory for a plot of %zu epochs", n);
    double *const training = x + n, *const validation = x + 2 * n;
    for (size_t e = 0; e < n; e++) {
        x[e] = (double)e + 1;
        training[e] = 100 * eex_curves_end(&m->curves, m->curves.accuracy, (int)e);
        validation[e] = m->curves.validation
                            ? 100 * eex_curves_end(&m->curves, m->curves.validation, (int)e)
                            : NAN;
    }
    const eex_text_series series[] = {{'.', x, training, n}, {'*', x, validation, n}};
    snprintf(title, sizeof title, "%s: accuracy at its end by epoch (%s. training)",
             eex_phase_at(m->training)->name, m->curves.validation ? "* validation, " : "");
    eex_text_plot(out, title, series, 2, width, CURVE_ROWS);
    free(x);
    return EEX_OK;
}

/* ---- front ---- */

static int put_members(eex_buffer *out, const eex_report *r, const size_t *front, size_t count,
                       size_t width)
{
    char gates[EEX_REPORT_GATES];
    const size_t rows = count < MEMBERS ? count : MEMBERS;
    eex_table *t = NULL;
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, r->finished ? "Pareto front" : "front so far", EEX_ALIGN_LEFT, 3);
    eex_table_column(t, "validation", EEX_ALIGN_RIGHT, 2);
    eex_table_column(t, "MACs", EEX_ALIGN_RIGHT, 1);
    if (r->space)
        eex_table_column(t, "gates (point:blocks)", EEX_ALIGN_LEFT, 0);
    for (size_t i = 0; i < rows; i++) {
        const size_t trial = front[rows > 1 ? i * (count - 1) / (rows - 1) : 0];
        eex_table_row(t);
        eex_table_cell(t, "trial %zu", trial);
        eex_table_percent(t, 2, r->trials.at[trial].accuracy);
        eex_table_amount(t, r->trials.at[trial].macs);
        eex_table_cell(t, "%s", eex_report_gates(gates, r, trial));
    }
    const int code = eex_table_format(out, t, width);
    eex_table_free(t);
    eex_report_put_left_out(out, rows, count, width);
    return code;
}

static int plot_front(eex_buffer *out, const eex_report *r, const size_t *front, size_t count,
                      size_t width)
{
    const size_t n = r->trials.count;
    double *x = malloc(2 * (n + count) * sizeof *x);
    if (!x)
        return eex_fail(EEX_ENOMEM, "out of memory for a plot of %zu trials", n);
    double *const y = x + n + count;
    for (size_t i = 0; i < n + count; i++) {
        const eex_trial *t = &r->trials.at[i < n ? i : front[i - n]];
        x[i] = t->status == EEX_OK ? t->macs : NAN;
        y[i] = 100 * t->accuracy;
    }
    const eex_text_series series[] = {{'.', x, y, n}, {'*', x + n, y + n, count}};
    eex_text_plot(out, "validation accuracy against MACs (* front, . other trials)", series, 2,
                  width, FRONT_ROWS);
    free(x);
    return EEX_OK;
}

static int put_front(eex_buffer *out, const eex_report *r, size_t width)
{
    size_t *front = NULL, count = 0;
    if (r->trials.count == 0)
        return EEX_OK;
    EEX_TRY(eex_trials_front(&front, &count, &r->trials, false));
    int code = count ? plot_front(out, r, front, count, width) : EEX_OK;
    eex_buffer_putc(out, '\n');
    if (code == EEX_OK && count)
        code = put_members(out, r, front, count, width);
    free(front);
    return code;
}

/* ---- all of it ---- */

static int put_result(eex_buffer *out, const eex_report *r, size_t width)
{
    char macs[EEX_TEXT_SIZE], base[EEX_TEXT_SIZE];
    eex_buffer words = EEX_BUFFER_INIT;
    eex_buffer_printf(&words,
                      "\ntest: %.2f %% leaving early, %.2f %% the base; %s MACs an image, the base "
                      "%s\n",
                      100 * r->best.accuracy, 100 * r->base.accuracy,
                      eex_text_number(macs, r->best.ada_macs_cumulative, NULL),
                      eex_text_number(base, r->base.macs, NULL));
    const int code = eex_buffer_status(&words);
    if (code == EEX_OK)
        eex_wrap(out, eex_buffer_text(&words), width);
    eex_buffer_free(&words);
    return code;
}

static int put_all(eex_buffer *out, const eex_report *r, const eex_moment *m, size_t width)
{
    char time[EEX_TEXT_SIZE];
    const bool trains = m->curves.epochs > 0 && !m->done[m->training];
    const double seconds = r->seconds + (trains ? m->curves.seconds : 0);
    eex_buffer words = EEX_BUFFER_INIT;
    eex_buffer_printf(&words, "%s on %s, seed %lld, %s; %s of work so far\n", r->name, r->dataset,
                      (long long)r->seed, r->device, eex_text_duration(time, seconds));
    put_process(&words, m);
    put_done(&words, m);
    put_now(&words, m);
    if (eex_buffer_status(&words) == EEX_OK)
        eex_wrap(out, eex_buffer_text(&words), width);
    eex_buffer_free(&words);
    EEX_TRY(put_curves(out, m, width));
    EEX_TRY(put_front(out, r, width));
    return r->finished ? put_result(out, r, width) : EEX_OK;
}

int eex_put_watch(eex_buffer *out, bool *finished, const char *folder, size_t width)
{
    eex_report *report = NULL;
    eex_moment moment;
    EEX_TRY(eex_report_load(&report, folder));
    *finished = report->finished;
    int code = eex_moment_look(&moment, report);
    if (code == EEX_OK) {
        code = put_all(out, report, &moment, width);
        eex_moment_free(&moment);
    }
    eex_report_free(report);
    return code == EEX_OK ? eex_buffer_status(out) : code;
}
