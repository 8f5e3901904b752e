/* Training with checkpoints: after epochs, and at a signal in the middle of one. What is left of
 * the training follows from a checkpoint bit for bit. */
#include "core/run/run.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A kill loses at most this much and the epoch that it falls into. */
static const double CHECKPOINT_SECONDS = 20;

/* ---- checkpoints ---- */

typedef struct checkpoint {
    eex_trainer *trainer;
    eex_params *params;
    const eex__training *training;
    eex__history *history;
} checkpoint;

static int checkpoint_fill(eex_store_file *file, const void *context)
{
    const checkpoint *c = context;
    EEX_TRY(eex_store_set_int(file, "", "subject", (int64_t)c->training->subject));
    EEX_TRY(eex_store_set_int(file, "", "epochs", c->training->recipe->epochs));
    EEX_TRY(eex_trainer_save(c->trainer, file, "trainer"));
    return eex__history_save(c->history, file);
}

/* "base: WHAT after epoch 3 and 17 of 156 batches" */
static void say_where(const checkpoint *c, const char *what)
{
    int all;
    const int batches = eex_trainer_batches(c->trainer, &all);
    const int epoch = eex_trainer_epochs(c->trainer);
    if (batches > 0)
        eex_log_info("%s: %s in epoch %d, after %d of its %d batch%s", c->training->title, what,
                     epoch + 1, batches, all, all == 1 ? "" : "es");
    else
        eex_log_info("%s: %s after epoch %d", c->training->title, what, epoch);
}

/* A checkpoint of another subject is none, nor one of more or fewer epochs, whose rates were
 * others: rankings of a run may differ in those. */
static int checkpoint_fits(bool *fits, eex_store_file *file, const eex__training *training)
{
    int64_t subject = 0, epochs = training->recipe->epochs;
    EEX_TRY(eex_store_get_int(&subject, file, "", "subject"));
    const int known = eex_store_has_attribute(file, "", "epochs");
    if (known < 0)
        return known;
    if (known)
        EEX_TRY(eex_store_get_int(&epochs, file, "", "epochs"));
    *fits = (uint64_t)subject == training->subject && epochs == training->recipe->epochs;
    return EEX_OK;
}

static int checkpoint_use(eex_store_file *file, void *context)
{
    const checkpoint *c = context;
    bool fits = false;
    EEX_TRY(checkpoint_fits(&fits, file, c->training));
    if (!fits)
        return EEX_OK;
    EEX_TRY(eex_trainer_load(c->trainer, file, "trainer"));
    EEX_TRY(eex__history_load(c->history, file, eex_trainer_epochs(c->trainer)));
    say_where(c, "going on");
    return EEX_OK;
}

/* ---- training ---- */

/* Ready for this data set: its mean and deviation filled in; and for this network: one that was
 * taken out of an elastic one is trained by itself. */
static eex_recipe ready(const eex_run *run, const eex_recipe *recipe, const eex_graph *graph)
{
    eex_recipe r = *recipe;
    if (r.regime == EEX_REGIME_SANDWICH && eex_graph_genes(graph) == 0)
        r.regime = EEX_REGIME_JOINT;
    memcpy(r.augment.mean, run->normalise.mean, sizeof r.augment.mean);
    memcpy(r.augment.std, run->normalise.std, sizeof r.augment.std);
    return r;
}

/* What the progress line says about the last epoch: accuracies at the end of the network; NaN: not
 * known. */
typedef struct shown {
    double training, validation;
    int epochs;
} shown;

static void show(void *context, int epoch, uint64_t done, uint64_t total, double loss)
{
    const shown *s = context;
    char validation[32] = "", training[32] = "";
    if (!isnan(s->validation))
        snprintf(validation, sizeof validation, ", val. %.1f%%", 100 * s->validation);
    if (!isnan(s->training))
        snprintf(training, sizeof training, ", train %.1f%%", 100 * s->training);
    eex_progress_update(done, "loss %.3f%s%s, epoch %d/%d", loss, validation, training, epoch,
                        s->epochs);
}

