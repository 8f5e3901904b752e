#include "cli/print_prune.h"

#include "cli/print.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/status.h"
#include "base/table.h"
#include "base/text.h"

#include <math.h>

/* ---- as a table ---- */

static int begin(eex_table **out, const char *title, const eex_prune_table *p, bool alone)
{
    eex_table *t = NULL;
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, title, EEX_ALIGN_LEFT, 9);
    eex_table_column(t, "validation", EEX_ALIGN_RIGHT, 8);
    if (p->test)
        eex_table_column(t, "test", EEX_ALIGN_RIGHT, 7);
    eex_table_column(t, "MACs", EEX_ALIGN_RIGHT, 7);
    if (!alone)
        eex_table_column(t, "most MACs", EEX_ALIGN_RIGHT, 6);
    if (p->timed) {
        eex_table_column(t, "ms", EEX_ALIGN_RIGHT, 5);
        if (!alone)
            eex_table_column(t, "most ms", EEX_ALIGN_RIGHT, 4);
    }
    eex_table_column(t, "params", EEX_ALIGN_RIGHT, 3);
    eex_table_column(t, "MB", EEX_ALIGN_RIGHT, 2);
    *out = t;
    return EEX_OK;
}

static void numbers(eex_table *t, const eex_prune_table *p, const eex_prune_row *r, bool alone)
{
    eex_table_percent(t, 2, r->facts.accuracy);
    if (p->test)
        eex_table_percent(t, 2, r->test_accuracy);
    eex_table_amount(t, r->facts.macs);
    if (!alone)
        eex_table_amount(t, r->facts.most_macs);
    if (p->timed) {
        eex_table_fixed(t, 3, r->ms);
        if (!alone)
            eex_table_fixed(t, 3, r->most_ms);
    }
    eex_table_amount(t, (double)r->facts.params);
    eex_table_cell(t, "%.2f", (double)r->facts.bytes / 1e6);
}

/* The base as if it were a row of the table. */
static eex_prune_row base_row(const eex_prune_table *p)
{
    return (eex_prune_row){.facts = {.params = p->base.params,
                                     .bytes = p->base.bytes,
                                     .macs = p->base.macs,
                                     .most_macs = p->base.macs,
                                     .accuracy = p->base.accuracy},
                           .test_accuracy = p->base.test_accuracy,
                           .ms = p->base.ms,
                           .most_ms = p->base.ms};
}

static int table(eex_buffer *out, const eex_prune_table *p, const eex_graph *g, bool alone)
{
    eex_table *t = NULL;
    EEX_TRY(begin(&t, alone ? "only exit" : "cut after exit", p, alone));
    if (p->base.there) {
        const eex_prune_row base = base_row(p);
        eex_table_row(t);
        eex_table_cell(t, "base");
        numbers(t, p, &base, alone);
        if (!alone) {
            eex_table_row(t);
            eex_table_cell(t, "to its end");
            numbers(t, p, &p->alone[p->exits - 1], alone);
        }
        eex_table_rule(t);
    }
    for (int k = 0; k < p->exits; k++) {
        eex_table_row(t);
        eex_table_cell(t, "%d  %s", k + 1, eex__exit_name(g, k));
        numbers(t, p, alone ? &p->alone[k] : &p->kept[k], alone);
    }
    return eex__put_table(out, t);
}

static void notes(eex_buffer *out, const eex_prune_table *p)
{
    eex_buffer_printf(
        out, "\nvalidation: right of the %d image%s of the validation split, from its trace.\n",
        p->validation, eex_plural(p->validation));
    if (p->base.there)
        eex_buffer_puts(
            out, "The base was run on them. \"to its end\": this network without its gates.\n");
    if (p->test)
        eex_buffer_printf(out,
                          "test: right of %d image%s of the test split, by running each network.\n",
                          p->test, eex_plural(p->test));
    eex_buffer_puts(out, "MACs: of an image on average; most: of one that goes to the end.\n");
    if (p->timed)
        eex_buffer_printf(out,
                          "ms: the same, one image at a time on %d images, networks taking turns; "
                          "each\nimage counts with the lower quartile of its %d rounds%s.\n",
                          p->timed, p->rounds,
                          p->disturbed ? ",\nwhich disagree: the machine was disturbed" : "");
    eex_buffer_puts(out, "MB: weights in the file, without traces.\n");
}

static int put_prune(eex_buffer *out, const eex_prune_table *p, const eex_graph *g)
{
    EEX_TRY(table(out, p, g, false));
    eex_buffer_putc(out, '\n');
    EEX_TRY(table(out, p, g, true));
    notes(out, p);
    return EEX_OK;
}

