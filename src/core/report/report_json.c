#include "core/report/report.h"

#include "base/json.h"

static void put(void *json, const char *name, double value)
{
    eex_json_double(json, name, value);
}

static void exits(eex_json *j, const eex_report *r)
{
    eex_json_array(j, "exits");
    for (int k = 0; k < r->best.exits; k++) {
        const eex_report_exit *x = &r->best.exit[k];
        eex_json_object(j, NULL);
        eex_json_int(j, "position", x->position);
        eex_json_string(j, "node", x->node);
        if (x->blocks < 0)
            eex_json_null(j, "blocks");
        else
            eex_json_int(j, "blocks", x->blocks);
        eex_report_put_exit(put, j, x);
        eex_json_end(j);
    }
    eex_json_end(j);
}

static void best(eex_json *j, const eex_report *r)
{
    eex_json_object(j, "best");
    eex_report_put_best(put, j, r);
    eex_json_double(j, "energy_j", r->best.joules);
    eex_json_int(j, "device_peak_bytes", r->best.device_bytes);
    if (r->latency_rounds) {
        eex_json_int(j, "speedup_rounds", r->latency_rounds);
        eex_json_bool(j, "speedup_disturbed", r->best.speedup.disturbed);
    } else {
        eex_json_null(j, "speedup_rounds");
        eex_json_null(j, "speedup_disturbed");
    }
    exits(j, r);
    eex_json_end(j);
}

/* One member of the front: its gates as {node, blocks}. */
static void pareto_gates(eex_json *j, const eex_report *r, const int *genome)
{
    eex_structure_part part[EEX_MAX_EXITS];
    const int count = eex_described_parts(part, EEX_MAX_EXITS, r->space, genome, r->trials.genes);
    eex_json_array(j, "gates");
    for (int i = 0; i < count; i++) {
        eex_json_object(j, NULL);
        eex_json_int(j, "position", part[i].position);
        eex_json_string(j, "node", part[i].name);
        eex_json_int(j, "blocks", part[i].size);
        eex_json_end(j);
    }
    eex_json_end(j);
}

static void pareto(eex_json *j, const eex_report *r)
{
    eex_json_array(j, "pareto");
    for (size_t i = 0; i < r->front_count; i++) {
        eex_json_object(j, NULL);
        eex_json_uint(j, "trial", r->front[i]);
        eex_report_put_trial(put, j, &r->trials.at[r->front[i]]);
        pareto_gates(j, r, eex_trials_genome(&r->trials, r->front[i]));
        eex_json_end(j);
    }
    eex_json_end(j);
}

static void policies(eex_json *j, const eex_report *r)
{
    eex_json_array(j, "policies");
    for (size_t i = 0; i < r->policies; i++) {
        eex_json_object(j, NULL);
        eex_json_string(j, "policy", r->policy_names.item[i]);
        eex_json_double(j, "accuracy", r->policy_accuracy[i]);
        eex_json_double(j, "ada_macs_cumulative", r->policy_macs[i]);
        eex_json_end(j);
    }
    eex_json_end(j);
}

static void size(eex_json *j, const char *name, int64_t pixels)
{
    if (pixels > 0)
        eex_json_int(j, name, pixels);
    else
        eex_json_null(j, name);
}

static void sizes(eex_json *j, const eex_report *r)
{
    size(j, "height", r->images.height);
    size(j, "width", r->images.width);
    size(j, "network_height", r->network.height);
    size(j, "network_width", r->network.width);
}

int eex_report_json(eex_buffer *out, const eex_report *r)
{
    eex_json j = EEX_JSON_INIT(out);
    eex_json_object(&j, NULL);
    eex_json_string(&j, "name", r->name);
    eex_json_string(&j, "device", r->device);
    eex_json_string(&j, "precision", eex_precision_name(r->precision));
    eex_json_string(&j, "dataset", r->dataset);
    sizes(&j, r);
    eex_json_int(&j, "seed", r->seed);
    eex_json_string(&j, "version", r->version);
    eex_json_bool(&j, "finished", r->finished);
    eex_json_string(&j, "state", r->state);
    eex_json_object(&j, "base");
    eex_json_double(&j, "accuracy", r->base.accuracy);
    eex_json_double(&j, "macs", r->base.macs);
    eex_report_put_latency(put, &j, &r->base.latency);
    eex_json_double(&j, "energy_j", r->base.joules);
    eex_json_end(&j);
    eex_json_object(&j, "full");
    eex_report_put_full(put, &j, r);
    eex_json_end(&j);
    best(&j, r);
    pareto(&j, r);
    policies(&j, r);
    eex_json_uint(&j, "trials", r->trials.count);
    if (r->structures > 0)
        eex_json_int(&j, "structures", r->structures);
    else
        eex_json_null(&j, "structures");
    if (r->chosen < 0)
        eex_json_null(&j, "chosen");
    else
        eex_json_int(&j, "chosen", r->chosen);
    eex_json_double(&j, "kendall_tau", r->tau);
    eex_json_uint(&j, "kendall_tau_candidates", r->tau_count);
    eex_json_double(&j, "seconds", r->seconds);
    eex_json_end(&j);
    eex_buffer_putc(out, '\n');
    return eex_buffer_status(out);
}
