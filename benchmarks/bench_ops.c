/* Every op that moves more than it computes, at the shapes of MobileNetV2 on 32x32 images: GB/s of
 * what it has to read and write, and the same as a part of what copying reaches on that much
 * memory, all with the same threads.
 *
 * bench_ops [BATCH [THREADS [SECONDS [TEXT]]]]: only lines whose op contains TEXT. With one thread
 * it counts processor time, so that other load matters less. */
#include "cpu/cpu.h"
#include "cpu/device_cpu.h"
#include "cpu/range.h"
#include "timing.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct shape {
    int size, c;
} shape;

static const shape shapes[] = {{32, 32}, {16, 96}, {8, 144}, {4, 192}, {2, 576}, {1, 960}};

enum { BUFFERS = 5, SMALL = 16 };

typedef struct session {
    eex_device *dev;
    int batch;
    double seconds;
    const char *only;
    float *buffer[BUFFERS]; /* each as large as the largest activation */
    float *small[SMALL];    /* per channel */
    size_t largest;
    int32_t *labels;
    uint32_t *sample;
    uint8_t *decay;
} session;

typedef struct job {
    session *s;
    eex_op op;
    void *state;
    eex_step step;
} job;

static int run_once(void *ctx)
{
    job *j = ctx;
    return j->s->dev->vtable->run(j->s->dev, &j->op, j->state, &j->step);
}

typedef struct copy_job {
    session *s;
    size_t bytes;
} copy_job;

static void copy_share(void *ctx, const eex_part *part)
{
    const copy_job *copy = ctx;
    size_t begin, end;
    eex__cpu_range(&begin, &end, copy->bytes, 64, part->index, part->count);
    memcpy((char *)copy->s->buffer[1] + begin, (char *)copy->s->buffer[0] + begin, end - begin);
}

static int copy_once(void *ctx)
{
    copy_job *copy = ctx;
    eex__cpu_parallel((eex_cpu *)copy->s->dev, 0.1 * (double)copy->bytes, copy_share, copy);
    return 0;
}

/* GB/s of reading and writing when `bytes` in all are moved. */
static double copy_rate(session *s, double bytes)
{
    size_t half = (size_t)(bytes / 2);
    copy_job copy = {s, half < s->largest * sizeof(float) ? half : s->largest * sizeof(float)};
    return 2 * (double)copy.bytes / best_ns(copy_once, &copy, s->seconds);
}

/* Times the op and prints a line. bytes: what it has to move. */
static int measure(session *s, const char *name, const char *at, eex_op op, double bytes)
{
    if (!strstr(name, s->only))
        return EEX_OK;
    job j = {.s = s, .op = op};
    j.op.name = name;
    j.step = (eex_step){.batch = s->batch, .lr = 0, .seed = 1, .epoch = 1, .step = 1};
    EEX_TRY(s->dev->vtable->prepare(s->dev, &j.state, &j.op, s->batch));
    double ns = best_ns(run_once, &j, s->seconds), copy = copy_rate(s, bytes);
    s->dev->vtable->finish(s->dev, &j.op, j.state);
    if (ns < 0)
        return EEX_EDEVICE;
    printf("%-28s %-20s %10.1f %8.1f %8.1f %8.0f %%\n", name, at, ns / 1000, bytes / ns, copy,
           100 * bytes / ns / copy);
    fflush(stdout);
    return EEX_OK;
}

static eex_op norm_forward(session *s, shape at, eex_op_kind kind, bool residual, double *stats)
{
    eex_op op = {.kind = kind};
    op.u.bn = (eex_op_bn){.c = at.c,
                          .hw = at.size * at.size,
                          .x = s->buffer[0],
                          .residual = residual ? s->buffer[1] : NULL,
                          .y = s->buffer[2],
                          .gamma = s->small[0],
                          .beta = s->small[1],
                          .running_mean = s->small[2],
                          .running_var = s->small[3],
                          .save_mean = s->small[4],
                          .save_invstd = s->small[5],
                          .stats = stats,
                          .momentum = 0,
                          .eps = 1e-5f,
                          .act = residual ? EEX_ACT_NONE : EEX_ACT_RELU6};
    return op;
}

