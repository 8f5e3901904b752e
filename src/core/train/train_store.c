/* Checkpoints: everything that the next step needs, also in the middle of an epoch. */
#include "core/train/train_impl.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

/* What lies flat beside the parameters: name in the file, device memory, elements. */
typedef struct flat {
    const char *name;
    float *at;
    size_t count;
} flat;

enum { FLATS = 4 };

static void list_flats(const eex_trainer *t, flat *out)
{
    const eex_optimizer_state *s = t->state;
    out[0] = (flat){"momentum", s->m, t->params->count};
    out[1] = (flat){"second_moment", s->v, t->params->count};
    out[2] = (flat){"average", s->ema, t->params->count};
    out[3] = (flat){"average_state", s->ema_state, t->params->state_count};
}

/* Saves or loads one of them through host memory. */
static int transfer(const eex_trainer *t, eex_store_file *file, const char *group, const flat *f,
                    bool save)
{
    eex_device *dev = t->params->device;
    char name[256];
    snprintf(name, sizeof name, "%s/%s", group, f->name);
    eex_store_shape shape = {.rank = 1, .extent = {f->count}};
    float *host = malloc(f->count * sizeof *host + 1);
    if (!host)
        return eex_fail(EEX_ENOMEM, "out of memory for a checkpoint of %zu elements", f->count);
    int code = save ? dev->vtable->download(dev, host, f->at, f->count * sizeof *host)
                    : eex_store_read(host, file, name, EEX_STORE_F32, &shape);
    if (code == EEX_OK)
        code = save ? eex_store_write(file, name, EEX_STORE_F32, &shape, host)
                    : dev->vtable->upload(dev, f->at, host, f->count * sizeof *host);
    free(host);
    return code;
}

/* ---- an epoch that is not finished ---- */

static int save_partial(const eex_trainer *t, eex_store_file *file, const char *group)
{
    double rows[EEX_MAX_EXITS][2];
    char name[256];
    const eex_store_shape shape = {2, {(uint64_t)t->exits, 2}};
    for (int k = 0; k < t->exits; k++) {
        eex_totals totals = t->totals[k]; /* of an epoch that was loaded and not gone on with */
        if (t->passes)
            EEX_TRY(eex__trainer_totals(t, k, &totals));
        rows[k][0] = totals.loss;
        rows[k][1] = totals.correct;
    }
    snprintf(name, sizeof name, "%s/totals", group);
    EEX_TRY(eex_store_set_int(file, group, "batches", t->batches));
    EEX_TRY(eex_store_set_double(file, group, "seconds", t->seconds));
    EEX_TRY(eex_store_write(file, name, EEX_STORE_F64, &shape, rows));
    return eex_store_set_string(file, name, "columns",
                                "sum of losses, number right; a row an exit");
}

/* Checkpoints between two epochs have none. */
static int load_partial(eex_trainer *t, eex_store_file *file, const char *group)
{
    double rows[EEX_MAX_EXITS][2];
    char name[256];
    int64_t batches = 0;
    const eex_store_shape shape = {2, {(uint64_t)t->exits, 2}};
    t->batches = 0;
    t->seconds = 0;
    if (!eex_store_has_attribute(file, group, "batches"))
        return EEX_OK;
    snprintf(name, sizeof name, "%s/totals", group);
    EEX_TRY(eex_store_get_int(&batches, file, group, "batches"));
    EEX_TRY(eex_store_get_double(&t->seconds, file, group, "seconds"));
    EEX_TRY(eex_store_read(rows, file, name, EEX_STORE_F64, &shape));
    if (batches < 1 || batches > eex_loader_batches(t->source.loader))
        return eex_store_refuse(file, "%s: %lld batches of an epoch, expected 1 to %u", group,
                                (long long)batches, eex_loader_batches(t->source.loader));
    for (int k = 0; k < t->exits; k++)
        t->totals[k] = (eex_totals){.loss = rows[k][0], .correct = rows[k][1]};
    t->batches = (uint32_t)batches;
    return EEX_OK;
}

/* ---- all of it ---- */

int eex_trainer_save(const eex_trainer *t, eex_store_file *file, const char *group)
{
    char weights[256];
    flat flats[FLATS];
    snprintf(weights, sizeof weights, "%s/weights", group);
    list_flats(t, flats);
    EEX_TRY(eex_store_make_group(file, group));
    EEX_TRY(eex_store_set_int(file, group, "epoch", t->epoch));
    EEX_TRY(eex_store_set_int(file, group, "step", (int64_t)t->step));
    if (t->batches > 0)
        EEX_TRY(save_partial(t, file, group));
    EEX_TRY(eex_params_save(t->params, file, weights));
    for (int i = 0; i < FLATS; i++)
        if (flats[i].at)
            EEX_TRY(transfer(t, file, group, &flats[i], true));
    return EEX_OK;
}

int eex_trainer_load(eex_trainer *t, eex_store_file *file, const char *group)
{
    char weights[256];
    flat flats[FLATS];
    int64_t epoch, step;
    snprintf(weights, sizeof weights, "%s/weights", group);
    list_flats(t, flats);
    EEX_TRY(eex_store_get_int(&epoch, file, group, "epoch"));
    EEX_TRY(eex_store_get_int(&step, file, group, "step"));
    if (epoch < 0 || epoch > t->recipe.epochs || step < 0)
        return eex_store_refuse(file, "%s: epoch %lld, expected 0 to %d", group, (long long)epoch,
                                t->recipe.epochs);
    EEX_TRY(load_partial(t, file, group));
    EEX_TRY(eex_params_load(t->params, file, weights));
    for (int i = 0; i < FLATS; i++)
        if (flats[i].at)
            EEX_TRY(transfer(t, file, group, &flats[i], false));
    t->epoch = (int)epoch;
    t->step = (uint64_t)step;
    return EEX_OK;
}
