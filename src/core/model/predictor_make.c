/* Making a predictor: what the network says of images, a tiny network that learns to foretell it,
 * and thresholds by replay on images that it has not seen. */
#include "core/model/model_data.h"
#include "core/model/predictor_impl.h"
#include "core/train/kept.h"
#include "core/train/survey.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef eex__predictor_making making;

static const char *const part_names[EEX__PARTS] = {"train", "calibration", "validation", "test"};

static eex_inference inference(const making *m)
{
    return eex_model_inference(m->model, EEX__PREDICTOR_BATCH);
}

/* ---- what the network says ---- */

/* Gates that share a point are refused before anything takes long, as the engine would. */
static int check(const eex_model *model)
{
    const int gates = eex_graph_exits(model->graph) - 1;
    if (gates < 1 || !model->policy)
        return eex_fail(EEX_EINVAL,
                        "%s: a predictor says which gates are computed, and this network has %s",
                        model->path, gates < 1 ? "none" : "no policy by which anybody leaves");
    if (gates > EEX_LABEL_BITS)
        return eex_fail(EEX_EINVAL, "%s: a predictor for %d gates: at most %d", model->path, gates,
                        EEX_LABEL_BITS);
    if (!model->params)
        return eex_fail(EEX_EINVAL, "%s was opened without a device", model->path);
    const eex_inference how = eex_model_inference(model, 1);
    eex_plan_options options = eex_inference_plan(&how);
    eex_plan *plan = NULL;
    options.gates_apart = true;
    EEX_TRY(eex_plan_new(&plan, &options, model->graph, model->params));
    eex_plan_free(plan);
    return EEX_OK;
}

static int find_parts(making *m)
{
    EEX_TRY(eex_model_data_train(&m->part[EEX__TRAIN], m->model, m->data));
    for (int i = EEX__CALIBRATION; i < EEX__PARTS; i++)
        EEX_TRY(eex_model_data_part(&m->part[i], m->model, m->data, part_names[i]));
    return EEX_OK;
}

static int record(making *m, int part)
{
    const eex_inference how = inference(m);
    const eex_index *of = &m->part[part];
    return eex_trace_record(&m->trace[part], m->model->graph, m->model->params, m->data, of->at,
                            of->count, &how);
}

static int find_policy(making *m)
{
    const int exits = eex_graph_exits(m->model->graph);
    eex_device *device = m->model->params->device;
    float ones[EEX_MAX_EXITS];
    int all[EEX_MAX_EXITS];
    for (int k = 0; k < exits; k++) {
        ones[k] = 1;
        all[k] = k;
    }
    if (m->from)
        return eex_policy_select(&m->p->policy, m->from->policy, all, exits);
    if (m->recipe->lambda == EEX_LAMBDA_POLICY)
        return eex_policy_select(&m->p->policy, m->model->policy, all, exits);
    EEX_TRY(eex_trace_score(m->trace[EEX__CALIBRATION], device, ones));
    return eex_skip_lambda(&m->p->policy, m->trace[EEX__CALIBRATION], &m->p->charges);
}

/* The traces that the model keeps, and those that it does not. */
static int find_traces(making *m)
{
    EEX_TRY(eex_model_trace(&m->trace[EEX__CALIBRATION], m->model, "calibration"));
    EEX_TRY(eex_model_trace(&m->trace[EEX__VALIDATION], m->model, "validation"));
    if (m->recipe->images != EEX_PREDICTOR_CALIBRATION && !m->from)
        EEX_TRY(record(m, EEX__TRAIN));
    EEX_TRY(record(m, EEX__TEST));
    EEX_TRY(find_policy(m));
    for (int i = 0; i < EEX__PARTS; i++)
        if (m->trace[i])
            EEX_TRY(
                eex_trace_score(m->trace[i], m->model->params->device, m->p->policy->temperature));
    return EEX_OK;
}

/* ---- learning ---- */

