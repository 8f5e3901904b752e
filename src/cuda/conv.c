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
 * chip and the fastest is kept (conv_choose.c); in deterministic mode the choice is fixed. All
 * matrices here are row-major, cuBLAS's are column-major: C = A B there is C' = B' A' here, hence
 * the order of arguments.
 *
 * A gradient for the weights is a sum over all pixels of a batch, which may be millions. A thread
 * of a library's kernel may add them one after the other in float32. The relative error of such a
 * sum of random products was found to be 7e-6 with 2^17 of them, but with 2^20 2e-5, and 1.5e-4
 * where all are positive: more than the 1e-5 that is promised. So at most EEX_CUDA_SUM_ROWS (2^17)
 * pixels are summed up in one go, and what they come to is added in order. The libraries divide
 * long sums as well, though they do not promise it; our own kernels always do. */
#include "cuda/conv.h"

#include "cuda/conv_dnn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATCH_BYTES = 256 << 20 }; /* patches of so many samples at once, at most */

static size_t bytes_of(const eex_op *op)
{
    return eex_precision_bytes(op->precision);
}

static size_t row_patches(const eex_window *w) /* elements of one sample's patches */
{
    return (size_t)w->hout * (size_t)w->wout * (size_t)w->kernel * (size_t)w->kernel *
           (size_t)w->cin;
}

/* Of the patches of one pixel, what one group of channels has. */
static int group_patch(const eex_window *w)
{
    return w->kernel * w->kernel * (w->cin / w->groups);
}

/* Bytes of one sample on either side. */
static size_t input_bytes(const eex_op *op, const eex_window *w)
{
    return (size_t)w->hin * (size_t)w->win * (size_t)w->cin * bytes_of(op);
}

static size_t output_bytes(const eex_op *op, const eex_window *w)
{
    return (size_t)w->hout * (size_t)w->wout * (size_t)w->cout * bytes_of(op);
}

static bool is_product(const eex_window *w)
{
    return w->kernel == 1 && w->stride == 1 && w->pad == 0;
}

/* ---- matrix products ---- */

/* Row-major c (m, n) = op(a) op(b) + beta * c. a is (m, k), or (k, m) when transposed; b is (k, n),
 * or (n, k). `a` and `b` have the op's precision, c is float32 when `wide`. Their rows begin so
 * many elements behind each other. */
typedef struct product {
    const void *a, *b;
    void *c;
    int m, n, k;
    int row_a, row_b, row_c;
    bool transpose_a, transpose_b, wide;
    float beta;
} product;

static int multiply(eex_cuda *cuda, const eex_op *op, const product *p)
{
    const float one = 1;
    const bool narrow = op->precision == EEX_BF16;
    cudaDataType_t in = narrow ? CUDA_R_16BF : CUDA_R_32F;
    cudaDataType_t out = narrow && !p->wide ? CUDA_R_16BF : CUDA_R_32F;
    cublasComputeType_t compute =
        op->precision == EEX_TF32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    cublasStatus_t status = cuda->libs->cublasGemmEx(
        cuda->host->blas, p->transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N,
        p->transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N, p->n, p->m, p->k, &one, p->b, in, p->row_b,
        p->a, in, p->row_a, &p->beta, p->c, out, p->row_c, compute, CUBLAS_GEMM_DEFAULT);
    return eex__cuda_blas_check(cuda, status, op->name ? op->name : "?");
}

/* A product for each group of channels, which is so many elements behind the one before. */
static int multiply_groups(eex_cuda *cuda, const eex_op *op, product p, int a, int b, int c)
{
    const size_t unit = bytes_of(op);
    for (int g = 0; g < eex__cuda_conv_window(op)->groups; g++) {
        EEX_TRY(multiply(cuda, op, &p));
        p.a = (const char *)p.a + (size_t)a * unit;
        p.b = (const char *)p.b + (size_t)b * unit;
        p.c = (char *)p.c + (size_t)c * (p.wide ? sizeof(float) : unit);
    }
    return EEX_OK;
}

/* Samples whose patches are made at once. */
static int patch_samples(const eex_op *op, const eex_window *w, int batch)
{
    size_t most = PATCH_BYTES / (row_patches(w) * bytes_of(op));
    return most < 1 ? 1 : most < (size_t)batch ? (int)most : batch;
}