static eex_op norm_backward(session *s, shape at, eex_act act, bool residual)
{
    eex_op op = {.kind = EEX_OP_BN_BWD};
    op.u.bn_bwd = (eex_op_bn_bwd){.c = at.c,
                                  .hw = at.size * at.size,
                                  .dy = s->buffer[1],
                                  .x = s->buffer[0],
                                  .y = s->buffer[2],
                                  .gamma = s->small[0],
                                  .beta = s->small[1],
                                  .save_mean = s->small[4],
                                  .save_invstd = s->small[5],
                                  .eps = 1e-5f,
                                  .batch_stats = true,
                                  .act = act,
                                  .has_residual = residual,
                                  .dx = s->buffer[3],
                                  .dresidual = residual ? s->buffer[4] : NULL,
                                  .dgamma = s->small[6],
                                  .dbeta = s->small[7]};
    return op;
}

/* Tensors that are read and written once a pass: dy, x, dy, x, dx, and so on. */
static int measure_norms(session *s, shape at, const char *name, double bytes)
{
    static double stats[2 * 2048];
    for (int j = 0; j < at.c; j++) {
        stats[j] = 0;
        stats[at.c + j] = (double)s->batch * at.size * at.size;
    }
    EEX_TRY(
        measure(s, "bn train", name, norm_forward(s, at, EEX_OP_BN_TRAIN, false, NULL), 3 * bytes));
    EEX_TRY(measure(s, "bn train, sums given", name,
                    norm_forward(s, at, EEX_OP_BN_TRAIN, false, stats), 2 * bytes));
    EEX_TRY(measure(s, "bn train, sums, residual", name,
                    norm_forward(s, at, EEX_OP_BN_TRAIN, true, stats), 3 * bytes));
    EEX_TRY(measure(s, "bn bwd", name, norm_backward(s, at, EEX_ACT_NONE, false), 5 * bytes));
    EEX_TRY(
        measure(s, "bn bwd, relu6", name, norm_backward(s, at, EEX_ACT_RELU6, false), 5 * bytes));
    return measure(s, "bn bwd, relu, residual", name, norm_backward(s, at, EEX_ACT_RELU, true),
                   7 * bytes);
}

static int measure_pointwise(session *s, shape at, const char *name, double bytes)
{
    eex_op op = {.kind = EEX_OP_ADD};
    op.u.pointwise = (eex_op_pointwise){.size = at.size * at.size * at.c,
                                        .x = s->buffer[0],
                                        .x2 = s->buffer[1],
                                        .ref = s->buffer[1],
                                        .y = s->buffer[2],
                                        .act = EEX_ACT_RELU,
                                        .p = 0.2f};
    EEX_TRY(measure(s, "add", name, op, 3 * bytes));
    op.kind = EEX_OP_ACT;
    EEX_TRY(measure(s, "act", name, op, 2 * bytes));
    op.kind = EEX_OP_ACT_BWD;
    EEX_TRY(measure(s, "act bwd", name, op, 3 * bytes));
    op.kind = EEX_OP_DROPOUT;
    EEX_TRY(measure(s, "dropout", name, op, 2 * bytes));
    op.kind = EEX_OP_ACCUMULATE;
    op.u.pointwise.accumulate = true;
    return measure(s, "accumulate", name, op, 3 * bytes);
}

