#include "cli/print_tune.h"

#include "cli/print.h"
#include "cli/print_risk.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/status.h"
#include "base/table.h"
#include "base/terminal.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum { SPLITS = 2, CELL = 64 };

/* What figures are printed in: `times` them, over `over`. One of the two is 1, so that a figure is
 * rounded once. */
typedef struct unit {
    const char *name;
    double times, over;
} unit;

/* Of shares, as other tables have them (eex_table_percent). */
static const unit percent = {"%", 100, 1};
static const unit milliseconds = {"ms", 1, 1};

static const char intervals[] = "intervals: 95 %, BCa bootstrap, 2000 resamples";

/* ---- the table ---- */

static double in_units(double value, unit u)
{
    return u.times * value / u.over;
}

/* "87.96 86.6..89.2" in a unit. */
static void interval_cell(eex_table *t, const eex_interval *i, unit u, int digits)
{
    if (isnan(i->value))
        eex_table_cell(t, "-");
    else
        eex_table_cell(t, "%.*f  %.*f..%.*f", digits, in_units(i->value, u), digits,
                       in_units(i->low, u), digits, in_units(i->high, u));
}

/* The unit that MACs are printed in, of a network that takes so many. */
static unit macs_unit(double macs)
{
    static const unit units[] = {
        {"G MACs", 1, 1e9}, {"M MACs", 1, 1e6}, {"k MACs", 1, 1e3}, {"MACs", 1, 1}};
    const unit *u = units;
    while (u->over > 1 && !(macs >= u->over))
        u++;
    return *u;
}

static void row(eex_table *t, const char *name, const eex_interval *end, const eex_interval *before,
                const eex_interval *after, unit u, int digits)
{
    eex_table_row(t);
    eex_table_cell(t, "%s", name);
    interval_cell(t, end, u, digits);
    interval_cell(t, before, u, digits);
    if (after)
        interval_cell(t, after, u, digits);
}

#define ROW(name, member, u, digits) \
    row(t, name, &s->end.member, &s->before.member, after ? &after->member : NULL, u, digits)

static void share_rows(eex_table *t, const eex_tune_split *s, const eex_appraisal *after)
{
    char name[CELL];
    for (int k = 0; k < s->before.exits; k++) {
        double most = fmax(s->before.share[k].value, after ? after->share[k].value : 0);
        snprintf(name, sizeof name, "leave at %d %%", k + 1);
        if (most > 0 || k == s->before.exits - 1)
            ROW(name, share[k], percent, 1);
    }
}

static void quality_cell(eex_table *t, const eex_score_quality *q)
{
    if (isnan(q->auroc))
        eex_table_cell(t, "-  %.4f", q->aurc);
    else
        eex_table_cell(t, "%.3f  %.4f", q->auroc, q->aurc);
}

/* Of all exits, on images that thresholds were not chosen on where there are such: calibration
 * alone does not say which of them can tell what they get wrong. */
static void quality_rows(eex_table *t, const eex_tune_split *s, const eex_appraisal *after)
{
    for (int k = 0; k < s->before.exits; k++) {
        eex_table_row(t);
        eex_table_cell(t, "AUROC, AURC %d", k + 1);
        quality_cell(t, &s->end.score[k]);
        quality_cell(t, &s->before.score[k]);
        if (after)
            quality_cell(t, &after->score[k]);
    }
}

/* What thresholds chosen like these are worth to images that they were not chosen on. */
static void cross_fitted_row(eex_table *t, const eex_tune_report *r)
{
    eex_table_row(t);
    eex_table_cell(t, "cross-fitted %%");
    eex_table_cell(t, "-");
    eex_table_cell(t, "-");
    eex_table_cell(t, "%.2f", in_units(r->facts->point.held_accuracy, percent));
}

static bool cross_fitted(const eex_tune_report *r)
{
    return r->policy && !isnan(r->facts->point.held_accuracy);
}

static void fill_split(eex_table *t, const eex_tune_report *r, const eex_tune_split *s)
{
    const eex_appraisal *after = r->policy ? &s->after : NULL;
    const unit macs_in = macs_unit(r->costs->base_macs);
    ROW("right %", accuracy, percent, 2);
    if (s == &r->split[0] && cross_fitted(r))
        cross_fitted_row(t, r);
    ROW("against end", gain, percent, 2);
    ROW("as the end %", agreement, percent, 2);
    ROW("rejected %", rejected, percent, 2);
    ROW(macs_in.name, macs, macs_in, 3);
    ROW(milliseconds.name, ms, milliseconds, 4);
    share_rows(t, s, after);
    if (s == &r->split[1] || !r->split[1].known)
        quality_rows(t, s, after);
}

