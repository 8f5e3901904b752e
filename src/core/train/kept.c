#include "core/train/kept.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1 };

/* A kill loses at most this much and the epoch that it falls into. */
static const double CHECKPOINT_SECONDS = 20;

/* ---- what it is ---- */

static void put_recipe(eex_buffer *out, const eex_recipe *r)
{
    eex_buffer_printf(out, "%d %d %d %d %.17g %.17g %.17g %.17g\n", (int)r->regime,
                      (int)r->precision, r->epochs, r->batch, r->lr, r->smoothing, r->l1,
                      r->gate_weight);
    eex_buffer_printf(out, "%d %.17g %.17g %.17g\n", (int)r->schedule.kind, r->schedule.warmup,
                      r->schedule.final, r->schedule.gamma);
    eex_buffer_printf(out, "%d %d %.9g %.9g %.9g\n", (int)r->optimizer.kind, r->optimizer.nesterov,
                      (double)r->optimizer.momentum, (double)r->optimizer.weight_decay,
                      (double)r->optimizer.clip);
    eex_buffer_printf(out, "%d %d %d %d\n", r->augment.enabled, r->augment.crop_pad,
                      r->augment.flip, r->cache_features);
}

void eex_training_print(eex_buffer *out, const eex_recipe *recipe, const uint32_t *samples,
                        size_t count, uint64_t seed)
{
    char list[EEX_SHA256_HEX];
    eex_sha256_hex(list, samples, count * sizeof *samples);
    eex_buffer_printf(out, "%llu %s\n", (unsigned long long)seed, list);
    put_recipe(out, recipe);
}

int eex_kept_subject(char out[EEX_SHA256_HEX], const char *of, const eex_params *params,
                     const eex_recipe *recipe, const uint32_t *samples, size_t count, uint64_t seed)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_buffer_printf(&text, "%s\n%s\n", of, params->device->vtable->kind);
    eex_training_print(&text, recipe, samples, count, seed);
    const int code = eex_buffer_status(&text);
    if (code == EEX_OK)
        eex_sha256_hex(out, text.data, text.size);
    eex_buffer_free(&text);
    return code;
}

int eex_kept_path(char **out, const char *path)
{
    static const char end[] = ".h5";
    const size_t length = strlen(path), tail = sizeof end - 1;
    const bool ends = length > tail && strcmp(path + length - tail, end) == 0;
    eex_buffer name = EEX_BUFFER_INIT;
    eex_buffer_printf(&name, "%.*s-checkpoint.h5", (int)(ends ? length - tail : length), path);
    const int code = eex_buffer_status(&name);
    *out = code == EEX_OK ? strdup(name.data) : NULL;
    eex_buffer_free(&name);
    return code == EEX_OK && !*out ? eex_fail(EEX_ENOMEM, "out of memory for a name") : code;
}

/* ---- the file ---- */

typedef struct checkpoint {
    eex_trainer *trainer;
    const eex_kept *kept;
} checkpoint;

static int fill(eex_store_file *file, const void *context)
{
    const checkpoint *c = context;
    EEX_TRY(eex_store_set_string(file, "", "subject", c->kept->subject));
    EEX_TRY(eex_trainer_save(c->trainer, file, "trainer"));
    return c->kept->fill ? c->kept->fill(file, c->kept->context) : EEX_OK;
}

static int is_of(bool *out, eex_store_file *file, const char *subject)
{
    char *was = NULL;
    *out = false;
    const int says = eex_store_has_attribute(file, "", "subject");
    EEX_TRY(says);
    if (!says)
        return EEX_OK;
    EEX_TRY(eex_store_get_string(&was, file, "", "subject"));
    *out = strcmp(was, subject) == 0;
    free(was);
    return EEX_OK;
}