static int32_t answer_of(const making *m, const eex_trace *t, int i)
{
    int32_t answer = 0;
    for (int k = 0; k < m->p->gates; k++)
        if (eex_policy_judge(m->p->policy, t, k, i) != EEX_GO_ON)
            answer |= (int32_t)1 << k;
    return answer;
}

static void add_answers(making *m, const eex_trace *t)
{
    for (int i = 0; i < t->samples; i++) {
        m->answers[t->sample[i]] = answer_of(m, t, i);
        m->samples[m->count++] = t->sample[i];
    }
}

static int find_answers(making *m)
{
    const eex_exit_predictor_images images = m->recipe->images;
    const eex_trace *train = m->trace[EEX__TRAIN], *calibration = m->trace[EEX__CALIBRATION];
    const size_t most = (size_t)calibration->samples + (size_t)(train ? train->samples : 0);
    m->samples = malloc(most * sizeof *m->samples);
    m->answers = calloc(eex_dataset_facts(m->data)->samples, sizeof *m->answers);
    if (!m->samples || !m->answers)
        return eex_fail(EEX_ENOMEM, "out of memory for what %zu images are told to be", most);
    if (train)
        add_answers(m, train);
    if (images != EEX_PREDICTOR_TRAIN)
        add_answers(m, calibration);
    return m->count > 0 ? EEX_OK
                        : eex_fail(EEX_EINVAL, "%s: no images to learn from", m->model->path);
}

static eex_recipe recipe_of(const making *m)
{
    const eex_exit_predictor_recipe *r = m->recipe;
    const eex_inference how = inference(m);
    eex_recipe out = eex_recipe_default();
    out.precision = r->precision;
    out.epochs = r->epochs;
    out.batch = r->batch;
    out.lr = r->lr;
    out.schedule.warmup = 0;
    out.schedule.final = r->lr_end / r->lr;
    out.optimizer.weight_decay = (float)r->weight_decay;
    out.optimizer.nesterov = false;
    out.augment = how.normalise;
    out.augment.enabled = r->crop > 0 || r->flip;
    out.augment.crop_pad = r->crop;
    out.augment.flip = r->flip;
    return out;
}

/* What is learnt follows from the network, its images and these. */
static int subject_of(char out[EEX_SHA256_HEX], const making *m, const eex_recipe *recipe)
{
    const eex_exit_predictor_recipe *r = m->recipe;
    eex_buffer of = EEX_BUFFER_INIT;
    char network[EEX_SHA256_HEX];
    EEX_TRY(eex_sha256_file(network, m->model->path));
    eex_buffer_printf(&of, "predictor of %s: %d %d %d", network, (int)r->family, (int)r->images,
                      (int)r->lambda);
    int code = eex_buffer_status(&of);
    if (code == EEX_OK)
        code = eex_kept_subject(out, of.data, m->p->params, recipe, m->samples, m->count, r->seed);
    eex_buffer_free(&of);
    return code;
}

static int train_all(making *m, eex_trainer *trainer, const eex_recipe *recipe)
{
    char subject[EEX_SHA256_HEX];
    const eex_kept kept = {.title = "training the predictor",
                           .rates = m->recipe->rates,
                           .path = m->recipe->checkpoint,
                           .subject = subject};
    eex_epoch_report last;
    EEX_TRY(subject_of(subject, m, recipe));
    EEX_TRY(eex_kept_train(&last, trainer, recipe, m->count, &kept));
    if (last.epoch > 0)
        eex_log_info("predictor: %d epoch%s on %zu images, loss %.3f, all gates told right for "
                     "%.1f %% of the images",
                     last.epoch, eex_plural(last.epoch), m->count, last.loss[0],
                     100 * last.accuracy[0]);
    return EEX_OK;
}

