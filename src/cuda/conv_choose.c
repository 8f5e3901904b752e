/* Which way a convolution is calculated that both patches and cuDNN can do: by timing, or as a run
 * before has found out. What the file says is tried before it is relied on, for the file may be
 * older than the driver, or somebody's own: an algorithm that does not run ends a run, one that
 * loses a trial is only not chosen. */
#include "cuda/algorithms.h"
#include "cuda/conv_dnn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMED_RUNS = 3 };

/* The same op on memory of its own, so that timing disturbs nothing. */
typedef struct trial {
    eex_op op;
    void *x, *y, *w;
    cudaEvent_t begin, end;
} trial;

static void trial_close(eex_cuda *cuda, trial *t)
{
    eex__cuda_free(cuda, t->x);
    eex__cuda_free(cuda, t->y);
    eex__cuda_free(cuda, t->w);
    if (t->begin)
        (void)cudaEventDestroy(t->begin);
    if (t->end)
        (void)cudaEventDestroy(t->end);
}

static void trial_point(trial *t)
{
    switch (t->op.kind) {
    case EEX_OP_CONV:
        t->op.u.conv.x = t->x;
        t->op.u.conv.w = t->w;
        t->op.u.conv.y = t->y;
        break;
    case EEX_OP_CONV_BWD_DATA:
        t->op.u.conv_bwd_data.dy = t->y;
        t->op.u.conv_bwd_data.w = t->w;
        t->op.u.conv_bwd_data.dx = t->x;
        break;
    default:
        t->op.u.conv_bwd_weights.x = t->x;
        t->op.u.conv_bwd_weights.dy = t->y;
        t->op.u.conv_bwd_weights.dw = t->w;
    }
}

static int zeroed(eex_cuda *cuda, void **out, size_t bytes)
{
    EEX_TRY(eex__cuda_alloc(cuda, out, bytes, "timing a convolution"));
    return eex__cuda_check(cuda, cudaMemsetAsync(*out, 0, bytes, cuda->stream), "zero");
}

static int trial_open(eex_cuda *cuda, trial *t, const eex_op *op, int batch)
{
    const eex_window *w = eex__cuda_conv_window(op);
    const size_t unit = eex_precision_bytes(op->precision), n = (size_t)batch;
    *t = (trial){.op = *op};
    EEX_TRY(zeroed(cuda, &t->x, n * (size_t)(w->hin * w->win) * (size_t)w->cin * unit));
    EEX_TRY(zeroed(cuda, &t->y, n * (size_t)(w->hout * w->wout) * (size_t)w->cout * unit));
    EEX_TRY(
        zeroed(cuda, &t->w,
               (size_t)(w->kernel * w->kernel) * (size_t)w->cin * (size_t)w->cout * sizeof(float)));
    EEX_TRY(eex__cuda_check(cuda, cudaEventCreate(&t->begin), "events"));
    EEX_TRY(eex__cuda_check(cuda, cudaEventCreate(&t->end), "events"));
    trial_point(t);
    return EEX_OK;
}

static int run_way(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    if (s->algorithm < 0)
        return eex__cuda_conv_patches(cuda, op, batch);
    if (!eex__cuda_dnn_fits(cuda, s, op, batch))
        return eex_fail(EEX_EUNSUPPORTED, "%s: no workspace for a batch of %d", cuda->base.name,
                        batch);
    switch (op->kind) {
    case EEX_OP_CONV:
        return eex__cuda_dnn_forward(cuda, s, op, batch);
    case EEX_OP_CONV_BWD_DATA:
        return eex__cuda_dnn_data(cuda, s, op, batch);
    default:
        return eex__cuda_dnn_weights(cuda, s, op, batch);
    }
}

/* Microseconds of the way that s says. */
static int time_way(eex_cuda *cuda, eex_cuda_conv *s, const trial *t, float *microseconds)
{
    float ms = 0;
    EEX_TRY(run_way(cuda, s, &t->op, s->max_batch));
    EEX_TRY(eex__cuda_check(cuda, cudaEventRecord(t->begin, cuda->stream), "timing"));
    for (int i = 0; i < TIMED_RUNS; i++)
        EEX_TRY(run_way(cuda, s, &t->op, s->max_batch));
    EEX_TRY(eex__cuda_check(cuda, cudaEventRecord(t->end, cuda->stream), "timing"));
    EEX_TRY(eex__cuda_check(cuda, cudaEventSynchronize(t->end), "timing"));
    EEX_TRY(eex__cuda_check(cuda, cudaEventElapsedTime(&ms, t->begin, t->end), "timing"));
    *microseconds = 1e3F * ms / TIMED_RUNS;
    return EEX_OK;
}

