/* The training loop. A regime is a list of passes over each batch; a pass is a plan with its own
 * loss weights over the same parameters. */
#include "core/train/statistics.h"
#include "core/train/train_impl.h"

#include "base/clock.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

EEX_NAMES(eex_regime, eex_regime,
          EEX_REGIMES, [EEX_REGIME_JOINT] = "joint", [EEX_REGIME_INTERLEAVED] = "interleaved",
          [EEX_REGIME_FROZEN] = "frozen", [EEX_REGIME_DISTILL] = "distill",
          [EEX_REGIME_MIXED] = "mixed", [EEX_REGIME_SANDWICH] = "sandwich");
EEX_NAMES(eex_schedule, eex_schedule_kind,
          EEX_SCHEDULES, [EEX_SCHEDULE_CONSTANT] = "constant", [EEX_SCHEDULE_COSINE] = "cosine",
          [EEX_SCHEDULE_STEP] = "step", [EEX_SCHEDULE_ONE_CYCLE] = "one_cycle");

eex_recipe eex_recipe_default(void)
{
    return (eex_recipe){
        .regime = EEX_REGIME_JOINT,
        .epochs = 30,
        .batch = 128,
        .lr = 0.1,
        .schedule = {.kind = EEX_SCHEDULE_COSINE, .warmup = 1, .final = 0, .gamma = 0.1},
        .optimizer = {.kind = EEX_SGD,
                      .momentum = 0.9F,
                      .beta1 = 0.9F,
                      .beta2 = 0.999F,
                      .eps = 1e-8F,
                      .weight_decay = 5e-4F,
                      .nesterov = true},
        .distill = 1,
        .distill_t = 4,
        .gate_weight = 1,
        .random = 2,
    };
}

static bool caches(const eex_recipe *r)
{
    return r->regime == EEX_REGIME_FROZEN && r->cache_features;
}

eex_precision eex_recipe_precision(const eex_recipe *r)
{
    return caches(r) && r->precision == EEX_BF16 ? EEX_F32 : r->precision;
}

/* ---- passes ---- */

static void free_passes(eex_trainer *t)
{
    eex_supernet_free(t->supernet);
    t->supernet = NULL;
    for (int i = 0; i < t->pass_count; i++)
        eex_plan_free(t->passes[i]);
    free(t->passes);
    t->passes = NULL;
    t->pass_count = 0;
}

static eex_plan_mode pass_mode(const eex_trainer *t)
{
    if (t->recipe.regime != EEX_REGIME_FROZEN)
        return EEX_PLAN_TRAIN;
    return t->features ? EEX_PLAN_TRAIN_GATES_ON_FEATURES : EEX_PLAN_TRAIN_GATES;
}

static eex_plan_options pass_options(const eex_trainer *t)
{
    const eex_recipe *r = &t->recipe;
    return (eex_plan_options){.mode = pass_mode(t),
                              .batch = r->batch,
                              .augment = r->augment,
                              .precision = eex_recipe_precision(r),
                              .smoothing = (float)r->smoothing,
                              .l1 = (float)r->l1,
                              .binary = t->answers,
                              .optimizer = r->optimizer,
                              .state = t->state};
}

/* Algorithm 1: the backbone first, then each sub-model, from input to exit, by itself. */
static void interleaved_passes(const eex_trainer *t, eex_plan_options *passes)
{
    for (int i = 0; i < t->exits; i++) {
        int k = i == 0 ? t->exits - 1 : i - 1;
        passes[i] = pass_options(t);
        passes[i].weight[k] = k == t->exits - 1 ? 1 : (float)t->recipe.gate_weight;
    }
}

/* A frozen trunk's own end learns nothing; where the network ends in a gate that does. */
static bool end_learns(const eex_graph *g, eex_regime regime)
{
    return regime != EEX_REGIME_FROZEN || eex_graph_exit(g, eex_graph_exits(g) - 1)->blocks >= 0;
}

static eex_plan_options one_pass(const eex_trainer *t)
{
    const eex_recipe *r = &t->recipe;
    eex_plan_options options = pass_options(t);
    for (int k = 0; k < t->exits - 1 && !t->alone; k++)
        options.weight[k] = (float)r->gate_weight;
    if (end_learns(t->params->graph, r->regime))
        options.weight[t->exits - 1] = 1;
    if (r->regime == EEX_REGIME_DISTILL) {
        options.distill = (float)r->distill;
        options.distill_t = (float)r->distill_t;
    }
    options.gradient_only = options.keep_logits = r->regime == EEX_REGIME_SANDWICH;
    return options;
}