static int measure_pools(session *s, shape at, const char *name, double bytes)
{
    int half = (at.size + 1) / 2;
    eex_op op = {.kind = EEX_OP_GLOBAL_POOL};
    op.u.pool = (eex_op_pool){.x = s->buffer[0], .dy = s->buffer[1], .y = s->buffer[2]};
    op.u.pool.dx = s->buffer[3];
    op.u.pool.window = (eex_window){.cin = at.c,
                                    .hin = at.size,
                                    .win = at.size,
                                    .cout = at.c,
                                    .hout = half,
                                    .wout = half,
                                    .kernel = 3,
                                    .stride = 2,
                                    .pad = 1,
                                    .groups = at.c};
    double out = bytes * half * half / at.size / at.size;
    EEX_TRY(measure(s, "global pool", name, op, bytes));
    op.kind = EEX_OP_GLOBAL_POOL_BWD;
    EEX_TRY(measure(s, "global pool bwd", name, op, bytes));
    op.kind = EEX_OP_MAX_POOL;
    EEX_TRY(measure(s, "max pool 3x3/2", name, op, bytes + out));
    op.kind = EEX_OP_MAX_POOL_BWD;
    return measure(s, "max pool 3x3/2 bwd", name, op, 3 * bytes + out);
}

static int measure_rows(session *s, int classes)
{
    char name[32];
    double bytes = 4.0 * s->batch * classes;
    eex_op loss = {.kind = EEX_OP_LOSS}, head = {.kind = EEX_OP_HEAD};
    snprintf(name, sizeof name, "(%d, %d)", s->batch, classes);
    double totals[2] = {0};
    loss.u.loss = (eex_op_loss){.classes = classes,
                                .logits = s->buffer[0],
                                .labels = s->labels,
                                .dlogits = s->buffer[1],
                                .totals = totals,
                                .weight = 1,
                                .smoothing = 0.1f,
                                .l1 = 0.01f};
    head.u.head = (eex_op_head){.classes = classes,
                                .logits = s->buffer[0],
                                .temperature = 5,
                                .top = s->labels + s->batch,
                                .confidence = s->small[0],
                                .margin = s->small[1],
                                .entropy = s->small[2]};
    EEX_TRY(measure(s, "loss", name, loss, 2 * bytes));
    return measure(s, "head", name, head, bytes);
}

static int measure_augment(session *s)
{
    char name[32];
    double bytes = 3072.0 * s->batch;
    eex_op op = {.kind = EEX_OP_AUGMENT};
    op.u.augment = (eex_op_augment){.c = 3,
                                    .h = 32,
                                    .w = 32,
                                    .sample = s->sample,
                                    .images = (const uint8_t *)s->buffer[0],
                                    .y = s->buffer[1]};
    eex_augment *how = &op.u.augment.augment;
    *how =
        (eex_augment){.enabled = true, .crop_pad = 4, .flip = true, .cutout = 8, .std = {1, 1, 1}};
    snprintf(name, sizeof name, "(%d, 32, 32, 3)", s->batch);
    EEX_TRY(measure(s, "augment", name, op, 5 * bytes));
    how->jitter = 0.2f;
    return measure(s, "augment, colours", name, op, 5 * bytes);
}

static int measure_optimisers(session *s)
{
    const size_t count = 2240000 / 16 * 16; /* MobileNetV2 with 10 classes */
    double bytes = 4.0 * (double)count;
    double norm;
    eex_op op = {.kind = EEX_OP_SGD};
    op.u.optim = (eex_op_optim){.count = count,
                                .w = s->buffer[0],
                                .g = s->buffer[1],
                                .m = s->buffer[2],
                                .v = s->buffer[3],
                                .decay = s->decay,
                                .clip = s->small[8],
                                .clip_norm = 1,
                                .norm = &norm,
                                .momentum = 0.9f,
                                .beta1 = 0.9f,
                                .beta2 = 0.999f,
                                .eps = 1e-8f,
                                .weight_decay = 5e-4f,
                                .nesterov = true,
                                .ema = s->buffer[4],
                                .ema_decay = 0.999f};
    EEX_TRY(measure(s, "sgd", "2.24 M", op, 5 * bytes));
    op.kind = EEX_OP_ADAMW;
    EEX_TRY(measure(s, "adamw", "2.24 M", op, 7 * bytes));
    op.kind = EEX_OP_EMA;
    EEX_TRY(measure(s, "ema", "2.24 M", op, 3 * bytes));
    op.kind = EEX_OP_GRAD_NORM;
    return measure(s, "gradient norm", "2.24 M", op, bytes);
}