static size_t patch_scratch(const eex_op *op, const eex_window *w, int batch)
{
    return (size_t)patch_samples(op, w, batch) * row_patches(w) * bytes_of(op);
}

/* The samples in hand, number first to first + n - 1, and where they begin on either side, in
 * bytes. Their patches are all of the scratch memory. */
typedef struct portion {
    int first, n;
    size_t x, y;
} portion;

/* The portion behind this one, or the first one after {0}; false when there is none. */
static bool portion_next(portion *p, const eex_op *op, const eex_window *w, int batch)
{
    const int each = patch_samples(op, w, batch);
    p->first += p->n;
    p->n = batch - p->first < each ? batch - p->first : each;
    p->x = (size_t)p->first * input_bytes(op, w);
    p->y = (size_t)p->first * output_bytes(op, w);
    return p->n > 0;
}

/* cuDNN may refuse when it runs what its workspace query allowed, or find no memory of its own, or
 * have a fault for this shape; then, and from then on, it is patches, whose scratch memory is
 * always reserved. A device that has failed itself is another matter, and so is "library" alone,
 * which is there to show what the library does. */
typedef int dnn_way(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch);

static int by_library(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch, dnn_way *way)
{
    if (!eex__cuda_dnn_applies(s, op))
        return eex__cuda_conv_plain(cuda, s, op, batch);
    int code = eex__cuda_dnn_fits(cuda, s, op, batch);
    if (code == EEX_OK)
        code = way(cuda, s, op, batch);
    const bool patches = s->refused && !s->begun && !eex__cuda_conv_dnn_only();
    if (code == EEX_OK || !patches || !eex__cuda_healthy(cuda))
        return code;
    eex__cuda_conv_refused(cuda, op, "it goes by patches");
    s->algorithm = -1;
    return eex__cuda_conv_plain(cuda, s, op, batch);
}

/* ---- forward ---- */

static int forward_product(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_conv *c = &op->u.conv;
    const eex_window *w = &c->window;
    product p = {.a = c->x, .b = c->w, .c = c->y};
    p.m = batch * w->hout * w->wout;
    p.n = p.row_b = p.row_c = w->cout;
    p.k = p.row_a = w->cin;
    return multiply(cuda, op, &p);
}

static int forward_patches(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_conv *c = &op->u.conv;
    const eex_window *w = &c->window;
    for (portion s = {0}; portion_next(&s, op, w, batch);) {
        EEX_TRY(
            eex__cuda_im2col(cuda, op->precision, cuda->scratch, (const char *)c->x + s.x, w, s.n));
        product p = {.a = cuda->scratch, .b = c->w, .c = (char *)c->y + s.y};
        p.m = s.n * w->hout * w->wout;
        p.n = w->cout / w->groups;
        p.k = group_patch(w);
        p.row_a = w->groups * p.k;
        p.row_b = p.row_c = w->cout;
        EEX_TRY(multiply_groups(cuda, op, p, p.k, p.n, p.n));
    }
    return EEX_OK;
}

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
        EEX_TRY(forward_product(cuda, op, batch));
    else
        EEX_TRY(by_library(cuda, s, op, batch, eex__cuda_dnn_forward));
    return eex__cuda_conv_end(cuda, s, op, batch);
}

/* ---- gradient for the input ---- */

static int data_product(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_conv_bwd_data *c = &op->u.conv_bwd_data;
    const eex_window *w = &c->window;
    product p = {.a = c->dy, .b = c->w, .c = c->dx, .transpose_b = true};
    p.m = batch * w->hout * w->wout;
    p.n = p.row_c = w->cin;
    p.k = p.row_a = p.row_b = w->cout;
    p.beta = c->accumulate ? 1 : 0;
    return multiply(cuda, op, &p);
}

