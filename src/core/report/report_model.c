#include "core/report/report_model.h"

#include "core/graph/cost.h"
#include "core/report/report_predictor.h"

#include "base/json.h"
#include "base/status.h"
#include "base/table.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>

enum { MODEL_VERSION = 1 };

/* ---- loading ---- */

static int read_kept(eex_model_report *r, eex_store_file *file)
{
    eex_store_shape shape = {1, {EEX_STORE_ANY}};
    int32_t *kept = NULL;
    int64_t exits = 0;
    EEX_TRY(eex_store_get_string(&r->origin, file, "origin", "model"));
    EEX_TRY(eex_store_get_int(&exits, file, "origin", "exits"));
    EEX_TRY(eex_store_read_new((void **)&kept, file, "origin/kept", EEX_STORE_I32, &shape,
                               sizeof r->kept));
    r->origin_exits = (int)exits;
    r->kept_count = (int)shape.extent[0];
    for (int k = 0; k < r->kept_count; k++)
        r->kept[k] = kept[k];
    free(kept);
    return EEX_OK;
}

static int load_origin(eex_model_report *r)
{
    eex_store_file *file = NULL;
    EEX_TRY(eex_store_open(&file, r->model->path, "weights", MODEL_VERSION));
    int code = eex_store_has(file, "origin") ? read_kept(r, file) : EEX_OK;
    eex_store_close(file);
    return code;
}

static int replay(eex_model_report *r, const eex_trace *trace)
{
    const eex_exit_costs costs = {trace->exits, r->macs, 0};
    eex_policy *never = NULL;
    const eex_policy *policy = r->model->policy;
    if (!policy) {
        EEX_TRY(eex_policy_new(&never, EEX_POLICY_CONFIDENCE, trace->exits, trace->classes));
        for (int k = 0; k < trace->exits; k++)
            never->temperature[k] = trace->temperature[k];
        policy = never;
    }
    int code = eex_replay(&r->outcome, trace, policy, &costs, NULL, NULL);
    eex_policy_free(never);
    r->samples = trace->samples;
    for (int k = 0; k < trace->exits; k++)
        r->alone[k] = eex_trace_accuracy(trace, k);
    return code;
}

static int load_trace(eex_model_report *r)
{
    eex_trace *trace = NULL;
    int code = eex_model_trace(&trace, r->model, "validation");
    if (code == EEX_ENOTFOUND)
        return EEX_OK;
    if (code == EEX_OK)
        code = replay(r, trace);
    eex_trace_free(trace);
    return code;
}

static void count_weights(eex_model_report *r)
{
    const eex_graph *g = r->model->graph;
    r->params = eex_graph_param_total(g);
    for (int i = 0; i < eex_graph_params(g); i++)
        r->bytes += (int64_t)(eex_param_count(eex_graph_param(g, i)) * sizeof(float));
}

int eex_model_report_load(eex_model_report **out, const eex_model *model)
{
    *out = NULL;
    eex_model_report *r = calloc(1, sizeof *r);
    if (!r)
        return eex_fail(EEX_ENOMEM, "out of memory for a report");
    r->model = model;
    r->outcome.accuracy = r->outcome.cost = r->outcome.rejected = NAN;
    for (int k = 0; k < EEX_MAX_EXITS; k++)
        r->alone[k] = r->outcome.share[k] = r->outcome.exit_accuracy[k] = NAN;
    for (int k = 0; k < eex_graph_exits(model->graph); k++)
        r->macs[k] = (double)eex_cost_cumulative(model->graph, k, EEX_MACS);
    count_weights(r);
    int code = load_origin(r);
    if (code == EEX_OK)
        code = load_trace(r);
    if (code < 0)
        eex_model_report_free(r);
    else
        *out = r;
    return code;
}

void eex_model_report_free(eex_model_report *r)
{
    if (!r)
        return;
    free(r->origin);
    free(r);
}

