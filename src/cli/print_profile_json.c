/* Profiles as JSON. */
#include "cli/print.h"
#include "cli/print_profile.h"

#include "base/status.h"

static void exits(eex_json *j, const eex_profile *p, const eex_model *m)
{
    eex_json_array(j, "exits");
    for (int k = 0; k < p->exits; k++) {
        eex_json_object(j, NULL);
        eex_json_int(j, "exit", k + 1);
        eex_json_string(j, "node", eex__exit_node(m->graph, k));
        eex_json_double(j, "utilisation", p->share[k]);
        eex_json_double(j, "accuracy", p->accuracy[k]);
        eex_json_double(j, "macs", p->exit_macs[k]);
        eex_json_double(j, "latency_ms", p->exit_ms[k]);
        eex_json_end(j);
    }
    eex_json_end(j);
}

static void layers(eex_json *j, const eex_profile *p)
{
    eex_json_array(j, "layers");
    for (int i = 0; i < p->ops; i++) {
        const eex_profile_op *op = &p->op[i];
        eex_json_object(j, NULL);
        eex_json_string(j, "name", op->name);
        eex_json_string(j, "kind", op->kind);
        eex_json_int(j, "segment", op->segment + 1);
        eex_json_double(j, "macs", op->macs);
        eex__json_doubles(j, "ms", op->ms, p->batches);
        eex__json_doubles(j, "bytes", op->bytes, p->batches);
        eex_json_end(j);
    }
    eex_json_end(j);
}

static void latency(eex_json *j, const char *key, const eex_latency *l)
{
    eex_json_object(j, key);
    eex_json_double(j, "mean_ms", l->mean);
    eex_json_double(j, "p50_ms", l->p50);
    eex_json_double(j, "p95_ms", l->p95);
    eex_json_double(j, "p99_ms", l->p99);
    eex_json_double(j, "max_ms", l->max);
    eex_json_end(j);
}

static void speeds(eex_json *j, const eex_profile *p)
{
    eex_json_array(j, "speedups");
    for (int b = 0; b < p->batches && p->speed[b].images; b++) {
        const eex_profile_speed *s = &p->speed[b];
        eex_json_object(j, NULL);
        eex_json_int(j, "batch", s->batch);
        eex_json_int(j, "images", s->images);
        latency(j, "base", &s->base);
        latency(j, "network", &s->own);
        eex_json_double(j, "realised", s->realised.ratio);
        eex_json_double(j, "realised_low", s->realised.low);
        eex_json_double(j, "realised_high", s->realised.high);
        eex_json_bool(j, "disturbed", s->realised.disturbed);
        eex_json_double(j, "theoretical", s->theoretical);
        eex_json_double(j, "realised_of_theoretical", s->realised.ratio / s->theoretical);
        eex_json_end(j);
    }
    eex_json_end(j);
}

int eex_print_profile_json(const eex_profile *p, const eex_model *m)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_json j = EEX_JSON_INIT(&text);
    eex_json_object(&j, NULL);
    eex_json_string(&j, "model", m->path);
    eex_json_string(&j, "network", eex_graph_name(m->graph));
    eex_json_string(&j, "device", m->params->device->name);
    eex_json_string(&j, "precision", eex_precision_name(m->runs_in));
    eex_json_int(&j, "images", p->images);
    eex_json_int(&j, "rounds", p->rounds);
    eex_json_bool(&j, "disturbed", p->disturbed);
    eex__json_ints(&j, "batches", p->batch, p->batches);
    eex__json_ints(&j, "rows", p->rows, p->batches);
    eex_json_double(&j, "base_latency_ms", p->base_ms);
    eex_json_double(&j, "base_macs", p->base_macs);
    exits(&j, p, m);
    layers(&j, p);
    speeds(&j, p);
    eex_json_end(&j);
    eex_buffer_putc(&text, '\n');
    return eex__print_text(&text, EEX_OK);
}
