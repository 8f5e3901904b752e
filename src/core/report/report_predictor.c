#include "core/report/report_predictor.h"

static void doubles(eex_json *j, const char *key, const double *values, int count)
{
    eex_json_array(j, key);
    for (int i = 0; i < count; i++)
        eex_json_double(j, NULL, values[i]);
    eex_json_end(j);
}

static void json_outcome(eex_json *j, const char *key, const eex_skip_outcome *o, int exits)
{
    eex_json_object(j, key);
    eex_json_double(j, "accuracy", o->accuracy);
    eex_json_double(j, "device_macs", o->device);
    eex_json_double(j, "macs", o->total);
    doubles(j, "utilisation", o->share, exits);
    doubles(j, "computed", o->computed, exits);
    eex_json_end(j);
}

static void json_figures(eex_json *j, const char *key, const eex_exit_predictor_figures *f,
                         int exits)
{
    if (f->samples == 0) {
        eex_json_null(j, key);
        return;
    }
    eex_json_object(j, key);
    eex_json_int(j, "samples", f->samples);
    json_outcome(j, "without", &f->without, exits);
    json_outcome(j, "with", &f->with, exits);
    eex_json_end(j);
}

void eex_report_predictor_json(eex_json *j, const eex_exit_predictor *p, const eex_model *m)
{
    eex_json_object(j, "predictor");
    eex_json_string(j, "family", eex_exit_predictor_family_name(p->recipe.family));
    eex_json_string(j, "images", eex_exit_predictor_images_name(p->recipe.images));
    eex_json_string(j, "lambda", eex_exit_predictor_lambda_name(p->recipe.lambda));
    eex_json_int(j, "epochs", p->recipe.epochs);
    eex_json_int(j, "params", eex_graph_param_total(p->graph));
    eex_json_double(j, "macs", p->charges.predictor);
    eex_json_array(j, "gates");
    for (int k = 0; k < p->gates; k++) {
        eex_json_object(j, NULL);
        eex_json_string(j, "node",
                        eex_graph_node(m->graph, eex_graph_exit(m->graph, k)->point)->name);
        eex_json_double(j, "gamma", (double)p->gamma[k]); /* infinite: null */
        eex_json_end(j);
    }
    eex_json_end(j);
    eex_json_bool(j, "pays", p->test.with.device < p->test.without.device);
    json_figures(j, "validation", &p->validation, p->gates + 1);
    json_figures(j, "test", &p->test, p->gates + 1);
    json_figures(j, "chosen_on_test", &p->published, p->gates + 1);
    eex_json_end(j);
}
