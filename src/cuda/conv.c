/* Convolutions and dense layers, forward and both gradients. Five ways:
 *
 *   depthwise  kernels of our own (depthwise*.cu)
 *   product    1x1 at stride 1 and dense layers are one matrix product: cuBLAS
 *   patches    the image is laid out as patches, then one product a group of channels (im2col);
 *              works for every shape
 *   library    one of cuDNN's algorithms, on weights transposed to its order (conv_dnn.c), in
 *              float32 also on copies with channels first (conv_copies.c)
 *   own        forward ones of 1x1 and 3x3 on small images by a kernel of our own (conv_own.cu),
 *              and in bfloat16 their gradients for the weights (conv_own_weights.cu)
 *
 * Bias, residual and activation are a pass behind the first four, but where cuDNN has them in its
 * own (conv_fused.c), and a part of the last. Where several apply they are timed once per shape and
 * chip and the fastest is kept (conv_choose.c); in deterministic mode the choice is fixed. */
#include "cuda/conv.h"

#include "cuda/conv_dnn.h"

#include <stdlib.h>

static bool is_product(const eex_window *w)
{
    return w->kernel == 1 && w->stride == 1 && w->pad == 0;
}

/* cuDNN may refuse when it runs what its workspace query allowed, or find no memory of its own, or
 * have a fault for this shape; then, and from then on, it is patches, whose scratch memory is
 * always reserved. A device that has failed itself is another matter, and so are
 * "library" and "first" alone, which are there to show what the library does. */
typedef int dnn_way(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch);

static int by_library(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch, dnn_way *way)
{
    if (!eex__cuda_dnn_applies(s, op))
        return eex__cuda_conv_plain(cuda, s, op, batch);
    int code = eex__cuda_dnn_fits(cuda, s, op, batch);
    if (code == EEX_OK)
        code = way(cuda, s, op, batch);
    const bool patches = s->refused && !s->begun && !eex__cuda_conv_dnn_only(op);
    if (code == EEX_OK || !patches || !eex__cuda_healthy(cuda))
        return code;
    eex__cuda_conv_refused(cuda, op, "it goes by patches");
    s->algorithm = -1;
    return eex__cuda_conv_plain(cuda, s, op, batch);
}

/* ---- forward ---- */

int eex__cuda_conv_end(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int batch)
{
    const eex_op_conv *c = &op->u.conv;
    if (op->kind != EEX_OP_CONV || s->ended)
        return EEX_OK;
    const size_t rows = (size_t)batch * (size_t)c->window.hout * (size_t)c->window.wout;
    return eex__cuda_epilogue(cuda, op->precision, c->y, c->bias, c->residual, c->act, rows,
                              c->window.cout);
}

static int conv_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    eex_cuda_conv *s = state;
    if (s->way == EEX_CONV_DEPTHWISE)
        return eex__cuda_depthwise(cuda, op, batch);
    if (s->own)
        return eex__cuda_conv_by_own(cuda, op, batch);
    s->ended = false; /* timing may have left it otherwise */
    if (s->way == EEX_CONV_PRODUCT)
        EEX_TRY(eex__cuda_conv_plain(cuda, s, op, batch));
    else
        EEX_TRY(by_library(cuda, s, op, batch, eex__cuda_dnn_forward));
    return eex__cuda_conv_end(cuda, s, op, batch);
}

/* ---- gradient for the input ---- */

static int data_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    eex_cuda_conv *s = state;
    if (s->way == EEX_CONV_DEPTHWISE)
        return eex__cuda_depthwise_bwd_data(cuda, op, batch);
    if (s->way == EEX_CONV_PRODUCT)
        return eex__cuda_conv_plain(cuda, s, op, batch);
    return by_library(cuda, s, op, batch, eex__cuda_dnn_data);
}

/* ---- gradient for the weights ---- */

static int weights_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    const eex_op_conv_bwd_weights *c = &op->u.conv_bwd_weights;
    const eex_window *w = &c->window;
    const size_t rows = (size_t)batch * (size_t)w->hout * (size_t)w->wout;
    eex_cuda_conv *s = state;
    if (s->way == EEX_CONV_DEPTHWISE)
        return eex__cuda_depthwise_bwd_weights(cuda, op, batch);
    if (s->own)
        EEX_TRY(eex__cuda_conv_by_own(cuda, op, batch));
    else if (s->way == EEX_CONV_PRODUCT)
        EEX_TRY(eex__cuda_conv_plain(cuda, s, op, batch));
    else
        EEX_TRY(by_library(cuda, s, op, batch, eex__cuda_dnn_weights));
    if (!c->dbias)
        return EEX_OK;
    return eex__cuda_column_sums(cuda, op->precision, c->dbias, c->dy, rows, w->cout,
                                 c->accumulate);
}

