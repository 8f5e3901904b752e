#include "cli/predictor_curve.h"

#include "cli/out_file.h"
#include "cli/print.h"
#include "core/model/predictor_curve.h"
#include "page/plot.h"

#include "base/json.h"
#include "base/status.h"
#include "base/table.h"

#include <stdlib.h>

/* The network with its gates, with a predictor in front, and without filters. */
typedef struct curves {
    eex_curve own, filtered;
    bool has_filtered;
} curves;

int eex__curve_check(const eex__curve_wish *wish, bool force)
{
    if (wish->filtered)
        EEX_TRY(eex_model_find(wish->filtered));
    EEX_TRY(eex_check_out(wish->out, force, NULL, NULL));
    return wish->out ? eex_plot_check(wish->out) : EEX_OK;
}

/* ---- as a table ---- */

static void put_cells(eex_table *t, const eex_skip_outcome *o)
{
    eex_table_percent(t, 2, o->accuracy);
    eex_table_amount(t, o->device);
}

static int put_table(eex_buffer *out, const curves *c)
{
    eex_table *t;
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "threshold", EEX_ALIGN_LEFT, 0);
    eex_table_column(t, "right", EEX_ALIGN_RIGHT, 5);
    eex_table_column(t, "MACs", EEX_ALIGN_RIGHT, 5);
    if (c->own.predicted) {
        eex_table_column(t, "predictor: right", EEX_ALIGN_RIGHT, 4);
        eex_table_column(t, "predictor: MACs", EEX_ALIGN_RIGHT, 4);
    }
    if (c->has_filtered) {
        eex_table_column(t, "filters: right", EEX_ALIGN_RIGHT, 3);
        eex_table_column(t, "filters: MACs", EEX_ALIGN_RIGHT, 3);
    }
    for (int i = 0; i < EEX_CURVE_POINTS; i++) {
        eex_table_row(t);
        eex_table_cell(t, "%g", c->own.threshold[i]);
        put_cells(t, &c->own.without[i]);
        if (c->own.predicted)
            put_cells(t, &c->own.with[i]);
        if (c->has_filtered)
            put_cells(t, &c->filtered.without[i]);
    }
    return eex__put_table(out, t);
}

static int put_text(eex_buffer *out, const curves *c)
{
    EEX_TRY(put_table(out, c));
    eex_buffer_printf(out,
                      "threshold: on the top-1 probability, of all gates; right: of %d validation "
                      "images; MACs: an image's on the device, in front of the last exit.\n",
                      c->own.samples);
    if (c->own.predicted)
        eex_buffer_printf(out, "predictor: as it is, its gammas chosen for each threshold on %s.\n",
                          c->own.flattered ? "these very images, which flatters it"
                                           : "images that it has not learnt from");
    if (c->has_filtered)
        eex_buffer_puts(out, "filters: the network of --filtered, by the same thresholds.\n");
    return EEX_OK;
}

/* ---- as JSON ---- */

static void put_outcome(eex_json *j, const char *name, const eex_skip_outcome *o)
{
    eex_json_object(j, name);
    eex_json_double(j, "accuracy", o->accuracy);
    eex_json_double(j, "device_macs", o->device);
    eex_json_double(j, "macs", o->total);
    eex_json_end(j);
}

static int put_json(eex_buffer *out, const curves *c, const char *model)
{
    eex_json j = EEX_JSON_INIT(out);
    eex_json_object(&j, NULL);
    eex_json_string(&j, "model", model);
    eex_json_int(&j, "samples", c->own.samples);
    eex_json_array(&j, "curve");
    for (int i = 0; i < EEX_CURVE_POINTS; i++) {
        eex_json_object(&j, NULL);
        eex_json_double(&j, "threshold", c->own.threshold[i]);
        put_outcome(&j, "exits", &c->own.without[i]);
        if (c->own.predicted)
            put_outcome(&j, "predictor", &c->own.with[i]);
        if (c->has_filtered)
            put_outcome(&j, "filters", &c->filtered.without[i]);
        eex_json_end(&j);
    }
    eex_json_end(&j);
    eex_json_end(&j);
    eex_buffer_putc(out, '\n');
    return EEX_OK;
}

/* ---- as a picture ---- */

static void put_block(eex_buffer *out, const char *name, const eex_skip_outcome *at)
{
    eex_buffer_printf(out, "$%s << EOD\n", name);
    for (int i = 0; i < EEX_CURVE_POINTS; i++)
        eex_buffer_printf(out, "%.9g %.9g\n", at[i].device / 1e6, 100 * at[i].accuracy);
    eex_buffer_puts(out, "EOD\n");
}

static int draw(const char *path, const curves *c)
{
    eex_buffer script = EEX_BUFFER_INIT;
    put_block(&script, "exits", c->own.without);
    put_block(&script, "predictor", c->own.with);
    put_block(&script, "filters", c->filtered.without);
    eex_buffer_puts(&script, "set key bottom right\nset grid\nset xlabel 'on the device, million "
                             "MACs an image'\nset ylabel 'right, %'\nplot $exits using 1:2 with "
                             "linespoints lc rgb '#e69f00' lw 2 title 'early exits'");
    if (c->own.predicted)
        eex_buffer_puts(&script, ", $predictor using 1:2 with linespoints lc rgb '#d55e00' lw 2 "
                                 "title 'with the predictor'");
    if (c->has_filtered)
        eex_buffer_puts(&script, ", $filters using 1:2 with linespoints lc rgb '#882255' lw 2 "
                                 "title 'without filters'");
    int code = eex_buffer_status(&script);
    if (code == EEX_OK)
        code = eex_plot(path, script.data);
    eex_buffer_free(&script);
    return code;
}

/* ---- the work ---- */

static int find_filtered(curves *c, const eex_model *model, const char *path)
{
    eex_model *other = NULL;
    EEX_TRY(eex_model_open(&other, path, EEX_MODEL_BEST, model->params->device));
    int code = eex_curve_find(&c->filtered, other, NULL, 0);
    eex_model_close(other);
    if (code == EEX_OK &&
        (c->filtered.exits != c->own.exits || c->filtered.samples != c->own.samples))
        code = eex_fail(EEX_EINVAL,
                        "--filtered %s: %d exits and %d validation images, %s has %d "
                        "and %d",
                        path, c->filtered.exits, c->filtered.samples, model->path, c->own.exits,
                        c->own.samples);
    c->has_filtered = true;
    return code;
}

static int find(curves *c, const eex_model *model, const eex__curve_wish *wish)
{
    eex_exit_predictor *predictor = NULL;
    int code = eex_exit_predictor_open(&predictor, model);
    if (code < 0 && code != EEX_ENOTFOUND)
        return code;
    code = eex_curve_find(&c->own, model, predictor, wish->more);
    eex_exit_predictor_free(predictor);
    EEX_TRY(code);
    return wish->filtered ? find_filtered(c, model, wish->filtered) : EEX_OK;
}

int eex__curve_print(const eex_model *model, const eex__curve_wish *wish)
{
    curves *c = calloc(1, sizeof *c);
    eex_buffer text = EEX_BUFFER_INIT;
    if (!c)
        return eex_fail(EEX_ENOMEM, "out of memory for a curve");
    int code = find(c, model, wish);
    if (code == EEX_OK && wish->out)
        code = draw(wish->out, c);
    if (code == EEX_OK)
        code = wish->json ? eex__print_text(&text, put_json(&text, c, model->path))
                          : eex__print_report(&text, put_text(&text, c));
    free(c);
    return code;
}