static int split_table(eex_buffer *out, const eex_tune_report *r, const eex_tune_split *s,
                       size_t width)
{
    eex_table *t = NULL;
    char title[CELL];
    if (!s->known) {
        eex_buffer_printf(out, "\nThe model keeps no %s trace.\n", s->name);
        return EEX_OK;
    }
    snprintf(title, sizeof title, "%s", s->name);
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, title, EEX_ALIGN_LEFT, 4);
    eex_table_column(t, "to the end", EEX_ALIGN_RIGHT, 1);
    eex_table_column(t, r->policy ? "before" : "now", EEX_ALIGN_RIGHT, r->policy ? 2 : 3);
    if (r->policy)
        eex_table_column(t, "after", EEX_ALIGN_RIGHT, 3);
    fill_split(t, r, s);
    eex_buffer_putc(out, '\n');
    int code = eex_table_format(out, t, width);
    eex_table_free(t);
    return code;
}

/* ---- around the tables ---- */

static void heading(eex_buffer *out, const eex_tune_report *r)
{
    const eex_policy *p = r->policy ? r->policy : r->model->policy;
    char words[EEX_POLICY_WORDS];
    eex__put_name(out, r->model->path);
    eex_buffer_printf(out, ": %s, %d exit%s", eex_policy_words(words, p->kind, p->by_label),
                      p->exits, eex_plural(p->exits));
    eex_buffer_printf(out, "%s%s\n", *r->target ? "; " : "", r->target);
    eex_buffer_printf(out,
                      "%d calibration images fit it, %d validation images only check it;\n%s\n",
                      r->split[0].before.samples, r->split[1].before.samples, intervals);
}

static void guarantee(eex_buffer *out, const eex_tune_report *r)
{
    const eex_conformal *c = &r->facts->conformal;
    eex_buffer_printf(
        out,
        "\nWith probability %g over the draw of the calibration images, at most %g "
        "of\ninputs are right at the end and wrong here. Fitted on %d images, tested "
        "on\n%d others: %d such, which bounds the risk by %.4f; %d of %d settings "
        "passed.\nThis takes weights and structure as given (docs/running-models.md).\n",
        1 - r->wish->delta, r->wish->epsilon, c->fitted, c->tested, c->bad, c->bound, c->passed,
        c->path);
}

/* Accuracy lost by leaving early, as the tuner saw it. */
static double cross_fitted_gain(const eex_tune_report *r)
{
    return r->facts->point.held_accuracy - r->split[0].end.accuracy.value;
}

static void deciding(eex_buffer *out, const eex_tune_report *r)
{
    eex_buffer_printf(out,
                      "\ncross-fitted: %.2f %% right, %+.2f points against the end. This decided:\n"
                      "each calibration image judged by thresholds that were chosen on others.\n",
                      100 * r->facts->point.held_accuracy, 100 * cross_fitted_gain(r));
}

static void change(eex_buffer *out, const eex_tune_split *s)
{
    const eex_interval *a = &s->after.accuracy_change, *m = &s->after.macs_change;
    const double before = s->before.macs.value;
    eex_buffer_printf(out,
                      "\nafter against before, the same %s images:\nright %+.2f points "
                      "(%+.2f..%+.2f), MACs %+.1f %% (%+.1f..%+.1f)\n",
                      s->name, 100 * a->value, 100 * a->low, 100 * a->high, 100 * m->value / before,
                      100 * m->low / before, 100 * m->high / before);
}

static const char qualities[] =
    "\nAUROC of an exit's score: how often a right answer scores higher than a wrong one, of\nall "
    "images. AURC: the error among the surest, averaged over how many are answered.\n";

static int ending(eex_buffer *out, const eex_tune_report *r, size_t width)
{
    eex_buffer_puts(out, qualities);
    if (cross_fitted(r))
        deciding(out, r);
    if (r->policy && r->split[1].known)
        change(out, &r->split[1]);
    if (r->policy && r->wish->epsilon > 0)
        guarantee(out, r);
    if (r->policy && r->wish->risk.epsilon > 0)
        EEX_TRY(eex_print_risk(out, r, width));
    if (!r->costs->timed)
        eex_buffer_puts(out, "\nMilliseconds were never measured here: --measure does.\n");
    if (r->file) {
        eex_buffer_putc(out, '\n');
        eex__put_name(out, r->file);
        eex_buffer_puts(out, ": use it by --policy ");
        eex__put_name(out, r->file);
        eex_buffer_putc(out, '\n');
    } else if (r->policy)
        eex_buffer_puts(out, "\nNothing was saved: -o POLICY.h5 keeps these thresholds.\n");
    else
        eex_buffer_puts(out,
                        "\nSay what for: --accuracy, --macs, --latency, --reject, --conformal,\n"
                        "--risk or --policy.\n");
    return EEX_OK;
}

static int print_table(eex_buffer *out, const eex_tune_report *r)
{
    const size_t width = eex__terminal_width(STDOUT_FILENO);
    heading(out, r);
    for (int i = 0; i < SPLITS; i++)
        EEX_TRY(split_table(out, r, &r->split[i], width));
    return ending(out, r, width);
}

/* ---- JSON ---- */

static void json_interval(eex_json *j, const char *key, const eex_interval *i)
{
    eex_json_array(j, key);
    eex_json_double(j, NULL, i->value);
    eex_json_double(j, NULL, i->low);
    eex_json_double(j, NULL, i->high);
    eex_json_end(j);
}