static void put_cut(eex_buffer *out, const eex_prune_table *p, const eex_model *model,
                    const eex_prune_done *done)
{
    char macs[EEX_TEXT_SIZE], most[EEX_TEXT_SIZE], params[EEX_TEXT_SIZE];
    const eex_prune_row *r = done->alone ? &p->alone[done->exit] : &p->kept[done->exit];
    if (done->why)
        eex_buffer_printf(out, "%s\n", done->why);
    eex_text_number(macs, r->facts.macs, NULL);
    eex_text_number(most, r->facts.most_macs, NULL);
    eex_text_number(params, (double)r->facts.params, NULL);
    eex_buffer_printf(out,
                      "%s exit %d (%s): %.2f %% right on the %d images of the validation split,\n"
                      "%s MACs an image, %s at most, %s parameters\n",
                      done->alone ? "only" : "cut after", done->exit + 1,
                      eex__exit_node(model->graph, done->exit), 100 * r->facts.accuracy,
                      p->validation, macs, most, params);
    if (done->file) {
        eex__put_name(out, done->file);
        eex_buffer_printf(out, ": %.2f MB\n", (double)done->bytes / 1e6);
    }
}

int eex_print_prune(const eex_prune_table *p, const eex_model *model, const eex_prune_done *done)
{
    eex_buffer out = EEX_BUFFER_INIT;
    const int code = put_prune(&out, p, model->graph);
    if (code == EEX_OK && done->exit >= 0) {
        eex_buffer_putc(&out, '\n');
        put_cut(&out, p, model, done);
    }
    return eex__print_report(&out, code);
}

int eex_print_cut(const eex_prune_table *p, const eex_model *model, const eex_prune_done *done)
{
    eex_buffer out = EEX_BUFFER_INIT;
    put_cut(&out, p, model, done);
    return eex__print_report(&out, EEX_OK);
}

/* ---- as JSON ---- */

static void json_speedup(eex_json *j, const eex_speedup *s)
{
    eex_json_double(j, "speedup", s->ratio);
    eex_json_double(j, "speedup_low", s->low);
    eex_json_double(j, "speedup_high", s->high);
}

static void json_facts(eex_json *j, const eex_prune_row *r)
{
    eex_json_double(j, "accuracy", r->facts.accuracy);
    eex_json_double(j, "test_accuracy", r->test_accuracy);
    eex_json_double(j, "macs", r->facts.macs);
    eex_json_double(j, "macs_most", r->facts.most_macs);
    eex_json_double(j, "latency_ms", r->ms);
    eex_json_double(j, "latency_most_ms", r->most_ms);
    eex_json_int(j, "params", r->facts.params);
    eex_json_int(j, "bytes", r->facts.bytes);
}

static void json_cuts(eex_json *j, const char *key, const eex_prune_row *rows, int count,
                      const eex_graph *g)
{
    eex_json_array(j, key);
    for (int k = 0; k < count; k++) {
        eex_json_object(j, NULL);
        eex_json_int(j, "exit", k + 1);
        eex_json_string(j, "node", eex__exit_node(g, k));
        json_facts(j, &rows[k]);
        json_speedup(j, &rows[k].speedup);
        eex_json_double(j, "rejected", rows[k].facts.rejected);
        eex_json_end(j);
    }
    eex_json_end(j);
}

static void json_done(eex_json *j, const eex_prune_done *done)
{
    if (done->exit < 0) {
        eex_json_null(j, "chosen");
        return;
    }
    eex_json_object(j, "chosen");
    eex_json_int(j, "exit", done->exit + 1);
    eex_json_bool(j, "alone", done->alone);
    eex_json_string(j, "why", done->why);
    eex_json_string(j, "file", done->file);
    if (done->file)
        eex_json_uint(j, "file_bytes", done->bytes);
    eex_json_end(j);
}

int eex_print_prune_json(const eex_prune_table *p, const eex_model *model,
                         const eex_prune_done *done)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_json j = EEX_JSON_INIT(&text);
    eex_json_object(&j, NULL);
    eex_json_string(&j, "model", model->path);
    eex_json_string(&j, "network", eex_graph_name(model->graph));
    eex_json_int(&j, "validation_samples", p->validation);
    eex_json_int(&j, "test_samples", p->test);
    eex_json_int(&j, "timed_samples", p->timed);
    eex_json_int(&j, "rounds", p->rounds);
    eex_json_bool(&j, "disturbed", p->disturbed);
    eex_json_double(&j, "full_latency_ms", p->full_ms);
    if (p->base.there) {
        const eex_prune_row base = base_row(p);
        eex_json_object(&j, "base");
        json_facts(&j, &base);
        eex_json_end(&j);
    } else {
        eex_json_null(&j, "base");
    }
    json_cuts(&j, "cut", p->kept, p->exits, model->graph);
    json_cuts(&j, "alone", p->alone, p->exits, model->graph);
    json_done(&j, done);
    eex_json_end(&j);
    eex_buffer_putc(&text, '\n');
    return eex__print_text(&text, EEX_OK);
}
