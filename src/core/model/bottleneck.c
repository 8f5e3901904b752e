#include "core/graph/bottleneck.h"

#include "core/model/bottleneck_impl.h"
#include "core/model/cut.h"
#include "core/model/model_data.h"
#include "core/plan/quantise.h"
#include "core/policy/replay.h"
#include "core/train/kept.h"

#include "base/buffer.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 100 };

typedef eex_bottleneck bottling;

eex_bottling eex_bottling_default(void)
{
    return (eex_bottling){.bits = 8,
                          .epochs = 20,
                          .more = 10,
                          .batch = 128,
                          .lr = 0.05,
                          .more_lr = 0.005,
                          .augment = true};
}

void eex_bottleneck_free(eex_bottleneck *b)
{
    if (!b)
        return;
    free(b->train.at);
    eex_params_free(b->params);
    eex_graph_free(b->plain);
    eex_graph_free(b->graph);
    eex_policy_free(b->policy);
    eex_trace_free(b->calibration);
    eex_trace_free(b->validation);
    eex_narrowed_free(&b->narrowed);
    free(b);
}

const eex_bottled *eex_bottleneck_facts(const eex_bottleneck *b)
{
    return &b->out;
}

static int check(const eex_model *m, const eex_bottling *how)
{
    if (!m->params)
        return eex_fail(EEX_EINVAL, "%s was opened without a device", m->path);
    if (how->bits < EEX_QUANTISE_MIN_BITS || how->bits > EEX_QUANTISE_MAX_BITS)
        return eex_fail(EEX_EINVAL, "%d bits a value: 1 to 8 expected", how->bits);
    if (how->epochs < 1 || how->more < 1 || how->batch < 2 || !(how->lr > 0) || !(how->more_lr > 0))
        return eex_fail(EEX_EINVAL,
                        "%d and %d epochs of batches of %d with rates from %g and %g: all of them "
                        "are at least 1, batches 2, rates above 0",
                        how->epochs, how->more, how->batch, how->lr, how->more_lr);
    return eex_device_calculates(m->params->device, how->precision);
}

/* ---- training ---- */

static eex_recipe recipe_of(const bottling *b, int epochs, double lr)
{
    eex_recipe r = eex_recipe_default();
    r.regime = EEX_REGIME_FROZEN;
    r.precision = b->how.precision;
    r.epochs = epochs;
    r.batch = b->how.batch;
    r.lr = lr;
    r.schedule = (eex_schedule){.kind = EEX_SCHEDULE_COSINE, .final = 0.01};
    r.augment = (eex_augment){.enabled = b->how.augment, .crop_pad = 4, .flip = true};
    memcpy(r.augment.mean, b->model->input.mean, sizeof r.augment.mean);
    memcpy(r.augment.std, b->model->input.std, sizeof r.augment.std);
    return r;
}

/* Parameters that the second step's training goes on from belong to its checkpoint: those that were
 * found in the first. */
static int fill_network(eex_store_file *file, const void *context)
{
    return eex_params_save(((const bottling *)context)->params, file, "network");
}

static int use_network(eex_store_file *file, void *context)
{
    return eex_params_load(((bottling *)context)->params, file, "network");
}

static int subject_of(char out[EEX_SHA256_HEX], const bottling *b, const eex_params *params,
                      const eex_recipe *recipe, uint64_t seed)
{
    eex_buffer of = EEX_BUFFER_INIT;
    eex_buffer_printf(&of, "bottleneck of %s: step %d, %d bits; %d %d %.17g %.17g", b->network,
                      b->step, b->how.bits, b->how.epochs, b->how.more, b->how.lr, b->how.more_lr);
    int code = eex_buffer_status(&of);
    if (code == EEX_OK)
        code = eex_kept_subject(out, of.data, params, recipe, b->train.at, b->train.count, seed);
    eex_buffer_free(&of);
    return code;
}

