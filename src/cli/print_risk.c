#include "cli/print_risk.h"

#include "base/status.h"
#include "base/table.h"
#include "base/text.h"

#include <math.h>

/* The split that nothing was fitted or certified on. */
static const eex_tune_split *held_out(const eex_tune_report *r)
{
    return &r->split[1];
}

/* ---- in words ---- */

static const char *loss_in_words(eex_loss loss)
{
    static const char *const words[] = {
        [EEX_LOSS_ACCURACY] = "right at the end and wrong here",
        [EEX_LOSS_DISAGREEMENT] = "another class than at the end",
        [EEX_LOSS_BRIER] = "how much the Brier score (0 to 2) grows",
    };
    _Static_assert(sizeof words / sizeof *words == EEX_LOSSES, "words a loss");
    return words[loss];
}

static void promise(eex_buffer *out, const eex_risk_options *o)
{
    eex_buffer_printf(out, "\nRisk: %s (%s).\n", loss_in_words(o->loss), eex_loss_name(o->loss));
    if (o->method == EEX_RISK_CRC)
        eex_buffer_printf(out,
                          "On average over the draw of the calibration images its mean is at most "
                          "%g\nfor images like them (conformal risk control, which asks for no "
                          "--delta).\n",
                          o->epsilon);
    else
        eex_buffer_printf(out,
                          "With probability %g over the draw of the calibration images its mean "
                          "is\nat most %g for images like them, %s (learn then test).\n",
                          1 - o->delta, o->epsilon,
                          o->each_exit ? "at each exit" : "over all of them");
}

/* How far along the one scalar. */
static void how_far(eex_buffer *out, const eex_tune_report *r)
{
    const eex_risk *c = &r->facts->risk;
    if (isnan(c->lambda))
        return;
    if (r->policy->kind == EEX_POLICY_PER_CLASS)
        eex_buffer_printf(out, "All classes' thresholds are shifted by %+.3g deviations.\n",
                          -c->lambda);
    else
        eex_buffer_printf(out, "Thresholds let pass what is %.3g times as unsure as tuned.\n",
                          c->lambda);
}

static void certificate(eex_buffer *out, const eex_tune_report *r)
{
    const eex_risk *c = &r->facts->risk;
    eex_buffer_printf(out,
                      "Half of the calibration images, %d, fitted it; the other %d certified %d "
                      "of\n%d settings, of which this is the cheapest. Weights and structure are "
                      "taken\nas given (docs/running-models.md).\n",
                      c->fitted, c->tested, c->passed, c->settings);
    if (c->open)
        how_far(out, r);
    else
        eex_buffer_puts(out, "None that lets anybody leave early is certified: all run to the "
                             "end, where\nnothing is lost.\n");
}

/* ---- the table ---- */

static void columns(eex_table *t, bool known)
{
    eex_table_column(t, "risk", EEX_ALIGN_LEFT, 3);
    eex_table_column(t, "certified on", EEX_ALIGN_RIGHT, 2);
    eex_table_column(t, "mean", EEX_ALIGN_RIGHT, 3);
    eex_table_column(t, "promised", EEX_ALIGN_RIGHT, 3);
    if (!known)
        return;
    eex_table_column(t, "validation", EEX_ALIGN_RIGHT, 1);
    eex_table_column(t, "mean", EEX_ALIGN_RIGHT, 2);
    eex_table_column(t, "95 %", EEX_ALIGN_RIGHT, 1);
}

static void part_cells(eex_table *t, const eex_risk_part *part)
{
    eex_table_cell(t, "%d", part->samples);
    eex_table_fixed(t, 4, part->mean);
    eex_table_fixed(t, 4, part->bound);
}

