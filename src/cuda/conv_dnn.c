#include "cuda/conv_dnn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/algorithms.h"

/* The algorithms worth trying, best guess first; the first of each is deterministic. Winograd is
 * left out for its error (1e-4 in float32), those by Fourier transform because they do not take
 * channels-last tensors. */
enum { MOST = 4, TIMED_RUNS = 3, ALIGNMENT = 256 };
static const int forward_algorithms[MOST] = {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
                                             CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, -1};
static const int data_algorithms[MOST] = {CUDNN_CONVOLUTION_BWD_DATA_ALGO_1,
                                          CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, -1};
static const int weights_algorithms[MOST] = {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1,
                                             CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0,
                                             CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3, -1};
static const size_t most_workspace = (size_t)512 << 20;

static const int *algorithms_of(eex_op_kind kind)
{
    return kind == EEX_OP_CONV            ? forward_algorithms
           : kind == EEX_OP_CONV_BWD_DATA ? data_algorithms
                                          : weights_algorithms;
}

static size_t weight_bytes(const eex_op *op)
{
    const eex_window *w = eex__cuda_conv_window(op);
    size_t bytes = (size_t)w->kernel * (size_t)w->kernel * (size_t)w->cin * (size_t)w->cout *
                   eex_precision_bytes(op->precision);
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void *workspace_of(const eex_cuda *cuda, const eex_op *op)
{
    return (char *)cuda->scratch + weight_bytes(op);
}

/* ---- descriptors ---- */

static cudnnDataType_t type_of(const eex_op *op)
{
    return op->precision == EEX_BF16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

/* The default allows TF32 for float32 where the chip has it; FMA does not. */
static cudnnMathType_t math_of(const eex_op *op)
{
    return op->precision == EEX_F32    ? CUDNN_FMA_MATH
           : op->precision == EEX_TF32 ? CUDNN_DEFAULT_MATH
                                       : CUDNN_TENSOR_OP_MATH;
}

static cudnnStatus_t set_batch(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    const eex_window *w = eex__cuda_conv_window(op);
    if (s->batch == batch)
        return CUDNN_STATUS_SUCCESS;
    s->batch = 0;
    cudnnStatus_t status = cuda->libs->cudnnSetTensor4dDescriptor(
        s->x, CUDNN_TENSOR_NHWC, type_of(op), batch, w->cin, w->hin, w->win);
    if (status == CUDNN_STATUS_SUCCESS)
        status = cuda->libs->cudnnSetTensor4dDescriptor(s->y, CUDNN_TENSOR_NHWC, type_of(op), batch,
                                                        w->cout, w->hout, w->wout);
    if (status == CUDNN_STATUS_SUCCESS)
        s->batch = batch;
    return status;
}

static cudnnStatus_t make_descriptors(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    const eex_cuda_libs *l = cuda->libs;
    const eex_window *w = eex__cuda_conv_window(op);
    cudnnStatus_t status = l->cudnnCreateTensorDescriptor(&s->x);
    if (status == CUDNN_STATUS_SUCCESS)
        status = l->cudnnCreateTensorDescriptor(&s->y);
    if (status == CUDNN_STATUS_SUCCESS)
        status = l->cudnnCreateFilterDescriptor(&s->w);
    if (status == CUDNN_STATUS_SUCCESS)
        status = l->cudnnCreateConvolutionDescriptor(&s->convolution);
    if (status == CUDNN_STATUS_SUCCESS)
        status = l->cudnnSetFilter4dDescriptor(s->w, type_of(op), CUDNN_TENSOR_NHWC, w->cout,
                                               w->cin, w->kernel, w->kernel);
    if (status == CUDNN_STATUS_SUCCESS)
        status =
            l->cudnnSetConvolution2dDescriptor(s->convolution, w->pad, w->pad, w->stride, w->stride,
                                               1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT);
    if (status == CUDNN_STATUS_SUCCESS)
        status = l->cudnnSetConvolutionMathType(s->convolution, math_of(op));
    return status == CUDNN_STATUS_SUCCESS ? set_batch(cuda, s, op, s->max_batch) : status;
}

void eex__cuda_dnn_finish(eex_cuda *cuda, eex_cuda_conv *s)
{
    const eex_cuda_libs *l = cuda->libs;
    if (s->x)
        l->cudnnDestroyTensorDescriptor(s->x);
    if (s->y)
        l->cudnnDestroyTensorDescriptor(s->y);
    if (s->w)
        l->cudnnDestroyFilterDescriptor(s->w);
    if (s->convolution)
        l->cudnnDestroyConvolutionDescriptor(s->convolution);
    s->x = s->y = NULL;
    s->w = NULL;
    s->convolution = NULL;
    eex__cuda_free(cuda, s->weights);
    s->weights = NULL;
}

/* ---- running ---- */

/* The workspace that an algorithm wants for the batch that is set; false: it cannot. */
static bool ask_workspace(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op,
                          int algorithm, size_t *bytes)
{
    const eex_cuda_libs *l = cuda->libs;
    cudnnHandle_t dnn = cuda->host->dnn;
    cudnnStatus_t status;
    switch (op->kind) {
    case EEX_OP_CONV:
        status = l->cudnnGetConvolutionForwardWorkspaceSize(
            dnn, s->x, s->w, s->convolution, s->y, (cudnnConvolutionFwdAlgo_t)algorithm, bytes);
        break;
    case EEX_OP_CONV_BWD_DATA:
        status = l->cudnnGetConvolutionBackwardDataWorkspaceSize(
            dnn, s->w, s->y, s->convolution, s->x, (cudnnConvolutionBwdDataAlgo_t)algorithm, bytes);
        break;
    default:
        status = l->cudnnGetConvolutionBackwardFilterWorkspaceSize(
            dnn, s->x, s->y, s->convolution, s->w, (cudnnConvolutionBwdFilterAlgo_t)algorithm,
            bytes);
    }
    return status == CUDNN_STATUS_SUCCESS && *bytes <= most_workspace;
}

bool eex__cuda_dnn_fits(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    size_t bytes;
    if (s->algorithm < 0)
        return false;
    if (s->batch == batch)
        return true; /* asked before */
    if (set_batch(cuda, s, op, batch) != CUDNN_STATUS_SUCCESS)
        return false;
    bool fits = ask_workspace(cuda, s, op, s->algorithm, &bytes) && bytes <= s->workspace;
    if (!fits)
        s->batch = 0;
    return fits;
}

int eex__cuda_dnn_forward(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    const eex_op_conv *c = &op->u.conv;
    const float one = 1, zero = 0;
    const void *weights = s->weights;
    if (!weights) {
        EEX_TRY(eex__cuda_weights_to_ohwi(cuda, op->precision, cuda->scratch, c->w, &c->window));
        weights = cuda->scratch;
    }
    cudnnStatus_t status = cuda->libs->cudnnConvolutionForward(
        cuda->host->dnn, &one, s->x, c->x, s->w, weights, s->convolution,
        (cudnnConvolutionFwdAlgo_t)s->algorithm, workspace_of(cuda, op), s->workspace, &zero, s->y,
        c->y);
    return eex__cuda_dnn_check(cuda, status, op->name ? op->name : "?");
}

int eex__cuda_dnn_data(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    const eex_op_conv_bwd_data *c = &op->u.conv_bwd_data;
    const float one = 1, beta = c->accumulate ? 1 : 0;
    EEX_TRY(eex__cuda_weights_to_ohwi(cuda, op->precision, cuda->scratch, c->w, &c->window));
    cudnnStatus_t status = cuda->libs->cudnnConvolutionBackwardData(
        cuda->host->dnn, &one, s->w, cuda->scratch, s->y, c->dy, s->convolution,
        (cudnnConvolutionBwdDataAlgo_t)s->algorithm, workspace_of(cuda, op), s->workspace, &beta,
        s->x, c->dx);
    return eex__cuda_dnn_check(cuda, status, op->name ? op->name : "?");
}

int eex__cuda_dnn_weights(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    const eex_op_conv_bwd_weights *c = &op->u.conv_bwd_weights;
    const float one = 1, zero = 0;
    cudnnStatus_t status = cuda->libs->cudnnConvolutionBackwardFilter(
        cuda->host->dnn, &one, s->x, c->x, s->y, c->dy, s->convolution,
        (cudnnConvolutionBwdFilterAlgo_t)s->algorithm, workspace_of(cuda, op), s->workspace, &zero,
        s->w, cuda->scratch);
    EEX_TRY(eex__cuda_dnn_check(cuda, status, op->name ? op->name : "?"));
    return eex__cuda_gradient_to_hwio(cuda, op->precision, c->dw, cuda->scratch, &c->window,
                                      c->accumulate);
}

/* ---- choosing ---- */

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
    switch (op->kind) {
    case EEX_OP_CONV:
        return eex__cuda_dnn_forward(cuda, s, op, batch);
    case EEX_OP_CONV_BWD_DATA:
        return eex__cuda_dnn_data(cuda, s, op, batch);
    default:
        return eex__cuda_dnn_weights(cuda, s, op, batch);
    }
}

/* Microseconds of the way that s says; INFINITY is nothing special: an algorithm that fails here is
 * only not chosen. */
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

/* Reserves what an algorithm needs and makes it the state's; false: it cannot run this shape, or
 * not in the memory that is left. */
static int take(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int algorithm, bool *taken)
{
    size_t bytes = 0;
    *taken = ask_workspace(cuda, s, op, algorithm, &bytes);
    if (!*taken)
        return EEX_OK;
    int code = eex__cuda_reserve(cuda, weight_bytes(op) + bytes);
    if (code == EEX_ENOMEM)
        *taken = false;
    if (code < 0)
        return *taken ? code : EEX_OK;
    s->algorithm = algorithm;
    s->workspace = bytes;
    return EEX_OK;
}

static int measure(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const trial *t,
                   float *microseconds)
{
    const int *algorithms = algorithms_of(op->kind);
    int best = -1;
    s->algorithm = -1;
    EEX_TRY(time_way(cuda, s, t, microseconds));
    for (int i = 0; algorithms[i] >= 0; i++) {
        bool taken;
        float now;
        EEX_TRY(take(cuda, s, op, algorithms[i], &taken));
        if (!taken || time_way(cuda, s, t, &now) < 0 || now > *microseconds)
            continue;
        best = algorithms[i];
        *microseconds = now;
    }
    s->algorithm = -1;
    bool taken;
    return best >= 0 ? take(cuda, s, op, best, &taken) : EEX_OK;
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

/* Choices in the file: 0 patches, else the algorithm + 1. */
static int choose(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    char key[160];
    bool taken = true;
    name_shape(cuda, s, op, key, sizeof key);
    int known = eex__cuda_algorithm_find(cuda, key);
    if (known > 0)
        EEX_TRY(take(cuda, s, op, known - 1, &taken));
    if (known >= 0 && taken)
        return EEX_OK;
    trial t;
    float microseconds = 0;
    int code = trial_open(cuda, &t, op, s->max_batch);
    if (code == EEX_OK)
        code = measure(cuda, s, op, &t, &microseconds);
    trial_close(cuda, &t);
    if (code == EEX_ENOMEM) /* nothing to time with: the first that runs, and not for the file */
        return take(cuda, s, op, algorithms_of(op->kind)[0], &taken);
    return code < 0 ? code
                    : eex__cuda_algorithm_keep(cuda, key, s->algorithm + 1, (double)microseconds);
}

/* Static weights are transposed once, into memory of their own. */
static int transpose_static(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    const eex_op_conv *c = &op->u.conv;
    if (op->kind != EEX_OP_CONV || !c->w_static || s->algorithm < 0)
        return EEX_OK;
    EEX_TRY(eex__cuda_alloc(cuda, &s->weights, weight_bytes(op), "weights"));
    return eex__cuda_weights_to_ohwi(cuda, op->precision, s->weights, c->w, &c->window);
}

int eex__cuda_dnn_prepare(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    const char *only = getenv("EEX_CUDA_CONV");
    bool taken;
    if ((only && strcmp(only, "patches") == 0) ||
        make_descriptors(cuda, s, op) != CUDNN_STATUS_SUCCESS)
        return EEX_OK;
    if (cuda->deterministic || (only && strcmp(only, "library") == 0))
        EEX_TRY(take(cuda, s, op, algorithms_of(op->kind)[0], &taken));
    else
        EEX_TRY(choose(cuda, s, op));
    return transpose_static(cuda, s, op);
}