static int run_epochs(eex_params *params, const bottling *b, const eex_recipe *recipe,
                      const char *title, uint64_t seed)
{
    char subject[EEX_SHA256_HEX];
    const eex_kept kept = {.title = title,
                           .rates = b->how.rates,
                           .path = b->how.checkpoint,
                           .subject = subject,
                           .fill = fill_network,
                           .context = b,
                           .goes_on = b->step > 1};
    eex_trainer *trainer = NULL;
    eex_epoch_report last;
    EEX_TRY(subject_of(subject, b, params, recipe, seed));
    EEX_TRY(eex_trainer_new(&trainer, params, recipe, b->data, b->train.at, b->train.count, seed));
    const int code = eex_kept_train(&last, trainer, recipe, b->train.count, &kept);
    eex_trainer_free(trainer);
    return code;
}

/* What lies behind a node, with parameters of its own. */
static int open_behind(eex_graph **rest, eex_params **params, const bottling *b,
                       const eex_graph *graph, const char *node, uint64_t seed)
{
    int copied;
    EEX_TRY(eex_graph_behind(rest, graph, eex_graph_find(graph, node)));
    EEX_TRY(eex_params_new(params, b->params->device, *rest, seed));
    return eex_params_copy(*params, b->params, &copied);
}

/* Trains what lies behind a node of a graph whose parameters are all among the network's. */
static int train_behind(bottling *b, const eex_graph *graph, const char *node,
                        const eex_recipe *recipe, const char *title, uint64_t seed)
{
    eex_graph *rest = NULL;
    eex_params *params = NULL;
    int copied;
    int code = open_behind(&rest, &params, b, graph, node, seed);
    if (code == EEX_OK)
        code = run_epochs(params, b, recipe, title, seed);
    if (code == EEX_OK)
        code = eex_params_copy(b->params, params, &copied);
    eex_params_free(params);
    eex_graph_free(rest);
    return code;
}

/* ---- the network ---- */

static int64_t elements(const eex_node *n)
{
    return (int64_t)n->h * n->w * n->c;
}

static int make_graphs(bottling *b)
{
    const eex_model *m = b->model;
    int copied;
    EEX_TRY(eex_graph_with_bottleneck(&b->plain, m->graph, 0));
    EEX_TRY(eex_graph_with_bottleneck(&b->graph, m->graph, b->how.bits));
    EEX_TRY(eex_params_new(&b->params, m->params->device, b->graph, b->how.seed));
    EEX_TRY(eex_params_copy(b->params, m->params, &copied));
    const eex_exit *exit = eex_graph_exit(b->graph, eex_graph_exits(b->graph) - 2);
    const eex_node *value = eex_graph_node(b->graph, exit->point);
    snprintf(b->out.value, sizeof b->out.value, "%s", value->name);
    b->out.bits = b->how.bits;
    b->out.values_before = elements(value);
    b->out.values = b->out.values_before / 16;
    b->out.bytes_before = b->out.values_before * (int64_t)sizeof(float);
    b->out.bytes = (int64_t)eex_quantised_bytes((size_t)b->out.values, b->how.bits);
    return EEX_OK;
}

/* The second step of a training that was interrupted in it has the first one's result. */
static int second_step_found(bool *found, bottling *b, const eex_recipe *recipe, const char *node)
{
    char subject[EEX_SHA256_HEX];
    eex_graph *rest = NULL;
    eex_params *params = NULL;
    float range[2];
    int code = open_behind(&rest, &params, b, b->graph, node, b->how.seed + 1);
    if (code == EEX_OK)
        code = subject_of(subject, b, params, recipe, b->how.seed + 1);
    if (code == EEX_OK)
        code = eex_kept_read(found, b->how.checkpoint, subject, use_network, b);
    eex_params_free(params);
    eex_graph_free(rest);
    if (code < 0 || !*found)
        return code;
    EEX_TRY(
        eex_params_get(b->params, eex__bottleneck_param(b->graph, EEX_BOTTLENECK_RANGE), range));
    b->out.range = (double)range[1];
    return EEX_OK;
}

