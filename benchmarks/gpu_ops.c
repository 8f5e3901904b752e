/* Single ops against the speed at which the device copies memory. Each is run on several sets of
 * buffers in turn, so that the caches hold nothing of what is read, and as one unit, so that the
 * cost of a launch is a graph's. */
#include "cuda/cuda_device.h"
#include "gpu.h"

#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SETS = 32, ROWS = 65536, MANY_ROWS = 1 << 24, BUFFERS = 16 };

static const size_t OUT_OF_CACHE = (size_t)256 << 20;

typedef struct bench {
    eex_device *dev;
    int sets, batch;
    size_t bytes; /* that one op moves */
    eex_op ops[MOST_SETS];
    void *states[MOST_SETS];
    void *recording;
    void *buffer[MOST_SETS * BUFFERS];
    int buffers;
} bench;

static double copy_bandwidth; /* bytes read and written a second */

static void *get(bench *b, size_t bytes)
{
    void *out = NULL;
    if (b->buffers < MOST_SETS * BUFFERS && b->dev->vtable->allocate(b->dev, &out, bytes) == EEX_OK)
        b->buffer[b->buffers++] = out;
    return out;
}

/* Device memory filled from the host. */
static void *get_filled(bench *b, const void *from, size_t bytes)
{
    void *out = get(b, bytes);
    return out && b->dev->vtable->upload(b->dev, out, from, bytes) == EEX_OK ? out : NULL;
}

static void finish(bench *b)
{
    b->dev->vtable->forget(b->dev, b->recording);
    for (int i = 0; i < b->sets; i++)
        b->dev->vtable->finish(b->dev, &b->ops[i], b->states[i]);
    for (int i = 0; i < b->buffers; i++)
        b->dev->vtable->release(b->dev, b->buffer[i]);
}

static void choose_sets(bench *b)
{
    size_t sets = 1 + OUT_OF_CACHE / b->bytes;
    b->sets = sets < MOST_SETS ? (int)sets : MOST_SETS;
}

static int prepare(bench *b)
{
    for (int i = 0; i < b->sets; i++)
        EEX_TRY(b->dev->vtable->prepare(b->dev, &b->states[i], &b->ops[i], b->batch));
    return EEX_OK;
}

static int submit_unit(void *ctx)
{
    bench *b = ctx;
    eex_step step = {.batch = b->batch};
    return b->dev->vtable->run_unit(b->dev, &b->recording, b->ops, b->states, b->sets, &step);
}

static int measure(const gpu_options *o, bench *b, const char *name)
{
    EEX_TRY(prepare(b));
    double seconds = gpu_time(o, b->dev, submit_unit, b) / b->sets;
    if (seconds < 0)
        return EEX_EDEVICE;
    double rate = (double)b->bytes / seconds;
    printf("%-28s %12.3f us  %.1f MB, %.0f GB/s, %.0f %% of copying\n", name, 1e6 * seconds,
           1e-6 * (double)b->bytes, 1e-9 * rate, 100 * rate / copy_bandwidth);
    fflush(stdout);
    return EEX_OK;
}

/* ---- copying ---- */

typedef struct copy {
    eex_cuda *cuda;
    void *to, *from;
    size_t bytes;
} copy;

static int submit_copy(void *ctx)
{
    copy *c = ctx;
    return eex__cuda_check(
        c->cuda, cudaMemcpyAsync(c->to, c->from, c->bytes, cudaMemcpyDefault, c->cuda->stream),
        "copying");
}

static int bench_copy(const gpu_options *o, eex_device *dev)
{
    copy c = {.cuda = (eex_cuda *)dev, .bytes = (size_t)1 << 30};
    EEX_TRY(dev->vtable->allocate(dev, &c.to, c.bytes));
    int code = dev->vtable->allocate(dev, &c.from, c.bytes);
    double seconds = code == EEX_OK ? gpu_time(o, dev, submit_copy, &c) : -1;
    dev->vtable->release(dev, c.from);
    dev->vtable->release(dev, c.to);
    if (code < 0 || seconds < 0)
        return code < 0 ? code : EEX_EDEVICE;
    copy_bandwidth = 2 * (double)c.bytes / seconds;
    printf("%-28s %12.1f GB/s  read and written\n", "copy", 1e-9 * copy_bandwidth);
    return EEX_OK;
}

/* From memory of the host that is pinned, as a loader's is: what images ahead of a step take. */
static int bench_upload(const gpu_options *o, eex_device *dev)
{
    copy c = {.cuda = (eex_cuda *)dev, .bytes = (size_t)64 << 20};
    EEX_TRY(dev->vtable->allocate(dev, &c.to, c.bytes));
    int code = eex_device_host_allocate(dev, &c.from, c.bytes);
    double seconds = code == EEX_OK ? gpu_time(o, dev, submit_copy, &c) : -1;
    eex_device_host_release(dev, c.from);
    dev->vtable->release(dev, c.to);
    if (code < 0 || seconds < 0)
        return code < 0 ? code : EEX_EDEVICE;
    printf("%-28s %12.1f GB/s  from pinned memory\n", "upload", 1e-9 * (double)c.bytes / seconds);
    return EEX_OK;
}

/* ---- exit heads ---- */

static float *random_floats(size_t count)
{
    float *out = malloc(count * sizeof *out);
    for (size_t i = 0; out && i < count; i++)
        out[i] = 8 * ((float)(eex_rng_hash(1, 2, i) >> 40) / (float)(1 << 24) - 0.5f);
    return out;
}