static void say_where(const checkpoint *c, const char *what)
{
    int all;
    const int batches = eex_trainer_batches(c->trainer, &all);
    eex_log_info("%s: %s after %d epoch%s and %d of %d batches: %s", c->kept->title, what,
                 eex_trainer_epochs(c->trainer), eex_trainer_epochs(c->trainer) == 1 ? "" : "s",
                 batches, all, c->kept->path);
}

static int go_on(eex_store_file *file, void *context)
{
    const checkpoint *c = context;
    bool ours;
    EEX_TRY(is_of(&ours, file, c->kept->subject));
    if (!ours && !c->kept->goes_on)
        eex_log_info("%s: %s is of another training and not used", c->kept->title, c->kept->path);
    if (!ours)
        return EEX_OK;
    EEX_TRY(eex_trainer_load(c->trainer, file, "trainer"));
    say_where(c, "going on");
    return EEX_OK;
}

static int save(const checkpoint *c)
{
    return c->kept->path ? eex_store_write_file(c->kept->path, "checkpoint", VERSION, fill, c)
                         : EEX_OK;
}

typedef struct reading {
    bool *found;
    const char *subject;
    eex_store_use use;
    void *context;
} reading;

static int read(eex_store_file *file, void *context)
{
    const reading *r = context;
    EEX_TRY(is_of(r->found, file, r->subject));
    return *r->found ? r->use(file, r->context) : EEX_OK;
}

int eex_kept_read(bool *found, const char *path, const char *subject, eex_store_use use,
                  void *context)
{
    reading r = {found, subject, use, context};
    *found = false;
    return path && eex_fs_exists(path) ? eex_store_read_file(path, "checkpoint", VERSION, read, &r)
                                       : EEX_OK;
}

/* ---- training ---- */

static void watch(void *context, int epoch, uint64_t done, uint64_t total, double loss)
{
    const eex_recipe *recipe = context;
    eex_progress_update(done, "loss %.3f, epoch %d/%d", loss, epoch, recipe->epochs);
}

static int keep(const checkpoint *c)
{
    EEX_TRY(save(c));
    if (!c->kept->path)
        return eex_fail(EEX_EINTERRUPTED, "interrupted");
    say_where(c, "kept");
    return eex_fail(EEX_EINTERRUPTED, "interrupted; the same command goes on from there");
}

static int train(eex_epoch_report *last, const checkpoint *c)
{
    double saved = eex_clock_seconds();
    while (!eex_trainer_done(c->trainer)) {
        const int code = eex_trainer_epoch(c->trainer, last);
        if (code == EEX_EINTERRUPTED)
            return keep(c);
        EEX_TRY(code);
        const double now = eex_clock_seconds();
        if (now - saved < CHECKPOINT_SECONDS && !eex_trainer_done(c->trainer))
            continue;
        EEX_TRY(save(c));
        saved = now;
    }
    return EEX_OK;
}

int eex_kept_train(eex_epoch_report *last, eex_trainer *trainer, const eex_recipe *recipe,
                   size_t count, const eex_kept *kept)
{
    eex_trainer_rates(trainer, kept->rates);
    checkpoint c = {trainer, kept};
    eex_recipe shown = *recipe;
    const size_t batch = (size_t)recipe->batch;
    const uint64_t images = count > batch ? count / batch * batch : count;
    int all;
    *last = (eex_epoch_report){.epoch = 0};
    if (kept->path && eex_fs_exists(kept->path))
        EEX_TRY(eex_store_read_file(kept->path, "checkpoint", VERSION, go_on, &c));
    eex_trainer_watch(trainer, watch, &shown);
    eex_progress_begin(kept->title, images * (uint64_t)recipe->epochs, "images");
    eex_progress_skip((uint64_t)eex_trainer_epochs(trainer) * images +
                      (uint64_t)eex_trainer_batches(trainer, &all) * batch);
    const int code = train(last, &c);
    eex_progress_end();
    EEX_TRY(code);
    return eex_trainer_finish(trainer);
}
