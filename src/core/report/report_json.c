#include "core/report/report.h"
#include "core/report/report_partition.h"
#include "core/report/report_predictor.h"

#include "base/json.h"
#include "base/status.h"

#include <math.h>

static void put(void *json, const char *name, double value)
{
    eex_json_double(json, name, value);
}

/* Where an exit is; blocks below 0: the end of the backbone. */
static void place(eex_json *j, int position, const char *node, int blocks)
{
    eex_json_int(j, "position", position);
    eex_json_string(j, "node", node);
    if (blocks < 0)
        eex_json_null(j, "blocks");
    else
        eex_json_int(j, "blocks", blocks);
}

static void exits(eex_json *j, const eex_report *r)
{
    eex_json_array(j, "exits");
    for (int k = 0; k < r->best.exits; k++) {
        const eex_report_exit *x = &r->best.exit[k];
        eex_json_object(j, NULL);
        place(j, x->position, x->node, x->blocks);
        eex_report_put_exit(put, j, x);
        eex_json_end(j);
    }
    eex_json_end(j);
}

/* What is not known is 0 in a report, and null here. */
static void positive(eex_json *j, const char *name, int64_t value)
{
    if (value > 0)
        eex_json_int(j, name, value);
    else
        eex_json_null(j, name);
}

static void best(eex_json *j, const eex_report *r)
{
    const char *kind = r->best.decides ? eex_policy_kind_name(r->best.policy) : NULL;
    eex_json_object(j, "best");
    eex_report_put_best(put, j, r);
    eex_json_string(j, "policy", kind);
    eex_json_string(j, "policy_by",
                    kind ? eex_policy_fitted_by(r->best.policy, r->best.by_label) : NULL);
    eex_json_double(j, "energy_j", r->best.joules);
    positive(j, "device_peak_bytes", r->best.device_bytes);
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
        if (!isnan(part[i].threshold))
            eex_json_double(j, "threshold", part[i].threshold);
        eex_json_end(j);
    }
    eex_json_end(j);
}

/* What an elastic backbone's genes say. */
static void pareto_network(eex_json *j, const eex_report *r, const int *genome)
{
    const int genes = eex_described_genes(r->space);
    if (genes == 0)
        return;
    eex_json_object(j, "network");
    for (int i = 0; i < genes && i < r->trials.genes; i++) {
        const eex_structure_gene gene = eex_described_gene(r->space, genome, i);
        eex_json_double(j, gene.name, gene.value);
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
        pareto_network(j, r, eex_trials_genome(&r->trials, r->front[i]));
        eex_json_end(j);
    }
    eex_json_end(j);
}

/* ---- the front on the test split ---- */

static void alone(eex_json *j, const char *name, const eex_front_exit *x)
{
    if (!x) {
        eex_json_null(j, name);
        return;
    }
    eex_json_object(j, name);
    eex_report_put_alone(put, j, x);
    eex_json_end(j);
}

static void member_exits(eex_json *j, const eex_front *f, const eex_front_member *m)
{
    eex_json_array(j, "exits");
    for (int k = 0; k < m->exits; k++) {
        const eex_front_exit *x = &f->exits[m->first + (size_t)k];
        eex_json_object(j, NULL);
        place(j, x->position, x->node, x->blocks);
        eex_report_put_member_exit(put, j, x);
        alone(j, "alone", x);
        eex_json_end(j);
    }
    eex_json_end(j);
}

static void tested(eex_json *j, const eex_report *r)
{
    char file[EEX_FRONT_NAME];
    eex_json_array(j, "front");
    for (size_t i = 0; i < r->tested.count; i++) {
        const eex_front_member *m = &r->tested.members[i];
        eex_json_object(j, NULL);
        eex_json_uint(j, "trial", m->trial);
        eex_json_int(j, "gates", m->gates);
        eex_json_bool(j, "spread", m->spread);
        eex_json_bool(j, "best", m->best);
        if (m->status == EEX_OK) {
            eex_json_string(j, "file", eex_front_file(file, i));
            eex_json_null(j, "failure");
        } else {
            eex_json_null(j, "file");
            eex_json_string(j, "failure", m->reason);
        }
        eex_report_put_member(put, j, m);
        alone(j, "backbone", eex_front_end(&r->tested, m));
        member_exits(j, &r->tested, m);
        eex_json_end(j);
    }
    eex_json_end(j);
}