static void all_row(eex_table *t, const eex_tune_report *r)
{
    const eex_tune_split *held = held_out(r);
    const eex_interval *mean = &held->loss.mean;
    eex_table_row(t);
    eex_table_cell(t, "all");
    part_cells(t, &r->facts->risk.all);
    if (!held->known)
        return;
    eex_table_cell(t, "%d", held->loss.samples);
    eex_table_fixed(t, 4, mean->value);
    eex_table_cell(t, "%.4f..%.4f", mean->low, mean->high);
}

/* An exit where nobody leaves has nothing to say. */
static void exit_row(eex_table *t, const eex_tune_report *r, int k)
{
    const eex_loss_report *held = &held_out(r)->loss;
    const bool known = held_out(r)->known;
    if (r->facts->risk.at[k].samples == 0 && (!known || held->left[k] == 0))
        return;
    eex_table_row(t);
    eex_table_cell(t, "leave at %d", k + 1);
    part_cells(t, &r->facts->risk.at[k]);
    if (!known)
        return;
    eex_table_cell(t, "%d", held->left[k]);
    eex_table_fixed(t, 4, held->exit_mean[k]);
}

int eex_print_risk(eex_buffer *out, const eex_tune_report *r, size_t width)
{
    eex_table *t = NULL;
    promise(out, &r->wish->risk);
    certificate(out, r);
    EEX_TRY(eex_table_new(&t));
    columns(t, held_out(r)->known);
    all_row(t, r);
    for (int k = 0; k < r->facts->risk.exits; k++)
        exit_row(t, r, k);
    eex_buffer_putc(out, '\n');
    int code = eex_table_format(out, t, width);
    eex_table_free(t);
    return code;
}

/* ---- JSON ---- */

static void json_exits(eex_json *j, const eex_tune_report *r)
{
    const eex_tune_split *held = held_out(r);
    eex_json_array(j, "exits");
    for (int k = 0; k < r->facts->risk.exits; k++) {
        const eex_risk_part *at = &r->facts->risk.at[k];
        eex_json_object(j, NULL);
        eex_json_int(j, "images", at->samples);
        eex_json_double(j, "mean", at->mean);
        eex_json_double(j, "bound", at->bound);
        if (held->known) {
            eex_json_int(j, "validation_images", held->loss.left[k]);
            eex_json_double(j, "validation_mean", held->loss.exit_mean[k]);
        }
        eex_json_end(j);
    }
    eex_json_end(j);
}

static void json_held_out(eex_json *j, const eex_tune_report *r)
{
    const eex_interval *mean = &held_out(r)->loss.mean;
    if (!held_out(r)->known) {
        eex_json_null(j, "validation");
        return;
    }
    eex_json_array(j, "validation");
    eex_json_double(j, NULL, mean->value);
    eex_json_double(j, NULL, mean->low);
    eex_json_double(j, NULL, mean->high);
    eex_json_end(j);
}

void eex_json_risk(eex_json *j, const eex_tune_report *r)
{
    const eex_risk_options *o = &r->wish->risk;
    const eex_risk *c = &r->facts->risk;
    eex_json_object(j, "risk");
    eex_json_string(j, "loss", eex_loss_name(o->loss));
    eex_json_string(j, "method", eex_risk_method_name(o->method));
    eex_json_double(j, "epsilon", o->epsilon);
    eex_json_double(j, "delta", o->method == EEX_RISK_LTT ? o->delta : NAN);
    eex_json_bool(j, "each_exit", o->each_exit);
    eex_json_int(j, "fitted", c->fitted);
    eex_json_int(j, "certified_on", c->tested);
    eex_json_double(j, "needed", eex_risk_samples(o));
    eex_json_int(j, "settings", c->settings);
    eex_json_int(j, "passed", c->passed);
    eex_json_bool(j, "open", c->open);
    eex_json_double(j, "lambda", c->lambda);
    eex_json_double(j, "mean", c->all.mean);
    eex_json_double(j, "bound", c->all.bound);
    json_held_out(j, r);
    json_exits(j, r);
    eex_json_end(j);
}