/* The passes of a step run one after the other, so their plans share what memory they can. */
static int add_passes(eex_trainer *t, const eex_plan_options *options, int count)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < t->exits; k++)
            if (options[i].weight[k] > 0)
                t->pass_of[k] = i;
    t->passes = calloc((size_t)count, sizeof(eex_plan *));
    if (!t->passes)
        return eex_fail(EEX_ENOMEM, "out of memory for %d training passes", count);
    t->pass_count = count;
    int code = eex_plans_new(t->passes, options, count, t->params->graph, t->params);
    if (code < 0)
        free_passes(t);
    return code;
}

static int add_interleaved(eex_trainer *t)
{
    eex_plan_options *passes = calloc((size_t)t->exits, sizeof *passes);
    if (!passes)
        return eex_fail(EEX_ENOMEM, "out of memory for %d training passes", t->exits);
    interleaved_passes(t, passes);
    int code = add_passes(t, passes, t->exits);
    free(passes);
    return code;
}

static int add_supernet(eex_trainer *t)
{
    const eex_plan_options options = one_pass(t);
    EEX_TRY(add_passes(t, &options, 1));
    int code = eex_supernet_new(&t->supernet, &t->recipe, t->passes[0], &options);
    if (code < 0)
        free_passes(t);
    return code;
}

static int make_features(eex_trainer *t)
{
    const eex_recipe *r = &t->recipe;
    if (t->features || !caches(r))
        return EEX_OK;
    const eex_inference how = {
        .batch = r->batch, .normalise = r->augment, .precision = eex_recipe_precision(r)};
    return eex_features_record(&t->features, t->params, t->data, t->samples, t->count, &how);
}

static int make_passes(eex_trainer *t)
{
    EEX_TRY(make_features(t));
    bool alone = t->recipe.regime == EEX_REGIME_MIXED && t->epoch < t->recipe.alone;
    if (t->passes && alone == t->alone)
        return EEX_OK;
    free_passes(t);
    t->alone = alone;
    for (int k = 0; k < EEX_MAX_EXITS; k++)
        t->pass_of[k] = -1;
    if (t->recipe.regime == EEX_REGIME_INTERLEAVED)
        return add_interleaved(t);
    if (t->recipe.regime == EEX_REGIME_SANDWICH)
        return add_supernet(t);
    const eex_plan_options options = one_pass(t);
    return add_passes(t, &options, 1);
}

/* ---- trainer ---- */

static int copy_samples(eex_trainer *t, const uint32_t *samples, size_t count)
{
    t->samples = malloc(count * sizeof *t->samples + 1);
    t->asked = calloc((size_t)t->recipe.batch, sizeof *t->asked);
    if (!t->samples || !t->asked)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu sample numbers", count);
    memcpy(t->samples, samples, count * sizeof *t->samples);
    t->count = count;
    return EEX_OK;
}

int eex_trainer_new(eex_trainer **out, eex_params *params, const eex_recipe *recipe,
                    eex_dataset *data, const uint32_t *samples, size_t count, uint64_t seed)
{
    *out = NULL;
    int exits = eex_graph_exits(params->graph);
    if (exits < 2 && !end_learns(params->graph, recipe->regime))
        return eex_fail(EEX_EINVAL, "training.regime: \"frozen\" trains gates, but %s has none",
                        eex_graph_name(params->graph));
    if (recipe->regime == EEX_REGIME_SANDWICH)
        EEX_TRY(eex_supernet_check(params->graph));
    eex_trainer *t = calloc(1, sizeof *t);
    if (!t)
        return eex_fail(EEX_ENOMEM, "out of memory for a trainer");
    *t = (eex_trainer){
        .params = params, .recipe = *recipe, .data = data, .exits = exits, .seed = seed};
    eex_augment_fit(&t->recipe.augment, data);
    eex_loader_options options = {.data = data,
                                  .samples = samples,
                                  .count = count,
                                  .batch = recipe->batch,
                                  .shuffle = true,
                                  .drop_last = count > (size_t)recipe->batch,
                                  .seed = seed};
    int code = copy_samples(t, samples, count);
    if (code == EEX_OK)
        code = eex_batches_open(&t->source, params->device, &options);
    if (code == EEX_OK)
        code = eex_optimizer_state_new(&t->state, params, &recipe->optimizer);
    if (code < 0) {
        eex_trainer_free(t);
        return code;
    }
    t->source.images = !caches(recipe); /* cached features come in their place */
    size_t batch = (size_t)recipe->batch;
    t->images = count > batch ? count / batch * batch : count;
    *out = t;
    return EEX_OK;
}