/* ---- as a table ---- */

static void exit_row(eex_table *t, const eex_model_report *r, int k)
{
    const eex_graph *g = r->model->graph;
    const eex_exit *e = eex_graph_exit(g, k);
    eex_table_row(t);
    if (e->blocks < 0) {
        eex_table_cell(t, "%d  end of the backbone", k + 1);
        eex_table_cell(t, "%s", "");
    } else {
        eex_table_cell(t, "%d  %s", k + 1, eex_graph_node(g, e->point)->name);
        eex_table_cell(t, "%d", e->blocks);
    }
    eex_table_percent(t, 2, r->outcome.share[k]);
    eex_table_percent(t, 2, r->outcome.exit_accuracy[k]);
    eex_table_percent(t, 2, r->alone[k]);
    eex_table_amount(t, r->macs[k]);
}

static int exits(eex_buffer *out, const eex_model_report *r, size_t width)
{
    static const char *const titles[] = {"exit", "blocks", "leave", "right", "alone", "MACs"};
    eex_table *t = NULL;
    EEX_TRY(eex_table_new(&t));
    for (int i = 0; i < 6; i++)
        eex_table_column(t, titles[i], i ? EEX_ALIGN_RIGHT : EEX_ALIGN_LEFT, 6 - i);
    for (int k = 0; k < eex_graph_exits(r->model->graph); k++)
        exit_row(t, r, k);
    int code = eex_table_format(out, t, width);
    eex_table_free(t);
    return code;
}

static void origin(eex_buffer *out, const eex_model_report *r)
{
    if (!r->origin)
        return;
    if (r->kept_count == r->origin_exits) {
        eex_buffer_printf(out, "made of %s, with all of its exits\n", r->origin);
        return;
    }
    eex_buffer_printf(out, "cut from %s of %d exit%s, of which it has", r->origin, r->origin_exits,
                      eex_plural(r->origin_exits));
    for (int k = 0; k < r->kept_count; k++)
        eex_buffer_printf(out, "%s %d", k ? "," : "", (int)r->kept[k]);
    eex_buffer_putc(out, '\n');
}

static void outcome(eex_buffer *out, const eex_model_report *r)
{
    char text[EEX_TEXT_SIZE];
    if (!r->samples) {
        eex_buffer_puts(out, "it keeps no trace of the validation split\n");
        return;
    }
    eex_buffer_printf(out, "validation split, %d image%s: %.2f %% right at %s MACs an image",
                      r->samples, eex_plural(r->samples), 100 * r->outcome.accuracy,
                      eex_text_number(text, r->outcome.cost, NULL));
    if (r->outcome.rejected > 0)
        eex_buffer_printf(out, ", %.2f %% rejected", 100 * r->outcome.rejected);
    eex_buffer_puts(out,
                    "\nleave, right, alone: of these; right of those that leave there, alone if "
                    "all left there\n");
}

int eex_model_report_table(eex_buffer *out, const eex_model_report *r, size_t width)
{
    const eex_model *m = r->model;
    char params[EEX_TEXT_SIZE], words[EEX_POLICY_WORDS];
    const eex_node *in = eex_graph_node(m->graph, 0);
    eex_buffer_printf(out, "%s for %zu class%s of %s, images of %dx%dx%d", eex_graph_name(m->graph),
                      m->input.classes.count, m->input.classes.count == 1 ? "" : "es",
                      m->input.dataset, m->input.height, m->input.width, m->input.channels);
    if (in->h != m->input.height || in->w != m->input.width)
        eex_buffer_printf(out, " that are resized to %dx%d", in->h, in->w);
    eex_buffer_putc(out, '\n');
    origin(out, r);
    eex_buffer_printf(out, "%s parameters, %.2f MB of weights; policy: %s",
                      eex_text_number(params, (double)r->params, NULL), (double)r->bytes / 1e6,
                      m->policy ? eex_policy_words(words, m->policy->kind, m->policy->by_label)
                                : "none");
    if (m->precision != EEX_F32)
        eex_buffer_printf(out, "; decides in %s", eex_precision_name(m->precision));
    if (m->part.side == EEX_PLAN_FRONT)
        eex_buffer_printf(
            out,
            "\nthe file has the device's part of these weights alone, cut behind exit "
            "%d, for --remote",
            m->part.cut + 1);
    eex_buffer_puts(out, "\n\n");
    EEX_TRY(exits(out, r, width));
    eex_buffer_putc(out, '\n');
    outcome(out, r);
    return eex_buffer_status(out);
}