static shown shown_of(const eex__history *history, int epochs)
{
    const int last = history->epochs - 1, end = history->exits - 1;
    shown s = {NAN, NAN, epochs};
    if (last >= 0) {
        s.training = eex__history_row(history, history->accuracy, last)[end];
        s.validation = eex__history_row(history, history->validation, last)[end];
    }
    return s;
}

/* The mean of what is known; NaN: nothing is. */
static double mean(const double *values, int count)
{
    double sum = 0;
    int known = 0;
    for (int i = 0; i < count; i++)
        if (!isnan(values[i])) {
            sum += values[i];
            known++;
        }
    return known ? sum / known : NAN;
}

/* "base: epoch 3/12, loss 0.434; right at the end: 83.1 % in training, 82.4 % in validation" */
static void say_epoch(const checkpoint *c)
{
    const eex__history *h = c->history;
    const int last = h->epochs - 1, end = h->exits - 1;
    const double *seen = eex__history_row(h, h->validation, last);
    const double training = eex__history_row(h, h->accuracy, last)[end];
    char trained[48] = "", exits[80] = "";
    if (!isnan(training))
        snprintf(trained, sizeof trained, "%.1f %% in training, ", 100 * training);
    if (end > 0)
        snprintf(exits, sizeof exits, "; at the exits before it %.1f %% on average",
                 100 * mean(seen, end));
    eex_log_info("%s: epoch %d/%d, loss %.3f; right at the end: %s%.1f %% in validation%s",
                 c->training->title, h->epochs, c->training->recipe->epochs,
                 mean(eex__history_row(h, h->loss, last), h->exits), trained, 100 * seen[end],
                 exits);
}

/* At a signal: whatever was trained is kept, to the batch. */
static int keep(const eex_run *run, const checkpoint *c)
{
    int all;
    if (eex_trainer_epochs(c->trainer) > 0 || eex_trainer_batches(c->trainer, &all) > 0) {
        EEX_TRY(eex__run_write(run, c->training->checkpoint, checkpoint_fill, c));
        say_where(c, "kept");
    }
    return eex_fail(EEX_EINTERRUPTED, "interrupted");
}

/* What is left to be done of the last epoch. A look that there is no memory for is left out: it is
 * no reason to lose a training. */
static int validate(const eex_run *run, const checkpoint *c)
{
    eex__history *h = c->history;
    if (!h->pending)
        return EEX_OK;
    double *row = eex__history_row(h, h->validation, h->epochs - 1);
    int code = eex__run_validate(row, run, c->params, c->training);
    if (code == EEX_OK) {
        h->pending = false;
        say_epoch(c);
        return EEX_OK;
    }
    for (int k = 0; k < h->exits; k++)
        row[k] = NAN;
    if (code != EEX_ENOMEM)
        return code;
    eex_log_warn("%s: epoch %d is not validated: %s", c->training->title, h->epochs, eex_error());
    h->pending = false;
    return EEX_OK;
}

/* One epoch, and a look at what came of it, as far as it was not done before an interruption. */
static int train_epoch(const eex_run *run, const checkpoint *c)
{
    eex_epoch_report report;
    EEX_TRY(eex__run_poll());
    if (!c->history->pending) {
        EEX_TRY(eex_trainer_epoch(c->trainer, &report));
        eex__history_add(c->history, &report, eex__run_validates(c->training, report.epoch));
    }
    return validate(run, c);
}

/* Epochs until the recipe is done, or a signal comes. */
static int train_epochs(const eex_run *run, const checkpoint *c, shown *s)
{
    double saved = eex_clock_seconds();
    while (!eex_trainer_done(c->trainer) || c->history->pending) {
        int code = train_epoch(run, c);
        if (code == EEX_EINTERRUPTED)
            return keep(run, c);
        EEX_TRY(code);
        *s = shown_of(c->history, s->epochs);
        const bool due = eex_clock_seconds() - saved >= CHECKPOINT_SECONDS;
        if (due || eex_trainer_done(c->trainer)) {
            EEX_TRY(eex__run_write(run, c->training->checkpoint, checkpoint_fill, c));
            saved = eex_clock_seconds();
        }
    }
    return EEX_OK;
}

/* An epoch leaves out an incomplete last batch. */
static uint64_t epoch_images(size_t count, size_t batch)
{
    return count > batch ? count / batch * batch : count;
}

