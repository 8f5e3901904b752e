#include "core/graph/cost.h"
#include "core/model/cut.h"
#include "core/model/model_data.h"
#include "core/model/pruned_impl.h"
#include "core/plan/narrow.h"
#include "core/policy/replay.h"
#include "core/train/kept.h"
#include "core/train/train.h"

#include "base/buffer.h"
#include "base/sha256.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 100 };

eex_pruning eex_pruning_default(void)
{
    return (eex_pruning){
        .share = 0.1, .cut = -1, .epochs = 10, .batch = 128, .lr = 0.01, .augment = true};
}

void eex_pruned_free(eex_pruned *p)
{
    if (!p)
        return;
    eex_params_free(p->params);
    eex_graph_free(p->graph);
    eex_policy_free(p->policy);
    eex_trace_free(p->trace[0]);
    eex_trace_free(p->trace[1]);
    free(p);
}

const eex_pruned_facts *eex_pruned_look(const eex_pruned *p)
{
    return &p->out;
}

/* ---- checks ---- */

static int check(const eex_model *m, const eex_pruning *how)
{
    const int last = eex_graph_exits(m->graph) - 1;
    if (!m->params)
        return eex_fail(EEX_EINVAL, "%s was opened without a device", m->path);
    if (!(how->share > 0 && how->share < 1))
        return eex_fail(EEX_EINVAL, "a share of %g of the filters: above 0 and below 1 expected",
                        how->share);
    if (how->cut < -1 || how->cut > last)
        return eex_fail(EEX_EINVAL, "filters up to exit %d: %s has 1 to %d", how->cut + 1, m->path,
                        last + 1);
    if (how->epochs < 0 || how->batch < 2 || !(how->lr > 0))
        return eex_fail(EEX_EINVAL,
                        "%d epochs of batches of %d with a rate from %g: at least 0, 2, and above "
                        "0 expected",
                        how->epochs, how->batch, how->lr);
    if (m->policy && eex_policy_rejects_by_distance(m->policy))
        return eex_fail(EEX_EINVAL,
                        "%s rejects by distance from what is familiar, which is told by channels "
                        "that would go: give it another policy",
                        m->path);
    return eex_device_calculates(m->params->device, how->precision);
}

static int cut_of(const eex_model *m, const eex_pruning *how)
{
    const int last = eex_graph_exits(m->graph) - 1;
    return how->cut >= 0 ? how->cut : last > 0 ? last - 1 : 0;
}

static int find_filters(eex_filters **out, const eex_model *m, const eex_pruning *how)
{
    EEX_TRY(check(m, how));
    EEX_TRY(eex_filters_new(out, m->graph, cut_of(m, how)));
    if ((*out)->count > 0)
        return EEX_OK;
    eex_filters_free(*out);
    *out = NULL;
    return eex_fail(EEX_EINVAL, "%s: there are no filters up to exit %d that could go", m->path,
                    cut_of(m, how) + 1);
}

/* With those that stay marked, some of which have to go. */
static int choose_filters(eex_filters **out, const eex_model *m, const eex_pruning *how)
{
    int all, gone = 0;
    EEX_TRY(find_filters(out, m, how));
    int code = eex_filters_choose(*out, m->params, how->share);
    if (code == EEX_OK)
        eex_filters_total(*out, &all, &gone);
    if (code == EEX_OK && gone == 0)
        code = eex_fail(EEX_EINVAL,
                        "a share of %g takes no filter out of any layer up to exit %d: a larger "
                        "one is needed",
                        how->share, cut_of(m, how) + 1);
    if (code < 0) {
        eex_filters_free(*out);
        *out = NULL;
    }
    return code;
}

int eex_pruned_check(const eex_model *model, const eex_pruning *how)
{
    eex_filters *filters = NULL;
    EEX_NEED(model, "model");
    EEX_NEED(how, "what to prune");
    EEX_TRY(choose_filters(&filters, model, how));
    eex_filters_free(filters);
    return EEX_OK;
}

/* ---- the network ---- */

static int narrow(eex_pruned *p, const eex_filters *filters)
{
    const eex_model *m = p->model;
    eex_filters_total(filters, &p->out.filters, &p->out.gone);
    EEX_TRY(eex_graph_narrow(&p->graph, m->graph, filters));
    EEX_TRY(eex_params_new_empty(&p->params, m->params->device, p->graph));
    EEX_TRY(eex_params_narrow(p->params, m->params, filters));
    p->out.macs_before = (double)eex_cost_cumulative(m->graph, p->out.cut, EEX_MACS);
    p->out.macs = (double)eex_cost_cumulative(p->graph, p->out.cut, EEX_MACS);
    p->out.params_before = eex_graph_param_total(m->graph);
    p->out.params = eex_graph_param_total(p->graph);
    return EEX_OK;
}

static int prune(eex_pruned *p)
{
    eex_filters *filters = NULL;
    EEX_TRY(choose_filters(&filters, p->model, &p->how));
    p->out.cut = cut_of(p->model, &p->how);
    p->out.share = p->how.share;
    p->out.epochs = p->how.epochs;
    const int code = narrow(p, filters);
    eex_filters_free(filters);
    return code;
}

/* ---- training on ---- */

