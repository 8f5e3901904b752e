/* Training with checkpoints: after epochs, and at a signal in the middle of one. What is left of
 * the training follows from a checkpoint bit for bit. */
#include "core/run/run.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* A kill loses at most this much and the epoch that it falls into. */
static const double CHECKPOINT_SECONDS = 20;

/* ---- what epochs tell ---- */

void eex__history_free(eex__history *history)
{
    free(history->loss);
    free(history->accuracy);
    *history = (eex__history){0};
}

static int history_new(eex__history *history, int epochs, int exits)
{
    size_t cells = (size_t)(epochs > 0 ? epochs : 1) * (size_t)exits;
    *history = (eex__history){.exits = exits};
    history->loss = calloc(cells, sizeof *history->loss);
    history->accuracy = calloc(cells, sizeof *history->accuracy);
    if (!history->loss || !history->accuracy)
        return eex_fail(EEX_ENOMEM, "out of memory for the history of %d epochs", epochs);
    return EEX_OK;
}

static void history_add(eex__history *history, const eex_epoch_report *report)
{
    size_t at = (size_t)history->epochs++ * (size_t)history->exits;
    size_t bytes = (size_t)history->exits * sizeof *history->loss;
    memcpy(history->loss + at, report->loss, bytes);
    memcpy(history->accuracy + at, report->accuracy, bytes);
}

int eex__history_save(const eex__history *history, eex_store_file *file)
{
    const eex_store_shape shape = {2, {(uint64_t)history->epochs, (uint64_t)history->exits}};
    EEX_TRY(eex_store_write(file, "history/loss", EEX_STORE_F64, &shape, history->loss));
    EEX_TRY(eex_store_write(file, "history/accuracy", EEX_STORE_F64, &shape, history->accuracy));
    EEX_TRY(eex_store_set_string(file, "history", "axes", "epoch, exit"));
    return eex_store_set_double(file, "history", "seconds", history->seconds);
}

static int history_load(eex__history *history, eex_store_file *file, int epochs)
{
    const eex_store_shape shape = {2, {(uint64_t)epochs, (uint64_t)history->exits}};
    EEX_TRY(eex_store_read(history->loss, file, "history/loss", EEX_STORE_F64, &shape));
    EEX_TRY(eex_store_read(history->accuracy, file, "history/accuracy", EEX_STORE_F64, &shape));
    history->epochs = epochs;
    return eex_store_get_double(&history->seconds, file, "history", "seconds");
}

/* ---- checkpoints ---- */

typedef struct checkpoint {
    eex_trainer *trainer;
    const eex__training *training;
    eex__history *history;
} checkpoint;

static int checkpoint_fill(eex_store_file *file, const void *context)
{
    const checkpoint *c = context;
    EEX_TRY(eex_store_set_int(file, "", "subject", (int64_t)c->training->subject));
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
        eex_log_info("%s: %s in epoch %d, after %d of its %d batches", c->training->title, what,
                     epoch + 1, batches, all);
    else
        eex_log_info("%s: %s after epoch %d", c->training->title, what, epoch);
}

/* A checkpoint of another subject is none. */
static int checkpoint_use(eex_store_file *file, void *context)
{
    const checkpoint *c = context;
    int64_t subject = 0;
    EEX_TRY(eex_store_get_int(&subject, file, "", "subject"));
    if ((uint64_t)subject != c->training->subject)
        return EEX_OK;
    EEX_TRY(eex_trainer_load(c->trainer, file, "trainer"));
    EEX_TRY(history_load(c->history, file, eex_trainer_epochs(c->trainer)));
    say_where(c, "going on");
    return EEX_OK;
}

/* ---- training ---- */

/* Ready for this data set: its mean and deviation filled in. */
static eex_recipe ready(const eex_run *run, const eex_recipe *recipe)
{
    eex_recipe r = *recipe;
    memcpy(r.augment.mean, run->normalise.mean, sizeof r.augment.mean);
    memcpy(r.augment.std, run->normalise.std, sizeof r.augment.std);
    return r;
}

/* What the progress line says about the epochs that are done. */
typedef struct shown {
    double accuracy; /* of the last epoch, at the end of the network; below 0: none yet */
    int epochs;
} shown;

static void show(void *context, int epoch, uint64_t done, uint64_t total, double loss)
{
    const shown *s = context;
    if (s->accuracy < 0)
        eex_progress_update(done, "epoch %d/%d, loss %.3f", epoch, s->epochs, loss);
    else
        eex_progress_update(done, "epoch %d/%d, loss %.3f, %.1f %% right", epoch, s->epochs, loss,
                            100 * s->accuracy);
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

/* Epochs until the recipe is done, or a signal comes. */
static int train_epochs(const eex_run *run, const checkpoint *c, shown *s)
{
    double saved = eex_clock_seconds();
    while (!eex_trainer_done(c->trainer)) {
        eex_epoch_report report;
        int code = eex__run_poll();
        if (code == EEX_OK)
            code = eex_trainer_epoch(c->trainer, &report);
        if (code == EEX_EINTERRUPTED)
            return keep(run, c);
        EEX_TRY(code);
        history_add(c->history, &report);
        c->history->seconds += report.seconds;
        s->accuracy = report.accuracy[report.exits - 1];
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
    const eex_recipe recipe = ready(run, training->recipe);
    eex_trainer *trainer = NULL;
    EEX_TRY(history_new(history, recipe.epochs, eex_graph_exits(params->graph)));
    EEX_TRY(eex_trainer_new(&trainer, params, &recipe, run->data, training->samples,
                            training->count, training->seed));
    checkpoint c = {trainer, training, history};
    int code = EEX_OK;
    if (eex__run_has(run, training->checkpoint))
        code = eex__run_read(run, training->checkpoint, checkpoint_use, &c);
    if (code == EEX_OK) {
        shown s = {-1, recipe.epochs};
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

static int weights_fill(eex_store_file *file, const void *context)
{
    const weights *w = context;
    EEX_TRY(eex_model_write(file, w->params->graph, w->params, NULL, NULL, &w->run->input,
                            w->run->e->precision));
    return eex__history_save(w->history, file);
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
