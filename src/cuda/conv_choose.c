/* Which way a convolution is calculated that both patches and cuDNN can do: by timing, or as a run
 * before has found out. What the file says is tried before it is relied on, for the file may be
 * older than the driver, or somebody's own: an algorithm that does not run ends a run, one that
 * loses a trial is only not chosen. */
#include "cuda/algorithms.h"
#include "cuda/conv_dnn.h"
#include "cuda/timing.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The same op on memory of its own, so that timing disturbs nothing. */
typedef struct trial {
    eex_op op;
    void *x, *y, *w;
} trial;

static void trial_close(eex_cuda *cuda, trial *t)
{
    eex__cuda_free(cuda, t->x);
    eex__cuda_free(cuda, t->y);
    eex__cuda_free(cuda, t->w);
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
    trial_point(t);
    return EEX_OK;
}

static int run_way(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    if (s->algorithm < 0)
        return eex__cuda_conv_patches(cuda, op, batch);
    EEX_TRY(eex__cuda_dnn_fits(cuda, s, op, batch));
    switch (op->kind) {
    case EEX_OP_CONV:
        return eex__cuda_dnn_forward(cuda, s, op, batch);
    case EEX_OP_CONV_BWD_DATA:
        return eex__cuda_dnn_data(cuda, s, op, batch);
    default:
        return eex__cuda_dnn_weights(cuda, s, op, batch);
    }
}

typedef struct timed_way {
    eex_cuda_conv *s;
    const eex_op *op;
} timed_way;

static int run_timed(eex_cuda *cuda, void *context)
{
    const timed_way *way = context;
    return run_way(cuda, way->s, way->op, way->s->max_batch);
}

/* Microseconds of the way that s says, replayed as it will be when the network runs. */
static int time_way(eex_cuda *cuda, eex_cuda_conv *s, const trial *t, float *microseconds)
{
    timed_way way = {s, &t->op};
    bool recorded;
    return eex__cuda_time_work(cuda, run_timed, &way, microseconds, &recorded);
}

/* An algorithm that fails here is only not chosen. */
static int measure(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const trial *t,
                   float *microseconds)
{
    const int *algorithms = eex__cuda_dnn_algorithms(op->kind);
    int best = -1;
    bool taken, any = false;
    s->algorithm = -1;
    EEX_TRY(time_way(cuda, s, t, microseconds));
    for (int i = 0; algorithms[i] >= 0; i++) {
        float now;
        EEX_TRY(eex__cuda_dnn_take(cuda, s, op, algorithms[i], &taken));
        if (!taken || time_way(cuda, s, t, &now) < 0)
            continue;
        any = true;
        if (now > *microseconds)
            continue;
        best = algorithms[i];
        *microseconds = now;
    }
    if (!any)
        eex__cuda_conv_refused(cuda, op);
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
    char groups[16] = "";
    if (w->groups > 1)
        snprintf(groups, sizeof groups, " g%d", w->groups);
    snprintf(key, size,
             "%.60s, cudnn %zu: op %d, precision %d, %dx%dx%d to %dx%dx%d, k%d s%d p%d%s, %d",
             strchr(cuda->base.name, '(') ? strchr(cuda->base.name, '(') : "",
             cuda->libs->cudnnGetVersion(), (int)op->kind, (int)op->precision, w->hin, w->win,
             w->cin, w->hout, w->wout, w->cout, w->kernel, w->stride, w->pad, groups, s->max_batch);
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

bool eex__cuda_conv_only(const char *way)
{
    const char *only = getenv("EEX_CUDA_CONV");
    return only && strcmp(only, way) == 0;
}

static uint64_t hash(const char *text, uint64_t h)
{
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    return h;
}

void eex__cuda_conv_refused(eex_cuda *cuda, const eex_op *op)
{
    struct eex_cuda_host *host = cuda->host;
    const uint64_t name = hash(op->name ? op->name : "?", 0xcbf29ce484222325u + (uint64_t)op->kind);
    for (int i = 0; i < host->refused; i++)
        if (host->refused_names[i] == name)
            return;
    if (host->refused == EEX_CUDA_REFUSALS)
        return;
    eex_log_warn("%s; it goes by patches%s", eex_error(),
                 host->refused + 1 < EEX_CUDA_REFUSALS ? "" : ", and no more are listed");
    host->refused_names[host->refused++] = name;
}

/* The one algorithm that is taken without timing. */
static int take_first(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    bool taken = false;
    EEX_TRY(eex__cuda_dnn_take(cuda, s, op, eex__cuda_dnn_algorithms(op->kind)[0], &taken));
    if (!taken && eex__cuda_conv_only("library"))
        return eex_fail_in(EEX_EUNSUPPORTED, "EEX_CUDA_CONV=library");
    if (!taken)
        eex__cuda_conv_refused(cuda, op);
    return EEX_OK;
}

int eex__cuda_dnn_prepare(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    const bool library = eex__cuda_conv_only("library");
    if (eex__cuda_conv_only("patches"))
        return EEX_OK;
    int code = eex__cuda_dnn_open(cuda, s, op);
    if (code < 0 && library)
        return eex_fail_in(code, "EEX_CUDA_CONV=library");
    if (code < 0) {
        eex__cuda_conv_refused(cuda, op);
        return EEX_OK;
    }
    EEX_TRY(cuda->deterministic || library ? take_first(cuda, s, op) : choose(cuda, s, op));
    return transpose_static(cuda, s, op);
}