static eex_recipe recipe_of(const eex_pruned *p)
{
    eex_recipe r = eex_recipe_default();
    r.regime = EEX_REGIME_JOINT;
    r.precision = p->how.precision;
    r.epochs = p->how.epochs;
    r.batch = p->how.batch;
    r.lr = p->how.lr;
    r.schedule = (eex_schedule){.kind = EEX_SCHEDULE_COSINE, .final = 0.01};
    r.augment = (eex_augment){.enabled = p->how.augment, .crop_pad = 4, .flip = true};
    memcpy(r.augment.mean, p->model->input.mean, sizeof r.augment.mean);
    memcpy(r.augment.std, p->model->input.std, sizeof r.augment.std);
    return r;
}

static int subject_of(char out[EEX_SHA256_HEX], const eex_pruned *p, const eex_recipe *recipe,
                      const eex_index *train)
{
    char network[EEX_SHA256_HEX];
    eex_buffer of = EEX_BUFFER_INIT;
    EEX_TRY(eex_sha256_file(network, p->model->path));
    eex_buffer_printf(&of, "pruned of %s: %.17g up to %d", network, p->how.share, p->out.cut);
    int code = eex_buffer_status(&of);
    if (code == EEX_OK)
        code =
            eex_kept_subject(out, of.data, p->params, recipe, train->at, train->count, p->how.seed);
    eex_buffer_free(&of);
    return code;
}

static int train_on(eex_pruned *p, const eex_index *train)
{
    char subject[EEX_SHA256_HEX];
    const eex_recipe recipe = recipe_of(p);
    const eex_kept kept = {.title = "training without filters",
                           .rates = p->how.rates,
                           .path = p->how.checkpoint,
                           .subject = subject};
    eex_trainer *trainer = NULL;
    eex_epoch_report last;
    EEX_TRY(subject_of(subject, p, &recipe, train));
    EEX_TRY(eex_trainer_new(&trainer, p->params, &recipe, p->data, train->at, train->count,
                            p->how.seed));
    const int code = eex_kept_train(&last, trainer, &recipe, train->count, &kept);
    eex_trainer_free(trainer);
    return code;
}

static int train_on_own(eex_pruned *p)
{
    eex_index part;
    EEX_TRY(eex_model_data_train(&part, p->model, p->data));
    const int code = train_on(p, &part);
    free(part.at);
    return code;
}

static int train(eex_pruned *p)
{
    if (p->how.epochs == 0)
        return EEX_OK;
    return p->how.train ? train_on(p, p->how.train) : train_on_own(p);
}

/* ---- what it is worth ---- */

static int record(eex_trace **out, const eex_pruned *p, const eex_graph *graph, eex_params *params,
                  const char *split)
{
    eex_inference how = eex_model_inference(p->model, BATCH);
    eex_index part;
    how.familiar = NULL; /* which is by channels that are gone */
    EEX_TRY(eex_model_data_part(&part, p->model, p->data, split));
    int code = eex_trace_record(out, graph, params, p->data, part.at, part.count, &how);
    if (code == EEX_OK && p->policy)
        code = eex_trace_score(*out, params->device, p->policy->temperature);
    free(part.at);
    return code;
}

/* What a model has no trace of it is asked. */
static int record_before(eex_trace **out, const eex_pruned *p)
{
    const eex_model *m = p->model;
    const int code = eex_cut_trace(out, m, "validation");
    return code == EEX_ENOTFOUND ? record(out, p, m->graph, m->params, "validation") : code;
}

static int accuracies(double *end, double *all, const eex_trace *trace, const eex_policy *policy)
{
    eex_outcome o;
    *end = *all = eex_trace_accuracy(trace, trace->exits - 1);
    if (!policy)
        return EEX_OK;
    EEX_TRY(eex_replay(&o, trace, policy, NULL, NULL, NULL));
    *all = o.accuracy;
    return EEX_OK;
}

static int judge(eex_pruned *p)
{
    const eex_model *m = p->model;
    eex_trace *before = NULL;
    int all[EEX_MAX_EXITS];
    for (int k = 0; k < eex_graph_exits(p->graph); k++)
        all[k] = k;
    if (m->policy)
        EEX_TRY(eex_policy_select(&p->policy, m->policy, all, eex_graph_exits(p->graph)));
    EEX_TRY(record(&p->trace[0], p, p->graph, p->params, "calibration"));
    EEX_TRY(record(&p->trace[1], p, p->graph, p->params, "validation"));
    EEX_TRY(accuracies(&p->out.end, &p->out.accuracy, p->trace[1], p->policy));
    EEX_TRY(record_before(&before, p));
    const int code = accuracies(&p->out.end_before, &p->out.accuracy_before, before, m->policy);
    eex_trace_free(before);
    return code;
}

/* ---- all of it ---- */

static int work(eex_pruned *p)
{
    EEX_TRY(prune(p));
    EEX_TRY(train(p));
    return judge(p);
}

int eex_pruned_make(eex_pruned **out, const eex_model *model, eex_dataset *data,
                    const eex_pruning *how)
{
    EEX_NEED(out, "place for the network");
    *out = NULL;
    EEX_NEED(model, "model");
    EEX_NEED(data, "data set");
    EEX_NEED(how, "what to prune");
    eex_pruned *p = calloc(1, sizeof *p);
    if (!p)
        return eex_fail(EEX_ENOMEM, "out of memory for a network without filters");
    p->model = model;
    p->data = data;
    p->how = *how;
    const int code = work(p);
    if (code < 0) {
        eex_pruned_free(p);
        return code;
    }
    *out = p;
    return EEX_OK;
}
