/* Convolutions by what works for every shape: one product where they are one, else patches and a
 * product, without bias, residual and activation. All matrices here are row-major, cuBLAS's are
 * column-major: C = A B there is C' = B' A' here, hence the order of arguments.
 *
 * A gradient for the weights is a sum over all pixels of a batch, which may be millions. A thread
 * of a library's kernel may add them one after the other in float32. The relative error of such a
 * sum of random products was found to be 7e-6 with 2^17 of them, but with 2^20 2e-5, and 1.5e-4
 * where all are positive: more than the 1e-5 that is promised. So at most EEX_CUDA_SUM_ROWS (2^17)
 * pixels are summed up in one go, and what they come to is added in order. The libraries divide
 * long sums as well, though they do not promise it; our own kernels always do. */
#include "cuda/conv.h"

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

size_t eex__cuda_conv_plain_scratch(const eex_op *op, int batch)
{
    const eex_window *w = eex__cuda_conv_window(op);
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

static int weights_as_product(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_conv_bwd_weights *c = &op->u.conv_bwd_weights;
    const eex_window *w = &c->window;
    const size_t rows = (size_t)batch * (size_t)w->hout * (size_t)w->wout;
    return weights_product(cuda, op, c->x, c->dy, rows, w->cin, c->accumulate);
}

int eex__cuda_conv_plain(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int batch)
{
    const bool one = s->way == EEX_CONV_PRODUCT;
    switch (op->kind) {
    case EEX_OP_CONV:
        return one ? forward_product(cuda, op, batch) : forward_patches(cuda, op, batch);
    case EEX_OP_CONV_BWD_DATA:
        return one ? data_product(cuda, op, batch) : data_patches(cuda, op, batch);
    default:
        return one ? weights_as_product(cuda, op, batch) : weights_patches(cuda, op, batch);
    }
}