int eex__run_train(eex_run *run, eex_params *params, const eex__training *training,
                   eex__history *history)
{
    const eex_recipe recipe = ready(run, training->recipe, params->graph);
    eex_trainer *trainer = NULL;
    EEX_TRY(eex__history_new(history, training, eex_graph_exits(params->graph)));
    EEX_TRY(eex_trainer_new(&trainer, params, &recipe, run->data, training->samples,
                            training->count, training->seed));
    eex_trainer_rates(trainer, training->rates);
    checkpoint c = {trainer, params, training, history};
    int code = EEX_OK;
    if (eex__run_has(run, training->checkpoint))
        code = eex__run_read(run, training->checkpoint, checkpoint_use, &c);
    if (code == EEX_OK) {
        shown s = shown_of(history, recipe.epochs);
        uint64_t images = epoch_images(training->count, (size_t)recipe.batch);
        eex_progress_begin(training->title, (uint64_t)recipe.epochs * images, "images");
        int all;
        const uint64_t batches = (uint64_t)eex_trainer_batches(trainer, &all);
        eex_progress_skip((uint64_t)eex_trainer_epochs(trainer) * images +
                          batches * (uint64_t)recipe.batch);
        eex_trainer_watch(trainer, show, &s);
        code = train_epochs(run, &c, &s);
        eex_progress_end();
    }
    if (code == EEX_OK)
        code = eex_trainer_finish(trainer);
    eex_trainer_free(trainer);
    return code;
}

/* ---- weights and traces ---- */

typedef struct weights {
    const eex_run *run;
    const eex_params *params;
    const eex__history *history;
} weights;

int eex__run_put_weights(eex_store_file *file, const eex_run *run, const eex_params *params,
                         const eex__history *history)
{
    EEX_TRY(
        eex_model_write(file, params->graph, params, NULL, NULL, &run->input, run->e->precision));
    return eex__history_save(history, file);
}

static int weights_fill(eex_store_file *file, const void *context)
{
    const weights *w = context;
    return eex__run_put_weights(file, w->run, w->params, w->history);
}

int eex__run_save_weights(const eex_run *run, const char *name, const eex_params *params,
                          const eex__history *history)
{
    const weights w = {run, params, history};
    return eex__run_write(run, name, weights_fill, &w);
}

static int weights_use(eex_store_file *file, void *context)
{
    return eex_params_load(context, file, "params");
}

int eex__run_read_weights(eex_params *out, const eex_run *run, const char *name)
{
    return eex__run_read(run, name, weights_use, out);
}

int eex__run_load_weights(eex_params **out, const eex_run *run, const char *name,
                          const eex_graph *graph)
{
    *out = NULL;
    EEX_TRY(eex_params_new(out, run->device, graph, run->e->seed));
    int code = eex__run_read_weights(*out, run, name);
    if (code == EEX_OK)
        return EEX_OK;
    eex_params_free(*out);
    *out = NULL;
    return code;
}

enum { TRACE_BATCH = 100 };

eex_inference eex__run_inference(const eex_run *run, int batch)
{
    return (eex_inference){
        .batch = batch, .normalise = run->normalise, .precision = run->e->precision};
}

int eex__run_trace(eex_trace **out, const eex_run *run, const eex_graph *graph, eex_params *params,
                   const eex_familiar *familiar, const eex_index *samples)
{
    eex_inference how = eex__run_inference(run, TRACE_BATCH);
    how.familiar = familiar;
    return eex_trace_record(out, graph, params, run->data, samples->at, samples->count, &how);
}

static int trace_fill(eex_store_file *file, const void *context)
{
    return eex_trace_save(context, file, "trace");
}

int eex__run_save_trace(const eex_run *run, const char *name, const eex_trace *trace)
{
    return eex__run_write(run, name, trace_fill, trace);
}

static int trace_use(eex_store_file *file, void *context)
{
    return eex_trace_load(context, file, "trace");
}

int eex__run_load_trace(eex_trace **out, const eex_run *run, const char *name)
{
    *out = NULL;
    return eex__run_read(run, name, trace_use, out);
}