static int train(making *m)
{
    const eex_recipe recipe = recipe_of(m);
    eex_trainer *trainer = NULL;
    EEX_TRY(eex_params_new(&m->p->params, m->model->params->device, m->p->graph, m->recipe->seed));
    int code = eex_trainer_new(&trainer, m->p->params, &recipe, m->data, m->samples, m->count,
                               m->recipe->seed);
    if (code == EEX_OK) {
        eex_trainer_answers(trainer, m->answers);
        code = train_all(m, trainer, &recipe);
    }
    eex_trainer_free(trainer);
    return code;
}

/* ---- all of it ---- */

static int learn(making *m)
{
    EEX_TRY(find_answers(m));
    return train(m);
}

static int take_over(making *m)
{
    int copied;
    EEX_TRY(eex_params_new_empty(&m->p->params, m->model->params->device, m->p->graph));
    return eex_params_copy(m->p->params, m->from->params, &copied);
}

static int make(making *m)
{
    eex_exit_predictor *p = m->p;
    const eex_input *in = &m->model->input;
    EEX_TRY(check(m->model));
    if (!m->from)
        EEX_TRY(eex_device_calculates(m->model->params->device, m->recipe->precision));
    p->recipe = *m->recipe;
    p->recipe.checkpoint = NULL;
    p->gates = eex_graph_exits(m->model->graph) - 1;
    EEX_TRY(eex_exit_predictor_graph(&p->graph, m->recipe->family, in->height, in->width,
                                     in->channels, p->gates));
    eex_model_charges(&p->charges, m->model->graph, p->graph);
    EEX_TRY(find_parts(m));
    EEX_TRY(find_traces(m));
    EEX_TRY(m->from ? take_over(m) : learn(m));
    for (int i = EEX__CALIBRATION; i < EEX__PARTS; i++)
        EEX_TRY(eex__predictor_score(m, i));
    EEX_TRY(eex__predictor_choose(m));
    for (int i = 0; i < 2; i++) {
        p->samples[i] = m->trace[EEX__CALIBRATION + i]->samples;
        p->score[i] = m->score[EEX__CALIBRATION + i];
        m->score[EEX__CALIBRATION + i] = NULL;
    }
    return EEX_OK;
}

static int make_new(eex_exit_predictor **out, making *m)
{
    m->p = calloc(1, sizeof *m->p);
    if (!m->p)
        return eex_fail(EEX_ENOMEM, "out of memory for a predictor");
    int code = make(m);
    if (code == EEX_OK) {
        *out = m->p;
        m->p = NULL;
    }
    for (int i = 0; i < EEX__PARTS; i++) {
        free(m->part[i].at);
        eex_trace_free(m->trace[i]);
        free(m->score[i]);
    }
    free(m->samples);
    free(m->answers);
    eex_exit_predictor_free(m->p);
    return code;
}

int eex_exit_predictor_make(eex_exit_predictor **out, const eex_model *model, eex_dataset *data,
                            const eex_exit_predictor_recipe *recipe)
{
    EEX_NEED(out, "place for the predictor");
    *out = NULL;
    EEX_NEED(model, "model");
    EEX_NEED(data, "data set");
    EEX_NEED(recipe, "recipe");
    making m = {.model = model, .data = data, .recipe = recipe};
    return make_new(out, &m);
}

int eex_exit_predictor_carry(eex_exit_predictor **out, const eex_exit_predictor *from,
                             const eex_model *model, eex_dataset *data)
{
    EEX_NEED(out, "place for the predictor");
    *out = NULL;
    EEX_NEED(from, "predictor");
    EEX_NEED(model, "model");
    EEX_NEED(data, "data set");
    if (!from->params)
        return eex_fail(EEX_EINVAL, "a predictor that was opened without a device");
    if (eex_graph_exits(model->graph) != from->gates + 1)
        return eex_fail(EEX_EINVAL, "%s: a predictor for %d gates carried over to %d", model->path,
                        from->gates, eex_graph_exits(model->graph) - 1);
    making m = {.model = model, .data = data, .recipe = &from->recipe, .from = from};
    return make_new(out, &m);
}

int eex_exit_predictor_check(const eex_model *model)
{
    EEX_NEED(model, "model");
    return check(model);
}
