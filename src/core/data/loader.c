#include "core/data/loader.h"

#include "base/rng.h"
#include "base/signals.h"
#include "base/status.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SLOTS = 3, /* one that is consumed, one that is ready, one that is filled */
    SHUFFLE_STREAM = 0x10ad
};

typedef struct slot {
    uint8_t *images;
    int32_t *labels;
    uint32_t *samples;
    eex_batch batch;
} slot;

/* Where in the sequence of all batches of all epochs something is. */
typedef struct place {
    uint32_t epoch, number;
} place;

struct eex_loader {
    eex_loader_options options;
    uint32_t *samples; /* (count) as given */
    uint32_t *order;   /* (count) as shuffled for `order_epoch`; the thread's own */
    int64_t order_epoch;
    uint32_t batches;
    size_t image_bytes;

    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* All below under the lock. Slots [head, head + ready) hold what comes next, in order; with
     * `held` the slot before head is the consumer's. */
    slot slots[SLOTS];
    int head, ready;
    bool held;
    place next;       /* what the consumer wants next */
    place fill;       /* what the thread fills next */
    uint32_t restart; /* counts the jumps: a batch that was begun before one is thrown away */
    bool stop;
    int code; /* why the thread ended, with its message */
    char message[2048];
};

static place place_after(const eex_loader *loader, place at)
{
    if (++at.number >= loader->batches) {
        at.epoch++;
        at.number = 0;
    }
    return at;
}

/* ---- the thread ---- */

static void shuffle(eex_loader *loader, uint32_t epoch)
{
    if (loader->order_epoch == epoch)
        return;
    eex_rng rng;
    memcpy(loader->order, loader->samples, loader->options.count * sizeof *loader->order);
    if (loader->options.shuffle) {
        eex_rng_seed(&rng, eex_rng_hash(loader->options.seed, SHUFFLE_STREAM, epoch),
                     SHUFFLE_STREAM);
        eex_rng_shuffle(&rng, loader->order, loader->options.count);
    }
    loader->order_epoch = epoch;
}

static int fill(eex_loader *loader, slot *to, place at)
{
    const eex_loader_options *o = &loader->options;
    const int32_t *labels = eex_dataset_labels(o->data);
    shuffle(loader, at.epoch);
    size_t first = (size_t)at.number * (size_t)o->batch;
    size_t left = o->count - first;
    size_t count = left < (size_t)o->batch ? left : (size_t)o->batch;
    memcpy(to->samples, loader->order + first, count * sizeof *to->samples);
    for (size_t i = 0; i < count; i++)
        to->labels[i] = labels[to->samples[i]];
    to->batch = (eex_batch){(int)count, to->images, to->labels, to->samples, at.epoch, at.number};
    return eex_dataset_gather(to->images, o->data, to->samples, count);
}

/* Waits for a free slot. The consumer's is never free. */
static bool wait_for_room(eex_loader *loader)
{
    while (!loader->stop && loader->ready + loader->held >= SLOTS)
        pthread_cond_wait(&loader->changed, &loader->lock);
    return !loader->stop;
}

