/* Every op that is not a convolution, again and again on several threads: for the thread sanitizer,
 * and each time the results must be those of one thread, bit for bit. */
#include "cpu/device_cpu.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 33,
    SIDE = 8,
    C = 24,
    SIZE = SIDE * SIDE * C,
    N = BATCH * SIZE,
    TURNS = 5,
    COUNTS = 4,
    CASES = 24
};

/* Inputs are written once, outputs poisoned before each run. */
typedef struct world {
    float x[N], x2[N], dy[N], y[N], out[N], more[N];
    float gamma[C], beta[C], mean[C], var[C], save_mean[C], save_invstd[C], dgamma[C], dbeta[C];
    uint8_t images[BATCH * SIDE * SIDE * 3], decay[N / 16];
    uint32_t sample[BATCH];
    int32_t labels[BATCH], top[BATCH], index[BATCH], stay;
    double totals[2], norm;
    float clip;
} world;

static void fill(float *to, size_t n, uint32_t state, float low, float high)
{
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        to[i] = low + (high - low) * (float)(state >> 8) / (float)(1 << 24);
    }
}

static void world_reset(world *w)
{
    memset(w, 0, sizeof *w);
    fill(w->x, N, 1, -2, 7);
    fill(w->x2, N, 2, -1, 1);
    fill(w->dy, N, 3, -1, 1);
    fill(w->y, N, 4, -1, 7);
    fill(w->gamma, C, 5, 1, 2);
    fill(w->beta, C, 6, 0, 2);
    fill(w->mean, C, 7, -1, 1);
    fill(w->var, C, 8, 1, 2);
    fill(w->save_mean, C, 9, -1, 1);
    fill(w->save_invstd, C, 10, 1, 2);
    memset(w->out, 0xff, sizeof w->out);
    fill(w->more, N, 11, 0, 1);
    for (int i = 0; i < BATCH; i++) {
        w->sample[i] = (uint32_t)(7 * i);
        w->labels[i] = i % C;
        w->index[i] = i;
    }
    for (int i = 0; i < BATCH / 2; i++)
        w->index[i] = 2 * i + 1;
    w->stay = BATCH / 2;
    memset(w->images, 77, sizeof w->images);
    w->clip = 0.5f;
}

static eex_op norm_op(world *w, int i)
{
    eex_op op = {.kind = i == 0 ? EEX_OP_BN_TRAIN : EEX_OP_BN_EVAL, .name = "bn"};
    op.u.bn = (eex_op_bn){.c = C,
                          .hw = SIDE * SIDE,
                          .x = w->x,
                          .residual = w->x2,
                          .y = w->out,
                          .gamma = w->gamma,
                          .beta = w->beta,
                          .running_mean = w->mean,
                          .running_var = w->var,
                          .save_mean = w->save_mean,
                          .save_invstd = w->save_invstd,
                          .momentum = 0.1f,
                          .eps = 1e-5f,
                          .act = EEX_ACT_RELU};
    if (i < 2)
        return op;
    op.kind = EEX_OP_BN_BWD;
    op.u.bn_bwd = (eex_op_bn_bwd){.c = C,
                                  .hw = SIDE * SIDE,
                                  .dy = w->dy,
                                  .x = w->x,
                                  .y = w->y,
                                  .gamma = w->gamma,
                                  .beta = w->beta,
                                  .save_mean = w->save_mean,
                                  .save_invstd = w->save_invstd,
                                  .batch_stats = true,
                                  .act = EEX_ACT_RELU,
                                  .has_residual = true,
                                  .dx = w->out,
                                  .dresidual = w->more,
                                  .dgamma = w->dgamma,
                                  .dbeta = w->dbeta};
    return op;
}

static eex_op pointwise_op(world *w, int i)
{
    static const eex_op_kind kinds[] = {EEX_OP_ACT, EEX_OP_ACT_BWD, EEX_OP_ADD, EEX_OP_ACCUMULATE,
                                        EEX_OP_DROPOUT};
    eex_op op = {.kind = kinds[i], .name = "pointwise"};
    op.u.pointwise = (eex_op_pointwise){.size = SIZE,
                                        .x = w->x,
                                        .x2 = w->x2,
                                        .ref = w->y,
                                        .y = w->out,
                                        .act = EEX_ACT_RELU6,
                                        .p = 0.3f};
    return op;
}

static eex_op pool_op(world *w, int i)
{
    static const eex_op_kind kinds[] = {EEX_OP_MAX_POOL, EEX_OP_MAX_POOL_BWD, EEX_OP_GLOBAL_POOL,
                                        EEX_OP_GLOBAL_POOL_BWD};
    eex_op op = {.kind = kinds[i], .name = "pool"};
    op.u.pool = (eex_op_pool){.x = w->x, .dy = w->dy, .y = w->out, .dx = w->out};
    op.u.pool.window = (eex_window){.cin = C,
                                    .hin = SIDE,
                                    .win = SIDE,
                                    .cout = C,
                                    .hout = SIDE / 2,
                                    .wout = SIDE / 2,
                                    .kernel = 3,
                                    .stride = 2,
                                    .pad = 1};
    return op;
}