static int add_head(bench *b, int i, const float *logits, const float *high, const float *low,
                    int classes)
{
    size_t n = (size_t)b->batch, bytes = n * (size_t)classes * sizeof(float);
    size_t table = (size_t)classes * sizeof(float);
    eex_op_head *h = &b->ops[i].u.head;
    b->ops[i] = (eex_op){.kind = EEX_OP_HEAD, .name = "head"};
    *h = (eex_op_head){.classes = classes, .temperature = 2, .measure = EEX_MEASURE_CONFIDENCE};
    h->logits = get_filled(b, logits, bytes);
    h->top = get(b, n * sizeof *h->top);
    h->confidence = get(b, n * sizeof *h->confidence);
    h->margin = get(b, n * sizeof *h->margin);
    h->entropy = get(b, n * sizeof *h->entropy);
    h->decision = get(b, n);
    h->high = get_filled(b, high, table);
    h->low = get_filled(b, low, table);
    bool all = h->logits && h->top && h->confidence && h->margin && h->entropy && h->decision &&
               h->high && h->low;
    return all ? EEX_OK : EEX_ENOMEM; /* the message is the device's */
}

static int fill_heads(bench *b, int classes)
{
    float *logits = random_floats((size_t)b->batch * (size_t)classes);
    float *high = malloc((size_t)classes * sizeof *high);
    float *low = malloc((size_t)classes * sizeof *low);
    int code = logits && high && low ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for logits");
    for (int c = 0; code == EEX_OK && c < classes; c++) {
        high[c] = 0.5f;
        low[c] = -INFINITY;
    }
    for (int i = 0; code == EEX_OK && i < b->sets; i++)
        code = add_head(b, i, logits, high, low, classes);
    free(low);
    free(high);
    free(logits);
    return code;
}

static int bench_head(const gpu_options *o, eex_device *dev, int classes)
{
    char name[64];
    bench b = {.dev = dev, .batch = ROWS};
    snprintf(name, sizeof name, "head/%d", classes);
    if (!gpu_wanted(o, name))
        return EEX_OK;
    b.bytes =
        (size_t)ROWS * ((size_t)classes * 4 + 17); /* logits in; class, scores, decision out */
    choose_sets(&b);
    int code = fill_heads(&b, classes);
    if (code == EEX_OK)
        code = measure(o, &b, name);
    finish(&b);
    return code;
}

/* ---- statistics per class ---- */

static int add_stats(bench *b, int i, const float *score, const int32_t *key, int classes)
{
    size_t n = (size_t)b->batch, c = (size_t)classes;
    eex_op_class_stats *s = &b->ops[i].u.class_stats;
    b->ops[i] = (eex_op){.kind = EEX_OP_CLASS_STATS, .name = "stats"};
    *s = (eex_op_class_stats){.classes = classes};
    s->score = get_filled(b, score, n * sizeof *score);
    s->key = get_filled(b, key, n * sizeof *key);
    s->count = get(b, c * sizeof *s->count);
    s->mean = get(b, c * sizeof *s->mean);
    s->m2 = get(b, c * sizeof *s->m2);
    return s->score && s->key && s->count && s->mean && s->m2 ? EEX_OK : EEX_ENOMEM;
}

static int fill_stats(bench *b, int classes)
{
    float *score = random_floats((size_t)b->batch);
    int32_t *key = malloc((size_t)b->batch * sizeof *key);
    int code = score && key ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for scores");
    for (int i = 0; code == EEX_OK && i < b->batch; i++)
        key[i] = (int32_t)(eex_rng_hash(3, 4, (uint64_t)i) % (uint64_t)classes);
    for (int i = 0; code == EEX_OK && i < b->sets; i++)
        code = add_stats(b, i, score, key, classes);
    free(key);
    free(score);
    return code;
}

static int bench_stats(const gpu_options *o, eex_device *dev, int classes, int rows)
{
    char name[64];
    bench b = {.dev = dev, .batch = rows};
    snprintf(name, sizeof name, "stats/%d/%d", classes, rows);
    if (!gpu_wanted(o, name))
        return EEX_OK;
    b.bytes = (size_t)rows * 8; /* score and class in */
    choose_sets(&b);
    int code = fill_stats(&b, classes);
    if (code == EEX_OK)
        code = measure(o, &b, name);
    finish(&b);
    return code;
}

static int bench_all(const gpu_options *o, eex_device *dev)
{
    static const int classes[] = {10, 100, 1000};
    EEX_TRY(bench_copy(o, dev));
    EEX_TRY(bench_upload(o, dev));
    for (int i = 0; i < 3; i++)
        EEX_TRY(bench_head(o, dev, classes[i]));
    for (int i = 0; i < 3; i++) {
        EEX_TRY(bench_stats(o, dev, classes[i], ROWS));
        EEX_TRY(bench_stats(o, dev, classes[i], MANY_ROWS));
    }
    return EEX_OK;
}

int gpu_bench_ops(const gpu_options *o)
{
    eex_device *dev;
    if (o->only && !strstr("copy head stats", o->only) && strncmp(o->only, "head", 4) != 0 &&
        strncmp(o->only, "stats", 5) != 0)
        return EEX_OK;
    EEX_TRY(eex_device_open(&dev, o->device, NULL));
    int code = bench_all(o, dev);
    eex_device_close(dev);
    return code;
}