static int measure_all(session *s)
{
    printf("%s\n%-28s %-20s %10s %8s %8s %10s\n", s->dev->name, "op", "shape", "us", "GB/s", "copy",
           "of copy");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        shape at = shapes[i];
        char name[32];
        double bytes = 4.0 * s->batch * at.size * at.size * at.c;
        snprintf(name, sizeof name, "(%d, %d, %d, %d)", s->batch, at.size, at.size, at.c);
        EEX_TRY(measure_norms(s, at, name, bytes));
        EEX_TRY(measure_pointwise(s, at, name, bytes));
        EEX_TRY(measure_pools(s, at, name, bytes));
    }
    EEX_TRY(measure_rows(s, 10));
    EEX_TRY(measure_rows(s, 1000));
    EEX_TRY(measure_augment(s));
    return measure_optimisers(s);
}

/* Values between -1 and 1, and ones for what is a variance or a factor. */
static int fill(session *s)
{
    for (int b = 0; b < BUFFERS; b++) {
        void *memory;
        EEX_TRY(s->dev->vtable->allocate(s->dev, &memory, s->largest * sizeof(float)));
        s->buffer[b] = memory;
        uint32_t state = 1 + (uint32_t)b;
        for (size_t i = 0; i < s->largest; i++) {
            state = state * 1664525u + 1013904223u;
            s->buffer[b][i] = (float)(state >> 8) / (float)(1 << 23) - 1;
        }
        for (size_t i = 0; b == 3 && i < s->largest; i++)
            s->buffer[b][i] *= s->buffer[b][i]; /* AdamW's second moment */
    }
    size_t channels = (size_t)(s->batch > 2048 ? s->batch : 2048);
    for (int b = 0; b < SMALL; b++) {
        EEX_TRY(eex__cpu_alloc((void **)&s->small[b], channels * sizeof(float), "channels"));
        for (size_t i = 0; i < channels; i++)
            s->small[b][i] = 1;
    }
    s->labels = calloc(2 * (size_t)s->batch, sizeof *s->labels);
    s->sample = calloc((size_t)s->batch, sizeof *s->sample);
    s->decay = calloc(2240000 / 16, 1);
    return s->labels && s->sample && s->decay ? EEX_OK : eex_fail(EEX_ENOMEM, "no memory");
}

static void empty(session *s)
{
    for (int b = 0; b < BUFFERS && s->dev; b++)
        s->dev->vtable->release(s->dev, s->buffer[b]);
    for (int b = 0; b < SMALL; b++)
        free(s->small[b]);
    free(s->labels);
    free(s->sample);
    free(s->decay);
    if (s->dev)
        s->dev->vtable->close(s->dev);
}

int main(int count, char **words)
{
    session s = {.batch = count > 1 ? atoi(words[1]) : 128,
                 .seconds = count > 3 ? atof(words[3]) : 0.1,
                 .only = count > 4 ? words[4] : ""};
    eex_device_options options = {.threads = count > 2 ? atoi(words[2]) : 0};
    if (s.batch < 1) {
        fprintf(stderr, "bench_ops [BATCH [THREADS [SECONDS [TEXT]]]]\n");
        return 2;
    }
    if (options.threads == 1)
        timing_count_own_cpu();
    size_t largest = (size_t)s.batch * 32 * 32 * 32;
    s.largest = largest > 2240000 ? largest : 2240000;
    int code = eex_cpu_open(&s.dev, &options);
    if (code >= 0)
        code = fill(&s);
    if (code >= 0)
        code = measure_all(&s);
    if (code < 0)
        fprintf(stderr, "bench_ops: %s\n", eex_error());
    empty(&s);
    return code < 0;
}