void eex_trainer_free(eex_trainer *t)
{
    if (!t)
        return;
    free_passes(t);
    eex_optimizer_state_free(t->state);
    eex_batches_close(&t->source);
    eex_features_free(t->features);
    free(t->samples);
    free(t->asked);
    free(t);
}

void eex_trainer_answers(eex_trainer *t, const int32_t *answers)
{
    t->answers = answers;
}

void eex_trainer_watch(eex_trainer *t, eex_train_watch *watch, void *context)
{
    t->watch = watch;
    t->watch_context = context;
}

void eex_trainer_rates(eex_trainer *t, const char *rates)
{
    t->rates = rates;
}

int eex_trainer_done(const eex_trainer *t)
{
    return t->epoch >= t->recipe.epochs;
}

int eex_trainer_epochs(const eex_trainer *t)
{
    return t->epoch;
}

int eex_trainer_batches(const eex_trainer *t, int *all)
{
    *all = (int)eex_loader_batches(t->source.loader);
    return (int)t->batches;
}

/* ---- an epoch ---- */

static const int32_t *labels_of(const eex_trainer *t, const eex_batch *batch)
{
    for (int i = 0; i < batch->count && t->answers; i++)
        t->asked[i] = t->answers[batch->samples[i]];
    return t->answers ? t->asked : batch->labels;
}

static int train_batch(eex_trainer *t, const eex_batch *batch)
{
    const int32_t *labels = labels_of(t, batch);
    double at = t->epoch + (double)batch->number / eex_loader_batches(t->source.loader);
    const eex_recipe *r = &t->recipe;
    eex_step step = {.batch = batch->count,
                     .lr = (float)eex_schedule_rate(&r->schedule, r->lr, at, r->epochs),
                     .seed = t->seed,
                     .epoch = (uint32_t)t->epoch,
                     .step = ++t->step};
    if (t->supernet)
        return eex_supernet_step(t->supernet, batch, &step);
    for (int i = 0; i < t->pass_count; i++) {
        EEX_TRY(eex_plan_upload(t->passes[i], batch->images, labels, batch->samples, batch->count));
        if (t->features)
            EEX_TRY(eex_features_feed(t->features, t->passes[i], batch->samples, batch->count));
        EEX_TRY(eex_plan_step(t->passes[i], &step));
    }
    return EEX_OK;
}

int eex__trainer_totals(const eex_trainer *t, int k, eex_totals *out)
{
    *out = (eex_totals){.loss = NAN, .correct = NAN};
    return t->pass_of[k] < 0 ? EEX_OK : eex_plan_totals(t->passes[t->pass_of[k]], k, out);
}

/* Means over the images of this epoch so far. */
static int read_totals(const eex_trainer *t, uint64_t images, eex_epoch_report *report)
{
    report->exits = t->exits;
    for (int k = 0; k < t->exits; k++) {
        eex_totals totals;
        EEX_TRY(eex__trainer_totals(t, k, &totals));
        report->loss[k] = totals.loss / (double)images;
        report->accuracy[k] = totals.correct / (double)images;
    }
    return EEX_OK;
}

/* Where the epoch begins, or where it was left. */
static int begin_epoch(eex_trainer *t)
{
    for (int i = 0; i < t->pass_count; i++)
        EEX_TRY(eex_plan_totals_reset(t->passes[i]));
    for (int k = 0; k < t->exits && t->batches > 0; k++)
        if (t->pass_of[k] >= 0)
            EEX_TRY(eex_plan_totals_set(t->passes[t->pass_of[k]], k, &t->totals[k]));
    return eex_batches_start(&t->source, (uint32_t)t->epoch, t->batches);
}

/* A loss far above that of guessing will not come back. The sign that a NaN may have says nothing,
 * and is not printed. */