/* ---- as JSON ---- */

static void json_exits(eex_json *j, const eex_model_report *r)
{
    const eex_graph *g = r->model->graph;
    eex_json_array(j, "exits");
    for (int k = 0; k < eex_graph_exits(g); k++) {
        const eex_exit *e = eex_graph_exit(g, k);
        eex_json_object(j, NULL);
        eex_json_int(j, "exit", k + 1);
        eex_json_string(j, "node", eex_graph_node(g, e->point)->name);
        if (e->blocks < 0)
            eex_json_null(j, "blocks");
        else
            eex_json_int(j, "blocks", e->blocks);
        eex_json_double(j, "utilisation", r->outcome.share[k]);
        eex_json_double(j, "accuracy", r->outcome.exit_accuracy[k]);
        eex_json_double(j, "alone_accuracy", r->alone[k]);
        eex_json_double(j, "macs", r->macs[k]);
        eex_json_end(j);
    }
    eex_json_end(j);
}

static void json_origin(eex_json *j, const eex_model_report *r)
{
    if (!r->origin) {
        eex_json_null(j, "origin");
        return;
    }
    eex_json_object(j, "origin");
    eex_json_string(j, "model", r->origin);
    eex_json_int(j, "exits", r->origin_exits);
    eex_json_array(j, "kept");
    for (int k = 0; k < r->kept_count; k++)
        eex_json_int(j, NULL, r->kept[k]);
    eex_json_end(j);
    eex_json_end(j);
}

int eex_model_report_json(eex_buffer *out, const eex_model_report *r)
{
    const eex_model *m = r->model;
    eex_json j = EEX_JSON_INIT(out);
    eex_json_object(&j, NULL);
    eex_json_string(&j, "model", m->path);
    eex_json_string(&j, "network", eex_graph_name(m->graph));
    eex_json_string(&j, "dataset", m->input.dataset);
    eex_json_uint(&j, "classes", m->input.classes.count);
    eex_json_int(&j, "height", m->input.height);
    eex_json_int(&j, "width", m->input.width);
    eex_json_int(&j, "channels", m->input.channels);
    eex_json_int(&j, "network_height", eex_graph_node(m->graph, 0)->h);
    eex_json_int(&j, "network_width", eex_graph_node(m->graph, 0)->w);
    eex_json_int(&j, "params", r->params);
    eex_json_int(&j, "bytes", r->bytes);
    eex_json_string(&j, "precision", eex_precision_name(m->precision));
    eex_json_string(&j, "policy", m->policy ? eex_policy_kind_name(m->policy->kind) : NULL);
    eex_json_string(&j, "policy_by",
                    m->policy ? eex_policy_fitted_by(m->policy->kind, m->policy->by_label) : NULL);
    json_origin(&j, r);
    eex_json_int(&j, "validation_samples", r->samples);
    eex_json_double(&j, "accuracy", r->outcome.accuracy);
    eex_json_double(&j, "rejected", r->outcome.rejected);
    eex_json_double(&j, "ada_macs_cumulative", r->outcome.cost);
    json_exits(&j, r);
    if (m->predictor)
        eex_report_predictor_json(&j, m->predictor, m);
    eex_json_end(&j);
    eex_buffer_putc(out, '\n');
    return eex_buffer_status(out);
}