static int train(bottling *b)
{
    static const char node[] = "bottleneck.quantise";
    const eex_bottling *how = &b->how;
    const eex_recipe first = recipe_of(b, how->epochs, how->lr);
    const eex_recipe second = recipe_of(b, how->more, how->more_lr);
    bool found;
    b->step = 2;
    EEX_TRY(second_step_found(&found, b, &second, node));
    if (!found) {
        b->step = 1;
        EEX_TRY(
            train_behind(b, b->plain, b->out.value, &first, "training the autoencoder", how->seed));
        EEX_TRY(eex__bottleneck_range(b));
    }
    b->step = 2;
    return train_behind(b, b->graph, node, &second, "training behind the codes", how->seed + 1);
}

/* ---- what it is worth ---- */

static int record(eex_trace **out, const bottling *b, const eex_index *part)
{
    eex_inference how = eex_model_inference(b->model, BATCH);
    how.familiar = b->model->familiar;
    EEX_TRY(eex_trace_record(out, b->graph, b->params, b->data, part->at, part->count, &how));
    return b->policy ? eex_trace_score(*out, b->params->device, b->policy->temperature) : EEX_OK;
}

static int record_both(bottling *b)
{
    eex_index part[2] = {{NULL, 0}, {NULL, 0}};
    int code = eex_model_data_part(&part[0], b->model, b->data, "calibration");
    if (code == EEX_OK)
        code = eex_model_data_part(&part[1], b->model, b->data, "validation");
    if (code == EEX_OK)
        code = record(&b->calibration, b, &part[0]);
    if (code == EEX_OK)
        code = record(&b->validation, b, &part[1]);
    if (code == EEX_OK)
        code = eex__bottleneck_narrow(b, &part[0], &part[1]);
    free(part[0].at);
    free(part[1].at);
    return code;
}

static int accuracy_of(double *end, double *with_policy, const eex_trace *trace,
                       const eex_policy *policy)
{
    eex_outcome o;
    *end = *with_policy = eex_trace_accuracy(trace, trace->exits - 1);
    if (!policy)
        return EEX_OK;
    EEX_TRY(eex_replay(&o, trace, policy, NULL, NULL, NULL));
    *with_policy = o.accuracy;
    return EEX_OK;
}

static int judge(bottling *b)
{
    const eex_model *m = b->model;
    eex_trace *before = NULL;
    int all[EEX_MAX_EXITS];
    for (int k = 0; k < eex_graph_exits(b->graph); k++)
        all[k] = k;
    if (m->policy)
        EEX_TRY(eex_policy_select(&b->policy, m->policy, all, eex_graph_exits(b->graph)));
    EEX_TRY(record_both(b));
    EEX_TRY(accuracy_of(&b->out.end, &b->out.accuracy, b->validation, b->policy));
    EEX_TRY(eex_cut_trace(&before, m, "validation"));
    int code = accuracy_of(&b->out.end_before, &b->out.accuracy_before, before, m->policy);
    eex_trace_free(before);
    return code;
}

/* ---- all of it ---- */

int eex_bottleneck_check(const eex_model *model, const eex_bottling *how)
{
    eex_graph *graph = NULL;
    EEX_TRY(check(model, how));
    const int code = eex_graph_with_bottleneck(&graph, model->graph, how->bits);
    eex_graph_free(graph);
    return code;
}

static int work(bottling *b)
{
    EEX_TRY(check(b->model, &b->how));
    EEX_TRY(make_graphs(b));
    EEX_TRY(eex_sha256_file(b->network, b->model->path));
    EEX_TRY(eex_model_data_train(&b->train, b->model, b->data));
    EEX_TRY(train(b));
    return judge(b);
}

int eex_bottleneck_make(eex_bottleneck **out, const eex_model *model, eex_dataset *data,
                        const eex_bottling *how)
{
    *out = NULL;
    bottling *b = calloc(1, sizeof *b);
    if (!b)
        return eex_fail(EEX_ENOMEM, "out of memory for a bottleneck");
    b->model = model;
    b->how = *how;
    b->data = data;
    const int code = work(b);
    if (code == EEX_OK)
        *out = b;
    else
        eex_bottleneck_free(b);
    return code;
}