/* An algorithm that fails here is only not chosen. */
static int measure(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const trial *t,
                   float *microseconds)
{
    const int *algorithms = eex__cuda_dnn_algorithms(op->kind);
    int best = -1;
    bool taken;
    s->algorithm = -1;
    EEX_TRY(time_way(cuda, s, t, microseconds));
    for (int i = 0; algorithms[i] >= 0; i++) {
        float now;
        EEX_TRY(eex__cuda_dnn_take(cuda, s, op, algorithms[i], &taken));
        if (!taken || time_way(cuda, s, t, &now) < 0 || now > *microseconds)
            continue;
        best = algorithms[i];
        *microseconds = now;
    }
    s->algorithm = -1;
    return best >= 0 ? eex__cuda_dnn_take(cuda, s, op, best, &taken) : EEX_OK;
}

/* Takes an algorithm and runs it once. */
static int attempt(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const trial *t,
                   int algorithm, bool *works)
{
    EEX_TRY(eex__cuda_dnn_take(cuda, s, op, algorithm, works));
    *works = *works && run_way(cuda, s, &t->op, s->max_batch) == EEX_OK &&
             eex__cuda_check(cuda, cudaStreamSynchronize(cuda->stream), "trying") == EEX_OK;
    if (!*works)
        s->algorithm = -1;
    return EEX_OK;
}

/* One of those that eex knows: a file may hold any number. */
static bool is_known(eex_op_kind kind, int algorithm)
{
    for (const int *a = eex__cuda_dnn_algorithms(kind); *a >= 0; a++)
        if (*a == algorithm)
            return true;
    return false;
}

static void name_shape(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, char *key,
                       size_t size)
{
    const eex_window *w = eex__cuda_conv_window(op);
    snprintf(key, size,
             "%.60s, cudnn %zu: op %d, precision %d, %dx%dx%d to %dx%dx%d, k%d s%d p%d, %d",
             strchr(cuda->base.name, '(') ? strchr(cuda->base.name, '(') : "",
             cuda->libs->cudnnGetVersion(), (int)op->kind, (int)op->precision, w->hin, w->win,
             w->cin, w->hout, w->wout, w->cout, w->kernel, w->stride, w->pad, s->max_batch);
}

/* What is remembered, if it still works, else what is fastest now. */
static int choose_on(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const trial *t,
                     const char *key, int remembered)
{
    bool works = false;
    float microseconds = 0;
    if (remembered >= 0 && is_known(op->kind, remembered))
        EEX_TRY(attempt(cuda, s, op, t, remembered, &works));
    if (works) {
        eex__cuda_algorithm_works(cuda, key);
        return EEX_OK;
    }
    if (remembered >= 0)
        eex__cuda_algorithm_stale(cuda, op->name ? op->name : "?");
    EEX_TRY(measure(cuda, s, op, t, &microseconds));
    return eex__cuda_algorithm_keep(cuda, key, s->algorithm + 1, (double)microseconds);
}

/* Choices in the file: 0 patches, else the algorithm + 1. Patches need no trial, nor does what this
 * process has found out itself. */
static int choose(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    char key[160];
    bool tried = false, taken = false;
    name_shape(cuda, s, op, key, sizeof key);
    int known = eex__cuda_algorithm_find(cuda, key, &tried);
    if (known > 0 && tried)
        EEX_TRY(eex__cuda_dnn_take(cuda, s, op, known - 1, &taken));
    if (known == 0 || taken)
        return EEX_OK;
    trial t;
    int code = trial_open(cuda, &t, op, s->max_batch);
    if (code == EEX_OK)
        code = choose_on(cuda, s, op, &t, key, tried ? -1 : known - 1);
    trial_close(cuda, &t);
    if (code == EEX_ENOMEM) /* nothing to try with: the first that fits, and not for the file */
        return eex__cuda_dnn_take(cuda, s, op, eex__cuda_dnn_algorithms(op->kind)[0], &taken);
    return code;
}

/* Static weights are transposed once, into memory of their own where there is any; else before each
 * run, like those that change. */
static int transpose_static(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    const eex_op_conv *c = &op->u.conv;
    if (op->kind != EEX_OP_CONV || !c->w_static || s->algorithm < 0)
        return EEX_OK;
    int code = eex__cuda_alloc(cuda, &s->weights, eex__cuda_dnn_weight_bytes(op), "weights");
    if (code < 0)
        return code == EEX_ENOMEM ? EEX_OK : code;
    return eex__cuda_weights_to_ohwi(cuda, op->precision, s->weights, c->w, &c->window);
}

int eex__cuda_dnn_prepare(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    const char *only = getenv("EEX_CUDA_CONV");
    bool taken;
    if ((only && strcmp(only, "patches") == 0) || !eex__cuda_dnn_open(cuda, s, op))
        return EEX_OK;
    if (cuda->deterministic || (only && strcmp(only, "library") == 0))
        EEX_TRY(eex__cuda_dnn_take(cuda, s, op, eex__cuda_dnn_algorithms(op->kind)[0], &taken));
    else
        EEX_TRY(choose(cuda, s, op));
    return transpose_static(cuda, s, op);
}