static int check_totals(const eex_trainer *t, const eex_epoch_report *report)
{
    double limit = 100 * (1 + log(eex_graph_classes(t->params->graph)));
    for (int k = 0; k < t->exits; k++)
        if (t->pass_of[k] >= 0 && !(report->loss[k] < limit))
            return eex_fail(EEX_EDIVERGED,
                            "training of %s diverged: mean loss %g at exit %d of %d in epoch %d, "
                            "step %llu; a lower lr or clip of what was trained may help: %s",
                            eex_graph_name(t->params->graph), fabs(report->loss[k]), k + 1,
                            t->exits, t->epoch + 1, (unsigned long long)t->step,
                            t->rates ? t->rates : "training.lr, candidate.lr, final.lr");
    return EEX_OK;
}

static void tell(const eex_trainer *t, uint64_t images, const eex_epoch_report *report)
{
    double loss = 0;
    int n = 0;
    for (int k = 0; k < t->exits; k++)
        if (!isnan(report->loss[k])) {
            loss += report->loss[k];
            n++;
        }
    if (t->watch)
        t->watch(t->watch_context, t->epoch + 1, (uint64_t)t->epoch * t->images + images,
                 (uint64_t)t->recipe.epochs * t->images, n ? loss / n : 0);
}

enum { CHECK_EVERY = 50 }; /* batches */

static int train_batches(eex_trainer *t, eex_epoch_report *report)
{
    const eex_batch *batch;
    uint64_t images = (uint64_t)t->batches * (uint64_t)t->recipe.batch;
    EEX_TRY(begin_epoch(t));
    for (;;) {
        EEX_TRY(eex_batches_next(&batch, &t->source));
        if (!batch)
            break;
        EEX_TRY(train_batch(t, batch));
        images += (uint64_t)batch->count;
        t->batches++;
        double now = eex_clock_seconds();
        bool show = now - t->told >= 0.1, check = batch->number % CHECK_EVERY == CHECK_EVERY - 1;
        if (!show && !check)
            continue;
        EEX_TRY(read_totals(t, images, report));
        if (check) /* at fixed steps: what a training ends with never depends on time */
            EEX_TRY(check_totals(t, report));
        if (show) {
            t->told = now;
            tell(t, images, report);
        }
    }
    EEX_TRY(read_totals(t, images, report));
    return check_totals(t, report);
}

int eex_trainer_epoch(eex_trainer *t, eex_epoch_report *report)
{
    const double begin = eex_clock_seconds() - t->seconds;
    memset(report, 0, sizeof *report);
    EEX_TRY(make_passes(t));
    eex_device_range(t->params->device, "epoch %d", t->epoch + 1);
    int code = train_batches(t, report);
    eex_device_range_end(t->params->device);
    t->seconds = eex_clock_seconds() - begin;
    EEX_TRY(code);
    t->epoch++;
    t->batches = 0;
    report->epoch = t->epoch;
    report->seconds = t->seconds;
    t->seconds = 0;
    report->images_per_second = (double)t->images / report->seconds;
    return EEX_OK;
}

static int copy_down(eex_device *dev, float *to, const float *from, size_t count)
{
    float *host = malloc(count * sizeof *host + 1);
    if (!host)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu averaged elements", count);
    int code = dev->vtable->download(dev, host, from, count * sizeof *host);
    if (code == EEX_OK)
        code = dev->vtable->upload(dev, to, host, count * sizeof *host);
    free(host);
    return code;
}

static int use_average(eex_trainer *t)
{
    eex_device *dev = t->params->device;
    if (!t->state->ema)
        return EEX_OK;
    EEX_TRY(copy_down(dev, t->params->w, t->state->ema, t->params->count));
    return copy_down(dev, t->params->state, t->state->ema_state, t->params->state_count);
}

static int renew_statistics(eex_trainer *t)
{
    const eex_recipe *r = &t->recipe;
    const size_t count = (size_t)r->statistics < t->count ? (size_t)r->statistics : t->count;
    const eex_inference how = {
        .batch = r->batch, .normalise = r->augment, .precision = eex_recipe_precision(r)};
    if (count == 0 || r->regime == EEX_REGIME_FROZEN)
        return EEX_OK;
    uint32_t *chosen = malloc(count * sizeof *chosen);
    if (!chosen)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu sample numbers", count);
    eex_statistics_choose(chosen, count, t->samples, t->count, r->batch);
    int code = eex_statistics_estimate(t->params, t->data, chosen, count, &how);
    free(chosen);
    return code;
}

int eex_trainer_finish(eex_trainer *t)
{
    EEX_TRY(use_average(t));
    return renew_statistics(t);
}