/* ---- preparing ---- */

const eex_window *eex__cuda_conv_window(const eex_op *op)
{
    switch (op->kind) {
    case EEX_OP_CONV:
        return &op->u.conv.window;
    case EEX_OP_CONV_BWD_DATA:
        return &op->u.conv_bwd_data.window;
    default:
        return &op->u.conv_bwd_weights.window;
    }
}

/* Kernels count pixels in an int, by tiles of up to 64 of which the last may be begun. */
static int check(const eex_op *op, int max_batch)
{
    const eex_window *w = eex__cuda_conv_window(op);
    double rows = (double)max_batch * w->hout * w->wout;
    if (rows > 2147483647.0 - 63)
        return eex_fail(
            EEX_EUNSUPPORTED,
            "convolution \"%s\": %.0f pixels in a batch, at most 2^31 - 64 are possible; "
            "a smaller batch has fewer",
            op->name ? op->name : "?", rows);
    return EEX_OK;
}

/* Depthwise with one channel in and out is dense: groups 1 and cin 1 are the same thing. */
static eex_conv_way simple_way(const eex_window *w)
{
    if (w->groups > 1)
        return eex_window_depthwise(w) ? EEX_CONV_DEPTHWISE : EEX_CONV_PATCHES;
    return is_product(w) ? EEX_CONV_PRODUCT : EEX_CONV_PATCHES;
}

static int reserve(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int max_batch)
{
    const eex_window *w = eex__cuda_conv_window(op);
    size_t rows = (size_t)max_batch * (size_t)w->hout * (size_t)w->wout;
    if (op->kind == EEX_OP_CONV_BWD_WEIGHTS && op->u.conv_bwd_weights.dbias)
        EEX_TRY(eex__cuda_reserve(cuda, eex__cuda_column_sums_scratch(rows, w->cout)));
    if (s->way == EEX_CONV_DEPTHWISE)
        return op->kind == EEX_OP_CONV_BWD_WEIGHTS
                   ? eex__cuda_depthwise_bwd_weights_prepare(cuda, op, max_batch)
                   : EEX_OK;
    if (s->way == EEX_CONV_PRODUCT)
        return EEX_OK;
    return eex__cuda_reserve(cuda, eex__cuda_conv_plain_scratch(op, max_batch));
}

static int prepare(eex_cuda *cuda, void **state, const eex_op *op, int max_batch)
{
    EEX_TRY(check(op, max_batch));
    eex_cuda_conv *s = calloc(1, sizeof *s);
    if (!s)
        return eex_fail(EEX_ENOMEM, "out of memory for a convolution");
    s->way = simple_way(eex__cuda_conv_window(op));
    s->max_batch = max_batch;
    s->algorithm = -1;
    int code = reserve(cuda, s, op, max_batch);
    if (code == EEX_OK && s->way != EEX_CONV_DEPTHWISE)
        code = eex__cuda_conv_choose(cuda, s, op);
    if (code < 0) {
        eex__cuda_dnn_finish(cuda, s);
        free(s);
        return code;
    }
    *state = s;
    return EEX_OK;
}

static void finish(eex_cuda *cuda, const eex_op *op, void *state)
{
    eex__cuda_dnn_finish(cuda, state);
    free(state);
}

int eex__cuda_conv_by_own(eex_cuda *cuda, const eex_op *op, int batch)
{
    return op->kind == EEX_OP_CONV ? eex__cuda_conv_own(cuda, op, batch)
                                   : eex__cuda_own_weights(cuda, op, batch);
}

const eex_cuda_op_class eex__cuda_conv = {.prepare = prepare, .run = conv_run, .finish = finish};
const eex_cuda_op_class eex__cuda_conv_bwd_data = {
    .prepare = prepare, .run = data_run, .finish = finish};
const eex_cuda_op_class eex__cuda_conv_bwd_weights = {
    .prepare = prepare, .run = weights_run, .finish = finish};
