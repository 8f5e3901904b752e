/* Ways of a convolution on memory that nobody needs: tried, and timed. Bias and residual are the
 * op's own, for they are only read. */
#include "cuda/conv.h"
#include "cuda/conv_dnn.h"
#include "cuda/timing.h"

void eex__cuda_trial_close(eex_cuda *cuda, eex_conv_trial *t)
{
    eex__cuda_free(cuda, t->x);
    eex__cuda_free(cuda, t->y);
    eex__cuda_free(cuda, t->w);
}

static void point(eex_conv_trial *t)
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

int eex__cuda_trial_open(eex_cuda *cuda, eex_conv_trial *t, const eex_op *op, int batch)
{
    const eex_window *w = eex__cuda_conv_window(op);
    const size_t unit = eex_precision_bytes(op->precision), n = (size_t)batch;
    *t = (eex_conv_trial){.op = *op};
    EEX_TRY(zeroed(cuda, &t->x, n * (size_t)(w->hin * w->win) * (size_t)w->cin * unit));
    EEX_TRY(zeroed(cuda, &t->y, n * (size_t)(w->hout * w->wout) * (size_t)w->cout * unit));
    EEX_TRY(
        zeroed(cuda, &t->w,
               (size_t)(w->kernel * w->kernel) * (size_t)w->cin * (size_t)w->cout * sizeof(float)));
    point(t);
    return EEX_OK;
}

static int run_way(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    s->ended = s->own;
    if (s->own)
        return eex__cuda_conv_by_own(cuda, op, batch);
    if (s->algorithm < 0)
        return eex__cuda_conv_plain(cuda, s, op, batch);
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

/* What a way leaves to a pass behind it is a part of what it takes. */
static int run_timed(eex_cuda *cuda, void *context)
{
    const timed_way *way = context;
    EEX_TRY(run_way(cuda, way->s, way->op, way->s->max_batch));
    return eex__cuda_conv_end(cuda, way->s, way->op, way->s->max_batch);
}

int eex__cuda_trial_time(eex_cuda *cuda, eex_cuda_conv *s, const eex_conv_trial *t,
                         float *microseconds)
{
    timed_way way = {s, &t->op};
    bool recorded;
    return eex__cuda_time_work(cuda, run_timed, &way, microseconds, &recorded);
}

int eex__cuda_trial_run(eex_cuda *cuda, eex_cuda_conv *s, const eex_conv_trial *t)
{
    timed_way way = {s, &t->op};
    EEX_TRY(run_timed(cuda, &way));
    return eex__cuda_check(cuda, cudaStreamSynchronize(cuda->stream), "trying");
}