static int data_patches(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_conv_bwd_data *c = &op->u.conv_bwd_data;
    const eex_window *w = &c->window;
    for (portion s = {0}; portion_next(&s, op, w, batch);) {
        product p = {
            .a = (const char *)c->dy + s.y, .b = c->w, .c = cuda->scratch, .transpose_b = true};
        p.m = s.n * w->hout * w->wout;
        p.n = group_patch(w);
        p.k = w->cout / w->groups;
        p.row_a = p.row_b = w->cout;
        p.row_c = w->groups * p.n;
        EEX_TRY(multiply_groups(cuda, op, p, p.k, p.k, p.n));
        EEX_TRY(eex__cuda_col2im(cuda, op->precision, (char *)c->dx + s.x, cuda->scratch, w, s.n,
                                 c->accumulate));
    }
    return EEX_OK;
}

static int data_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    eex_cuda_conv *s = state;
    if (s->way == EEX_CONV_DEPTHWISE)
        return eex__cuda_depthwise_bwd_data(cuda, op, batch);
    if (s->way == EEX_CONV_PRODUCT)
        return data_product(cuda, op, batch);
    return by_library(cuda, s, op, batch, eex__cuda_dnn_data);
}

/* ---- gradient for the weights ---- */

/* Rows that are summed up at once, for all to come out about equally long: a multiple of 16, which
 * keeps the alignment of what is behind them. */
static size_t rows_at_once(const eex_cuda *cuda, size_t rows)
{
    size_t sums = (rows + cuda->sum_rows - 1) / cuda->sum_rows;
    return ((rows + sums - 1) / sums + 15) / 16 * 16;
}

/* dw = or += the transpose of x (rows, groups, m) times dy (rows, cout), whatever the precision of
 * both. */
static int weights_product(eex_cuda *cuda, const eex_op *op, const void *x, const void *dy,
                           size_t rows, int m, bool accumulate)
{
    const eex_op_conv_bwd_weights *c = &op->u.conv_bwd_weights;
    const size_t each = rows_at_once(cuda, rows), unit = bytes_of(op);
    const int groups = c->window.groups, cout = c->window.cout;
    product p = {.c = c->dw, .m = m, .n = cout / groups, .transpose_a = true, .wide = true};
    p.row_a = groups * m;
    p.row_b = p.row_c = cout;
    for (size_t i = 0; i < rows; i += each) {
        p.a = (const char *)x + i * (size_t)p.row_a * unit;
        p.b = (const char *)dy + i * (size_t)p.row_b * unit;
        p.k = (int)(rows - i < each ? rows - i : each);
        p.beta = accumulate || i > 0 ? 1 : 0;
        EEX_TRY(multiply_groups(cuda, op, p, m, p.n, p.n));
    }
    return EEX_OK;
}

static int weights_patches(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_conv_bwd_weights *c = &op->u.conv_bwd_weights;
    const eex_window *w = &c->window;
    for (portion s = {0}; portion_next(&s, op, w, batch);) {
        EEX_TRY(
            eex__cuda_im2col(cuda, op->precision, cuda->scratch, (const char *)c->x + s.x, w, s.n));
        EEX_TRY(weights_product(cuda, op, cuda->scratch, (const char *)c->dy + s.y,
                                (size_t)s.n * (size_t)(w->hout * w->wout), group_patch(w),
                                c->accumulate || s.first > 0));
    }
    return EEX_OK;
}

static int weights_plain(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int batch)
{
    const eex_op_conv_bwd_weights *c = &op->u.conv_bwd_weights;
    const eex_window *w = &c->window;
    const size_t rows = (size_t)batch * (size_t)w->hout * (size_t)w->wout;
    return s->way == EEX_CONV_PRODUCT
               ? weights_product(cuda, op, c->x, c->dy, rows, w->cin, c->accumulate)
               : weights_patches(cuda, op, batch);
}

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
        EEX_TRY(weights_plain(cuda, s, op, batch));
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
    return eex__cuda_reserve(cuda, patch_scratch(op, w, max_batch));
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

int eex__cuda_conv_plain(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int batch)
{
    switch (op->kind) {
    case EEX_OP_CONV:
        return s->way == EEX_CONV_PRODUCT ? forward_product(cuda, op, batch)
                                          : forward_patches(cuda, op, batch);
    case EEX_OP_CONV_BWD_DATA:
        return data_patches(cuda, op, batch);
    default:
        return weights_plain(cuda, s, op, batch);
    }
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
