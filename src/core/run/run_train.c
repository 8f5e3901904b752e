/* Training with checkpoints. A checkpoint is the state after some epoch; what is left of the
 * training follows from it bit for bit. */
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

static int checkpoint_save(const eex_run *run, const eex_trainer *trainer, const eex__training *t,
                           const eex__history *history)
{
    eex_store_file *file = NULL;
    EEX_TRY(eex__run_create(&file, run, t->checkpoint, "checkpoint"));
    int code = eex_store_set_int(file, "", "subject", (int64_t)t->subject);
    if (code == EEX_OK)
        code = eex_trainer_save(trainer, file, "trainer");
    if (code == EEX_OK)
        code = eex__history_save(history, file);
    if (code == EEX_OK)
        code = eex__run_commit(run, &file);
    eex_store_close(file);
    return code;
}

/* A checkpoint of another subject is none. */
static int checkpoint_load(const eex_run *run, eex_trainer *trainer, const eex__training *t,
                           eex__history *history)
{
    eex_store_file *file = NULL;
    int64_t subject = 0;
    if (!eex__run_has(run, t->checkpoint))
        return EEX_OK;
    EEX_TRY(eex__run_open(&file, run, t->checkpoint, "checkpoint"));
    int code = eex_store_get_int(&subject, file, "", "subject");
    if (code == EEX_OK && (uint64_t)subject == t->subject) {
        code = eex_trainer_load(trainer, file, "trainer");
        if (code == EEX_OK)
            code = history_load(history, file, eex_trainer_epochs(trainer));
        if (code == EEX_OK)
            eex_log_info("%s: going on after epoch %d", t->title, eex_trainer_epochs(trainer));
    }
    eex_store_close(file);
    return code;
}

/* ---- training ---- */

eex_recipe eex__run_recipe(const eex_run *run, const eex_recipe *recipe)
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

/* Epochs until the recipe is done, or a signal comes: then the state is saved. */
static int train_epochs(const eex_run *run, eex_trainer *trainer, const eex__training *t,
                        eex__history *history, shown *s)
{
    double saved = eex_clock_seconds();
    while (!eex_trainer_done(trainer)) {
        eex_epoch_report report;
        int code = eex__run_poll();
        if (code == EEX_OK)
            code = eex_trainer_epoch(trainer, &report);
        EEX_TRY(code);
        history_add(history, &report);
        history->seconds += report.seconds;
        s->accuracy = report.accuracy[report.exits - 1];
        bool due = eex_clock_seconds() - saved >= CHECKPOINT_SECONDS || eex__run_poll() != EEX_OK;
        if (due || eex_trainer_done(trainer)) {
            EEX_TRY(checkpoint_save(run, trainer, t, history));
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
    const eex_recipe recipe = eex__run_recipe(run, training->recipe);
    eex_trainer *trainer = NULL;
    EEX_TRY(history_new(history, recipe.epochs, eex_graph_exits(params->graph)));
    EEX_TRY(eex_trainer_new(&trainer, params, &recipe, run->data, training->samples,
                            training->count, training->seed));
    int code = checkpoint_load(run, trainer, training, history);
    if (code == EEX_OK) {
        shown s = {-1, recipe.epochs};
        uint64_t images = epoch_images(training->count, (size_t)recipe.batch);
        eex_progress_begin(training->title, (uint64_t)recipe.epochs * images, "images");
        eex_progress_update((uint64_t)eex_trainer_epochs(trainer) * images, NULL);
        eex_trainer_watch(trainer, show, &s);
        code = train_epochs(run, trainer, training, history, &s);
        eex_progress_end();
    }
    if (code == EEX_OK)
        code = eex_trainer_finish(trainer);
    eex_trainer_free(trainer);
    return code;
}

/* ---- weights and traces ---- */

int eex__run_save_weights(const eex_run *run, const char *name, const eex_params *params,
                          const eex__history *history)
{
    eex_store_file *file = NULL;
    EEX_TRY(eex__run_create(&file, run, name, "weights"));
    int code =
        eex_model_write(file, params->graph, params, NULL, NULL, &run->input, run->e->precision);
    if (code == EEX_OK)
        code = eex__history_save(history, file);
    if (code == EEX_OK)
        code = eex__run_commit(run, &file);
    eex_store_close(file);
    return code;
}

int eex__run_load_weights(eex_params **out, const eex_run *run, const char *name,
                          const eex_graph *graph)
{
    eex_store_file *file = NULL;
    eex_params *params = NULL;
    *out = NULL;
    int code = eex__run_open(&file, run, name, "weights");
    if (code == EEX_OK)
        code = eex_params_new(&params, run->device, graph, run->e->seed);
    if (code == EEX_OK)
        code = eex_params_load(params, file, "params");
    eex_store_close(file);
    if (code != EEX_OK) {
        eex_params_free(params);
        return code;
    }
    *out = params;
    return EEX_OK;
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

int eex__run_save_trace(const eex_run *run, const char *name, const eex_trace *trace)
{
    eex_store_file *file = NULL;
    EEX_TRY(eex__run_create(&file, run, name, "trace"));
    int code = eex_trace_save(trace, file, "trace");
    if (code == EEX_OK)
        code = eex__run_commit(run, &file);
    eex_store_close(file);
    return code;
}

int eex__run_load_trace(eex_trace **out, const eex_run *run, const char *name)
{
    eex_store_file *file = NULL;
    *out = NULL;
    EEX_TRY(eex__run_open(&file, run, name, "trace"));
    int code = eex_trace_load(out, file, "trace");
    eex_store_close(file);
    return code;
}