/* ---- the models of a search ---- */

static void models(eex_json *j, const eex_report *r)
{
    eex_json_array(j, "models");
    for (size_t i = 0; i < r->models.count; i++) {
        const eex_models_batch *b = &r->models.at[i];
        eex_json_object(j, NULL);
        eex_json_uint(j, "trials", b->trials);
        eex_json_string(j, "accuracy_surrogate", b->surrogate[0]);
        eex_json_double(j, "accuracy_tau", b->tau[0]);
        eex_json_string(j, "cost_surrogate", b->surrogate[1]);
        eex_json_double(j, "cost_tau", b->tau[1]);
        eex_json_double(j, "null_tau", b->null_tau);
        eex_json_double(j, "hypervolume", b->hypervolume);
        eex_json_end(j);
    }
    eex_json_end(j);
    eex_json_double(j, "hypervolume", r->hypervolume);
    eex_json_array(j, "reference");
    for (int k = 0; k < EEX_MODELS_OBJECTIVES && r->models.count > 0; k++)
        eex_json_double(j, NULL, r->models.reference[k]);
    eex_json_end(j);
}

static void failures(eex_json *j, const eex_report *r)
{
    eex_report_failure x;
    eex_json_array(j, "failures");
    for (size_t i = 0; eex_report_failure_at(&x, r, i); i++) {
        eex_json_object(j, NULL);
        eex_json_string(j, "what", x.what);
        eex_json_string(j, "reason", x.reason);
        eex_json_end(j);
    }
    eex_json_end(j);
}

static void unmet(eex_json *j, const eex_report *r)
{
    const char *text;
    eex_json_array(j, "unmet");
    for (size_t i = 0; (text = eex_report_unmet_at(r, i)); i++)
        eex_json_string(j, NULL, text);
    eex_json_end(j);
}

static void rivals(eex_json *j, const eex_report *r)
{
    eex_json_array(j, "rivals");
    for (size_t i = 0; i < r->rivals.count; i++) {
        eex_json_object(j, NULL);
        eex_json_string(j, "name", r->rivals.at[i].name);
        eex_json_int(j, "epochs", (int64_t)r->rivals.at[i].epochs);
        if (*r->rivals.at[i].failure)
            eex_json_string(j, "failure", r->rivals.at[i].failure);
        else
            eex_json_null(j, "failure");
        eex_report_put_rival(put, j, &r->rivals.at[i]);
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
        eex_report_put_policy(put, j, r, i);
        eex_json_end(j);
    }
    eex_json_end(j);
}

static void sizes(eex_json *j, const eex_report *r)
{
    positive(j, "height", r->images.height);
    positive(j, "width", r->images.width);
    positive(j, "network_height", r->network.height);
    positive(j, "network_width", r->network.width);
}

int eex_report_json(eex_buffer *out, const eex_report *r)
{
    eex_json j = EEX_JSON_INIT(out);
    eex_json_object(&j, NULL);
    eex_json_string(&j, "name", r->name);
    eex_json_string(&j, "device", r->device);
    eex_json_string(&j, "precision", eex_precision_name(r->precision));
    eex_json_string(&j, "dataset", r->dataset);
    eex_json_string(&j, "fingerprint",
                    eex_identity_known(&r->made_of) ? r->made_of.fingerprint : NULL);
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
    tested(&j, r);
    rivals(&j, r);
    policies(&j, r);
    eex_json_uint(&j, "trials", r->trials.count);
    positive(&j, "structures", r->structures);
    if (r->chosen < 0)
        eex_json_null(&j, "chosen");
    else
        eex_json_int(&j, "chosen", r->chosen);
    models(&j, r);
    eex_json_double(&j, "kendall_tau", r->tau);
    eex_json_uint(&j, "kendall_tau_candidates", r->tau_count);
    eex_json_double(&j, "seconds", r->seconds);
    failures(&j, r);
    unmet(&j, r);
    if (r->model && r->model->predictor)
        eex_report_predictor_json(&j, r->model->predictor, r->model);
    if (r->partition)
        eex_report_partition_json(&j, r->partition);
    eex_json_end(&j);
    eex_buffer_putc(out, '\n');
    return eex_buffer_status(out);
}