static void json_appraisal(eex_json *j, const char *key, const eex_appraisal *a, bool compared)
{
    eex_json_object(j, key);
    json_interval(j, "accuracy", &a->accuracy);
    json_interval(j, "against_end", &a->gain);
    json_interval(j, "agreement", &a->agreement);
    json_interval(j, "lost", &a->bad);
    json_interval(j, "rejected", &a->rejected);
    json_interval(j, "macs", &a->macs);
    json_interval(j, "latency_ms", &a->ms);
    if (compared) {
        json_interval(j, "accuracy_change", &a->accuracy_change);
        json_interval(j, "macs_change", &a->macs_change);
    }
    eex_json_array(j, "exits");
    for (int k = 0; k < a->exits; k++) {
        eex_json_object(j, NULL);
        json_interval(j, "utilisation", &a->share[k]);
        eex_json_double(j, "accuracy", a->exit_accuracy[k]);
        eex_json_double(j, "auroc", a->score[k].auroc);
        eex_json_double(j, "aurc", a->score[k].aurc);
        eex_json_end(j);
    }
    eex_json_end(j);
    eex_json_end(j);
}

static void json_split(eex_json *j, const eex_tune_split *s, bool compared)
{
    if (!s->known) {
        eex_json_null(j, s->name);
        return;
    }
    eex_json_object(j, s->name);
    eex_json_int(j, "samples", s->before.samples);
    json_appraisal(j, "end", &s->end, false);
    json_appraisal(j, "before", &s->before, false);
    if (compared)
        json_appraisal(j, "after", &s->after, true);
    eex_json_end(j);
}

/* Thresholds may be infinite, which JSON has no number for: those are text, "inf" and "-inf". */
static void json_thresholds(eex_json *j, const char *key, const double *values, int count)
{
    eex_json_array(j, key);
    for (int k = 0; k < count; k++)
        if (isinf(values[k]))
            eex_json_string(j, NULL, values[k] > 0 ? "inf" : "-inf");
        else
            eex_json_double(j, NULL, values[k]);
    eex_json_end(j);
}

static void json_conformal(eex_json *j, const eex_tune_report *r)
{
    const eex_conformal *c = &r->facts->conformal;
    if (!r->policy || r->wish->epsilon <= 0)
        return;
    eex_json_object(j, "conformal");
    eex_json_double(j, "epsilon", r->wish->epsilon);
    eex_json_double(j, "delta", r->wish->delta);
    eex_json_int(j, "fitted", c->fitted);
    eex_json_int(j, "tested", c->tested);
    eex_json_int(j, "lost", c->bad);
    eex_json_double(j, "bound", c->bound);
    eex_json_int(j, "settings", c->path);
    eex_json_int(j, "passed", c->passed);
    eex_json_end(j);
}

/* The figures that a target was held against. */
static void json_cross_fitted(eex_json *j, const eex_tune_report *r)
{
    if (!cross_fitted(r))
        return;
    eex_json_object(j, "cross_fitted");
    eex_json_double(j, "accuracy", r->facts->point.held_accuracy);
    eex_json_double(j, "against_end", cross_fitted_gain(r));
    eex_json_end(j);
}

static void print_json(eex_buffer *out, const eex_tune_report *r)
{
    const eex_policy *p = r->policy ? r->policy : r->model->policy;
    eex_json json = EEX_JSON_INIT(out), *j = &json;
    eex_json_object(j, NULL);
    eex_json_string(j, "model", r->model->path);
    eex_json_string(j, "policy", eex_policy_kind_name(p->kind));
    eex_json_string(j, "policy_by", eex_policy_fitted_by(p->kind, p->by_label));
    eex_json_string(j, "target", *r->target ? r->target : NULL);
    eex_json_string(j, "file", r->file);
    eex_json_double(j, "seconds", r->seconds);
    eex_json_double(j, "base_macs", r->costs->base_macs);
    eex_json_double(j, "base_latency_ms", r->costs->base_ms);
    eex__json_doubles(j, "exit_macs", r->costs->macs, r->costs->exits);
    eex__json_doubles(j, "exit_latency_ms", r->costs->ms, r->costs->exits);
    json_thresholds(j, "a", p->a, p->exits);
    json_thresholds(j, "b", p->b, p->exits);
    json_conformal(j, r);
    if (r->policy && r->wish->risk.epsilon > 0)
        eex_json_risk(j, r);
    json_cross_fitted(j, r);
    for (int i = 0; i < SPLITS; i++)
        json_split(j, &r->split[i], r->policy != NULL);
    eex_json_end(j);
    eex_buffer_putc(out, '\n');
}

int eex_print_tune(const eex_tune_report *report, bool json)
{
    eex_buffer out = EEX_BUFFER_INIT;
    int code = EEX_OK;
    if (json)
        print_json(&out, report);
    else
        code = print_table(&out, report);
    return json ? eex__print_text(&out, code) : eex__print_report(&out, code);
}
