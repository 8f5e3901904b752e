/* What the epochs of a training have told: in memory, and in files. */
#include "core/run/run.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void eex__history_free(eex__history *history)
{
    free(history->loss);
    free(history->accuracy);
    free(history->validation);
    *history = (eex__history){0};
}

int eex__history_new(eex__history *history, const eex__training *training, int exits)
{
    const int epochs = training->recipe->epochs;
    size_t cells = (size_t)(epochs > 0 ? epochs : 1) * (size_t)exits;
    *history =
        (eex__history){.exits = exits, .validation_images = eex__run_validation_images(training)};
    history->loss = calloc(cells, sizeof *history->loss);
    history->accuracy = calloc(cells, sizeof *history->accuracy);
    history->validation = calloc(cells, sizeof *history->validation);
    if (!history->loss || !history->accuracy || !history->validation)
        return eex_fail(EEX_ENOMEM, "out of memory for the history of %d epochs", epochs);
    for (size_t i = 0; i < cells; i++)
        history->validation[i] = NAN;
    return EEX_OK;
}

double *eex__history_row(const eex__history *history, double *column, int epoch)
{
    return column + (size_t)epoch * (size_t)history->exits;
}

void eex__history_add(eex__history *history, const eex_epoch_report *report, bool validated)
{
    const size_t bytes = (size_t)history->exits * sizeof *history->loss;
    memcpy(eex__history_row(history, history->loss, history->epochs), report->loss, bytes);
    memcpy(eex__history_row(history, history->accuracy, history->epochs), report->accuracy, bytes);
    history->epochs++;
    history->pending = validated;
    history->seconds += report->seconds;
}

static int save_validation(const eex__history *history, eex_store_file *file)
{
    static const char name[] = "history/validation_accuracy";
    const eex_store_shape shape = {2, {(uint64_t)history->epochs, (uint64_t)history->exits}};
    if (history->validation_images == 0)
        return EEX_OK;
    EEX_TRY(eex_store_write(file, name, EEX_STORE_F64, &shape, history->validation));
    EEX_TRY(eex_store_set_int(file, name, "images", (int64_t)history->validation_images));
    return history->pending ? eex_store_set_int(file, name, "pending", 1) : EEX_OK;
}

int eex__history_save(const eex__history *history, eex_store_file *file)
{
    const eex_store_shape shape = {2, {(uint64_t)history->epochs, (uint64_t)history->exits}};
    EEX_TRY(eex_store_write(file, "history/loss", EEX_STORE_F64, &shape, history->loss));
    EEX_TRY(eex_store_write(file, "history/accuracy", EEX_STORE_F64, &shape, history->accuracy));
    EEX_TRY(eex_store_set_string(file, "history", "axes", "epoch, exit"));
    EEX_TRY(save_validation(history, file));
    return eex_store_set_double(file, "history", "seconds", history->seconds);
}

/* Checkpoints of an eex that did not validate have none: it was not known then. */
static int load_validation(eex__history *history, eex_store_file *file)
{
    static const char name[] = "history/validation_accuracy";
    const eex_store_shape shape = {2, {(uint64_t)history->epochs, (uint64_t)history->exits}};
    if (history->validation_images == 0 || !eex_store_has(file, name))
        return EEX_OK;
    history->pending = eex_store_has_attribute(file, name, "pending");
    return eex_store_read(history->validation, file, name, EEX_STORE_F64, &shape);
}

int eex__history_load(eex__history *history, eex_store_file *file, int epochs)
{
    const eex_store_shape shape = {2, {(uint64_t)epochs, (uint64_t)history->exits}};
    EEX_TRY(eex_store_read(history->loss, file, "history/loss", EEX_STORE_F64, &shape));
    EEX_TRY(eex_store_read(history->accuracy, file, "history/accuracy", EEX_STORE_F64, &shape));
    history->epochs = epochs;
    EEX_TRY(load_validation(history, file));
    return eex_store_get_double(&history->seconds, file, "history", "seconds");
}