static void *run(void *argument)
{
    eex_loader *loader = argument;
    pthread_mutex_lock(&loader->lock);
    while (loader->code == EEX_OK && wait_for_room(loader)) {
        slot *to = &loader->slots[(loader->head + loader->ready) % SLOTS];
        place at = loader->fill;
        uint32_t restart = loader->restart;
        pthread_mutex_unlock(&loader->lock);
        int code = fill(loader, to, at);
        pthread_mutex_lock(&loader->lock);
        if (restart == loader->restart) {
            loader->ready += code == EEX_OK;
            loader->fill = place_after(loader, at);
        }
        if (code < 0) {
            loader->code = code;
            snprintf(loader->message, sizeof loader->message, "%s", eex_error());
        }
        pthread_cond_broadcast(&loader->changed);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

/* ---- opening and closing ---- */

static int check(const eex_loader_options *o)
{
    uint32_t samples = eex_dataset_facts(o->data)->samples;
    if (o->batch < 1 || o->count == 0 || (o->drop_last && o->count < (size_t)o->batch))
        return eex_fail(EEX_EINVAL, "nothing to load: %zu samples in batches of %d%s", o->count,
                        o->batch, o->drop_last ? ", incomplete ones left out" : "");
    for (size_t i = 0; i < o->count; i++)
        if (o->samples[i] >= samples)
            return eex_fail(EEX_EINVAL, "sample %u: data set \"%s\" has %u", o->samples[i],
                            eex_dataset_facts(o->data)->name, samples);
    return EEX_OK;
}

static int from_malloc(void *context, void **out, size_t bytes)
{
    (void)context;
    *out = malloc(bytes);
    return *out ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory");
}

static void to_free(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static int allocate_slot(slot *s, const eex_loader *loader, size_t batch)
{
    const eex_loader_memory *m = &loader->options.memory;
    s->labels = malloc(batch * sizeof *s->labels);
    s->samples = malloc(batch * sizeof *s->samples);
    if (!s->labels || !s->samples)
        return eex_fail(EEX_ENOMEM, "out of memory");
    return m->allocate(m->context, (void **)&s->images, batch * loader->image_bytes);
}

static int allocate(eex_loader *loader)
{
    size_t batch = (size_t)loader->options.batch, count = loader->options.count;
    if (batch > count)
        batch = count;
    loader->samples = malloc(count * sizeof *loader->samples);
    loader->order = malloc(count * sizeof *loader->order);
    if (!loader->samples || !loader->order || batch > SIZE_MAX / loader->image_bytes)
        return eex_fail(EEX_ENOMEM, "out of memory");
    for (int i = 0; i < SLOTS; i++)
        EEX_TRY(allocate_slot(&loader->slots[i], loader, batch));
    return EEX_OK;
}

int eex_loader_open(eex_loader **out, const eex_loader_options *options)
{
    *out = NULL;
    EEX_TRY(check(options));
    const eex_dataset_info *info = eex_dataset_facts(options->data);
    eex_loader *loader = calloc(1, sizeof *loader);
    if (!loader)
        return eex_fail(EEX_ENOMEM, "out of memory for a loader");
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->changed, NULL);
    loader->options = *options;
    loader->order_epoch = -1;
    loader->image_bytes = (size_t)info->height * (size_t)info->width * (size_t)info->channels;
    size_t batch = (size_t)options->batch;
    loader->batches = (uint32_t)(options->drop_last ? options->count / batch
                                                    : (options->count + batch - 1) / batch);
    if (!options->memory.allocate)
        loader->options.memory = (eex_loader_memory){.allocate = from_malloc, .release = to_free};
    int code = allocate(loader);
    if (code < 0) {
        eex_loader_close(loader);
        return eex_fail_in(code, "cannot load batches of %d images", options->batch);
    }
    memcpy(loader->samples, options->samples, options->count * sizeof *loader->samples);
    loader->options.samples = loader->samples;
    int error = pthread_create(&loader->thread, NULL, run, loader);
    if (error) {
        eex_loader_close(loader);
        return eex_fail(EEX_ENOMEM, "cannot start the loader's thread: %s", strerror(error));
    }
    loader->running = true;
    *out = loader;
    return EEX_OK;
}

void eex_loader_close(eex_loader *loader)
{
    if (!loader)
        return;
    if (loader->running) {
        pthread_mutex_lock(&loader->lock);
        loader->stop = true;
        pthread_cond_broadcast(&loader->changed);
        pthread_mutex_unlock(&loader->lock);
        pthread_join(loader->thread, NULL);
    }
    const eex_loader_memory *m = &loader->options.memory;
    for (int i = 0; i < SLOTS; i++) {
        m->release(m->context, loader->slots[i].images);
        free(loader->slots[i].labels);
        free(loader->slots[i].samples);
    }
    free(loader->samples);
    free(loader->order);
    pthread_cond_destroy(&loader->changed);
    pthread_mutex_destroy(&loader->lock);
    free(loader);
}

uint32_t eex_loader_batches(const eex_loader *loader)
{
    return loader->batches;
}

/* ---- the consumer ---- */

int eex_loader_start(eex_loader *loader, uint32_t epoch, uint32_t first)
{
    if (first > loader->batches)
        return eex_fail(EEX_EINVAL, "batch %u of an epoch that has %u", first, loader->batches);
    pthread_mutex_lock(&loader->lock);
    loader->next = (place){epoch, first};
    place begin = loader->ready ? (place){loader->slots[loader->head].batch.epoch,
                                          loader->slots[loader->head].batch.number}
                                : loader->fill;
    place want = first < loader->batches ? loader->next : (place){epoch + 1, 0};
    if (begin.epoch != want.epoch || begin.number != want.number) {
        loader->ready = 0;
        loader->fill = want;
        loader->restart++;
        pthread_cond_broadcast(&loader->changed);
    }
    pthread_mutex_unlock(&loader->lock);
    return EEX_OK;
}

static void wait_a_little(eex_loader *loader)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 100 * 1000 * 1000;
    if (until.tv_nsec >= 1000 * 1000 * 1000) {
        until.tv_sec++;
        until.tv_nsec -= 1000 * 1000 * 1000;
    }
    pthread_cond_timedwait(&loader->changed, &loader->lock, &until);
}

/* Under the lock. */
static int take(const eex_batch **out, eex_loader *loader)
{
    if (loader->held) {
        loader->held = false;
        pthread_cond_broadcast(&loader->changed);
    }
    if (loader->next.number >= loader->batches)
        return EEX_OK;
    /* Asked before every batch: the thread is ahead, so that there is hardly ever a wait. */
    while (!eex_interrupted() && !loader->ready && loader->code == EEX_OK)
        wait_a_little(loader);
    if (eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "interrupted while loading images");
    if (!loader->ready)
        return eex_fail(loader->code, "%s", loader->message);
    *out = &loader->slots[loader->head].batch;
    loader->head = (loader->head + 1) % SLOTS;
    loader->ready--;
    loader->held = true;
    loader->next.number++;
    pthread_cond_broadcast(&loader->changed);
    return EEX_OK;
}

int eex_loader_next(const eex_batch **out, eex_loader *loader)
{
    *out = NULL;
    pthread_mutex_lock(&loader->lock);
    int code = take(out, loader);
    pthread_mutex_unlock(&loader->lock);
    return code;
}

const eex_batch *eex_loader_peek(eex_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    const bool there = loader->ready > 0 && loader->next.number < loader->batches;
    const eex_batch *next = there ? &loader->slots[loader->head].batch : NULL;
    pthread_mutex_unlock(&loader->lock);
    return next;
}