static eex_op row_op(world *w, int i)
{
    eex_op op = {.kind = i == 0   ? EEX_OP_LOSS
                         : i == 1 ? EEX_OP_HEAD
                                  : EEX_OP_COMPACT,
                 .name = "row"};
    if (i == 0)
        op.u.loss = (eex_op_loss){.classes = 1500 / BATCH * BATCH,
                                  .logits = w->x,
                                  .teacher = w->x2,
                                  .labels = w->labels,
                                  .dlogits = w->out,
                                  .totals = w->totals,
                                  .weight = 1,
                                  .smoothing = 0.1f,
                                  .l1 = 0.1f,
                                  .distill = 1,
                                  .distill_t = 2};
    else if (i == 1)
        op.u.head = (eex_op_head){.classes = 1000,
                                  .logits = w->x,
                                  .temperature = 5,
                                  .top = w->top,
                                  .confidence = w->out,
                                  .margin = w->out + 64,
                                  .entropy = w->out + 128};
    else
        op.u.compact = (eex_op_compact){
            .row_bytes = sizeof(float) * SIZE, .data = w->x, .index = w->index, .count = &w->stay};
    return op;
}

static eex_op other_op(world *w, int i)
{
    static const eex_op_kind kinds[] = {EEX_OP_GRAD_NORM, EEX_OP_SGD, EEX_OP_ADAMW, EEX_OP_EMA};
    eex_op op = {.kind = i < 4 ? kinds[i] : EEX_OP_AUGMENT, .name = "other"};
    if (i == 4) {
        op.u.augment = (eex_op_augment){
            .c = 3, .h = SIDE, .w = SIDE, .images = w->images, .sample = w->sample, .y = w->out};
        op.u.augment.augment = (eex_augment){.enabled = true,
                                             .crop_pad = 2,
                                             .flip = true,
                                             .cutout = 3,
                                             .jitter = 0.3f,
                                             .std = {1, 1, 1}};
        return op;
    }
    op.u.optim = (eex_op_optim){.count = N / 16 * 16,
                                .w = w->x,
                                .g = w->dy,
                                .m = w->x2,
                                .v = w->more,
                                .decay = w->decay,
                                .clip = &w->clip,
                                .clip_norm = 1,
                                .norm = &w->norm,
                                .momentum = 0.9f,
                                .beta1 = 0.9f,
                                .beta2 = 0.99f,
                                .eps = 1e-8f,
                                .weight_decay = 0.1f,
                                .nesterov = true,
                                .ema = w->y,
                                .ema_decay = 0.9f};
    return op;
}

static eex_op channels_op(world *w, int i)
{
    static const eex_op_kind kinds[] = {EEX_OP_SCALE, EEX_OP_SCALE_BWD, EEX_OP_COLUMNS};
    eex_op op = {.kind = kinds[i], .name = "channels"};
    if (i < 2)
        op.u.scale = (eex_op_scale){.c = C,
                                    .hw = SIDE * SIDE,
                                    .x = w->x,
                                    .s = w->x2,
                                    .y = w->out,
                                    .dy = w->dy,
                                    .dx = w->out,
                                    .ds = w->more};
    else
        op.u.columns = (eex_op_columns){.hw = SIDE * SIDE,
                                        .x_c = C / 2,
                                        .y_c = C,
                                        .y_first = 5,
                                        .count = C / 2,
                                        .x = w->x,
                                        .y = w->out};
    return op;
}

static eex_op resize_op(world *w)
{
    eex_op op = {.kind = EEX_OP_RESIZE, .name = "resize"};
    op.u.resize = (eex_op_resize){.c = 3,
                                  .hin = SIDE,
                                  .win = SIDE,
                                  .hout = SIDE + 3,
                                  .wout = SIDE + 3,
                                  .x = w->x,
                                  .y = w->out};
    return op;
}

static eex_op op_of(world *w, int i)
{
    return i < 3    ? norm_op(w, i)
           : i < 8  ? pointwise_op(w, i - 3)
           : i < 12 ? pool_op(w, i - 8)
           : i < 15 ? row_op(w, i - 12)
           : i < 20 ? other_op(w, i - 15)
           : i < 23 ? channels_op(w, i - 20)
                    : resize_op(w);
}

static int run_case(eex_device *dev, world *w, int i)
{
    eex_op op = op_of(w, i);
    eex_step step = {.batch = op.kind == EEX_OP_COMPACT ? BATCH / 2 : BATCH, .lr = 0.1f, .step = 2};
    void *state;
    world_reset(w);
    EEX_TRY(dev->vtable->prepare(dev, &state, &op, BATCH));
    int code = dev->vtable->run(dev, &op, state, &step);
    dev->vtable->finish(dev, &op, state);
    return code;
}

static int check_case(eex_device *const *devs, world *w, world *first, int i)
{
    EEX_TRY(run_case(devs[0], w, i));
    memcpy(first, w, sizeof *w);
    for (int turn = 0; turn < TURNS * COUNTS; turn++) {
        eex_device *dev = devs[turn % COUNTS];
        EEX_TRY(run_case(dev, w, i));
        if (memcmp(first, w, sizeof *w) != 0)
            return eex_fail(EEX_EDEVICE, "case %d (\"%s\") differs in turn %d, on %d threads", i,
                            op_of(w, i).name, turn, dev->threads);
    }
    return EEX_OK;
}

int main(void)
{
    static const int counts[COUNTS] = {1, 2, 3, 5};
    eex_device *devs[COUNTS] = {NULL};
    world *w = malloc(sizeof *w), *first = malloc(sizeof *first);
    int code = w && first ? EEX_OK : EEX_ENOMEM;
    for (int i = 0; i < COUNTS && code >= 0; i++)
        code = eex_cpu_open(&devs[i], &(eex_device_options){.threads = counts[i]});
    for (int i = 0; i < CASES && code >= 0; i++)
        code = check_case(devs, w, first, i);
    if (code < 0)
        fprintf(stderr, "threads_ops: %s\n", eex_error());
    for (int i = 0; i < COUNTS; i++)
        eex_device_close(devs[i]);
    free(w);
    free(first);
    return code < 0;
}
