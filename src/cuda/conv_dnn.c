/* Convolutions by cuDNN: which of its algorithms there are, what each needs, and its calls. */
#include "cuda/conv_dnn.h"

/* The algorithms worth trying, best guess first; the first of each, channels last, is
 * deterministic. Those by Fourier transform are left out: they pay for large filters. */
enum { MOST = 6 };
static const int forward_algorithms[MOST] = {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
                                             CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, -1};
static const int data_algorithms[MOST] = {CUDNN_CONVOLUTION_BWD_DATA_ALGO_1,
                                          CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, -1};
static const int weights_algorithms[MOST] = {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1,
                                             CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0,
                                             CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3, -1};
static const int forward_first[MOST] = {CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED,
                                        CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD,
                                        CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
                                        CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM,
                                        CUDNN_CONVOLUTION_FWD_ALGO_GEMM,
                                        -1};
static const int data_first[MOST] = {
    CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED, CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD,
    CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, -1};
static const int weights_first[MOST] = {
    CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1,
    CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3, -1};
static const size_t most_workspace = (size_t)512 << 20;

const int *eex__cuda_dnn_algorithms(eex_op_kind kind, bool first)
{
    switch (kind) {
    case EEX_OP_CONV:
        return first ? forward_first : forward_algorithms;
    case EEX_OP_CONV_BWD_DATA:
        return first ? data_first : data_algorithms;
    default:
        return first ? weights_first : weights_algorithms;
    }
}

bool eex__cuda_dnn_winograd(eex_op_kind kind, int algorithm)
{
    switch (kind) {
    case EEX_OP_CONV:
        return algorithm == CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD ||
               algorithm == CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED;
    case EEX_OP_CONV_BWD_DATA:
        return algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD ||
               algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED;
    default:
        return algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED;
    }
}

/* ---- taking one ---- */

/* The workspace that an algorithm wants for the batch that is set; an error: it cannot. */
static int ask_workspace(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int algorithm,
                         size_t *bytes)
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
    EEX_TRY(eex__cuda_dnn_status(cuda, s, status, op));
    s->refused = *bytes > most_workspace;
    if (s->refused)
        return eex_fail(EEX_EUNSUPPORTED,
                        "%s, %s: cuDNN asks for a workspace of %zu MiB, at most %zu are given",
                        cuda->base.name, op->name ? op->name : "?", *bytes >> 20,
                        most_workspace >> 20);
    return EEX_OK;
}

int eex__cuda_dnn_take(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int algorithm,
                       bool first, bool *taken)
{
    size_t bytes = 0;
    s->algorithm = -1;
    s->fitting = 0;
    *taken = eex__cuda_dnn_layout(cuda, s, op, first) == EEX_OK &&
             eex__cuda_dnn_describe(cuda, s, op, eex__cuda_dnn_most(cuda, s, op, s->max_batch)) ==
                 EEX_OK &&
             ask_workspace(cuda, s, op, algorithm, &bytes) == EEX_OK;
    if (!*taken)
        return EEX_OK;
    int code = eex__cuda_reserve(cuda, eex__cuda_dnn_scratch(cuda, s, op, bytes));
    *taken = code == EEX_OK;
    if (code < 0)
        return code == EEX_ENOMEM ? EEX_OK : code;
    s->algorithm = algorithm;
    s->workspace = bytes;
    return EEX_OK;
}

static int piece_fits(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int samples)
{
    size_t bytes;
    EEX_TRY(eex__cuda_dnn_describe(cuda, s, op, samples));
    EEX_TRY(ask_workspace(cuda, s, op, s->algorithm, &bytes));
    s->refused = bytes > s->workspace;
    if (s->refused)
        return eex_fail(EEX_EUNSUPPORTED,
                        "%s, %s: cuDNN asks for a larger workspace for %d samples (%zu bytes) than "
                        "for %d (%zu)",
                        cuda->base.name, op->name ? op->name : "?", samples, bytes, s->max_batch,
                        s->workspace);
    return EEX_OK;
}

bool eex__cuda_dnn_applies(const eex_cuda_conv *s, const eex_op *op)
{
    return s->algorithm >= 0 && (eex__cuda_dnn_copies(s, op) || eex__cuda_dnn_aligned(op));
}

int eex__cuda_dnn_fits(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    if (s->fitting == batch)
        return EEX_OK; /* asked before */
    int each = eex__cuda_dnn_piece(cuda, s, op, batch), last = batch - (batch - 1) / each * each;
    s->fitting = 0;
    EEX_TRY(piece_fits(cuda, s, op, each));
    if (last != each)
        EEX_TRY(piece_fits(cuda, s, op, last));
    s->fitting = batch;
    return EEX_OK;
}

/* ---- running ---- */

static int forward_piece(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const void *weights,
                         int first, int samples)
{
    const eex_op_conv *c = &op->u.conv;
    const float one = 1, zero = 0;
    const void *x = (const char *)c->x + eex__cuda_dnn_input_before(op, first);
    void *y = (char *)c->y + eex__cuda_dnn_output_before(op, first);
    EEX_TRY(eex__cuda_dnn_give(cuda, s, op, samples, false, &x));
    EEX_TRY(eex__cuda_dnn_describe(cuda, s, op, samples));
    cudnnStatus_t status = cuda->libs->cudnnConvolutionForward(
        cuda->host->dnn, &one, s->x, x, s->w, weights, s->convolution,
        (cudnnConvolutionFwdAlgo_t)s->algorithm, eex__cuda_dnn_workspace(cuda, s, op), s->workspace,
        &zero, s->y, eex__cuda_dnn_result(cuda, s, op, samples, true, y));
    EEX_TRY(eex__cuda_dnn_status(cuda, s, status, op));
    return eex__cuda_dnn_put_back(cuda, s, op, samples, true, y, false);
}

/* What cuDNN does not fuse it does without, from then on. */
static int forward_fused(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const void *weights,
                         int batch)
{
    int code = eex__cuda_fused_forward(cuda, s, op, weights, batch);
    s->ended = code == EEX_OK;
    if (code == EEX_OK || !s->refused || eex__cuda_conv_dnn_only(op) || !eex__cuda_healthy(cuda))
        return code;
    eex__cuda_conv_refused(cuda, op, "its bias and activation get a pass of their own");
    s->fused = s->refused = false;
    return EEX_OK;
}

int eex__cuda_dnn_forward(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    const eex_op_conv *c = &op->u.conv;
    const int each = eex__cuda_dnn_piece(cuda, s, op, batch);
    const void *weights = s->weights;
    s->ended = false;
    if (!weights) {
        EEX_TRY(eex__cuda_dnn_order_weights(cuda, s, op, cuda->scratch, c->w));
        weights = cuda->scratch;
    }
    if (s->fused)
        EEX_TRY(forward_fused(cuda, s, op, weights, batch));
    for (int i = 0; i < batch && !s->ended; i += each)
        EEX_TRY(forward_piece(cuda, s, op, weights, i, batch - i < each ? batch - i : each));
    return EEX_OK;
}

/* A copy of the result is added to it afterwards. */
static int data_piece(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int first, int samples)
{
    const eex_op_conv_bwd_data *c = &op->u.conv_bwd_data;
    const float one = 1, beta = c->accumulate && !s->first ? 1 : 0;
    const void *dy = (const char *)c->dy + eex__cuda_dnn_output_before(op, first);
    void *dx = (char *)c->dx + eex__cuda_dnn_input_before(op, first);
    EEX_TRY(eex__cuda_dnn_give(cuda, s, op, samples, true, &dy));
    EEX_TRY(eex__cuda_dnn_describe(cuda, s, op, samples));
    cudnnStatus_t status = cuda->libs->cudnnConvolutionBackwardData(
        cuda->host->dnn, &one, s->w, cuda->scratch, s->y, dy, s->convolution,
        (cudnnConvolutionBwdDataAlgo_t)s->algorithm, eex__cuda_dnn_workspace(cuda, s, op),
        s->workspace, &beta, s->x, eex__cuda_dnn_result(cuda, s, op, samples, false, dx));
    EEX_TRY(eex__cuda_dnn_status(cuda, s, status, op));
    return eex__cuda_dnn_put_back(cuda, s, op, samples, false, dx, c->accumulate);
}

int eex__cuda_dnn_data(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    const eex_op_conv_bwd_data *c = &op->u.conv_bwd_data;
    const int each = eex__cuda_dnn_piece(cuda, s, op, batch);
    EEX_TRY(eex__cuda_dnn_order_weights(cuda, s, op, cuda->scratch, c->w));
    for (int i = 0; i < batch; i += each) {
        s->begun = c->accumulate && i > 0;
        EEX_TRY(data_piece(cuda, s, op, i, batch - i < each ? batch - i : each));
    }
    s->begun = false;
    return EEX_OK;
}

/* The gradient of `samples` samples from `first` on, in cuDNN's order at the start of the scratch
 * memory; added to what the samples in front have left there. */
static int weights_piece(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int first, int samples)
{
    const eex_op_conv_bwd_weights *c = &op->u.conv_bwd_weights;
    const float one = 1, beta = first > 0 ? 1 : 0;
    const void *x = (const char *)c->x + eex__cuda_dnn_input_before(op, first);
    const void *dy = (const char *)c->dy + eex__cuda_dnn_output_before(op, first);
    EEX_TRY(eex__cuda_dnn_give(cuda, s, op, samples, false, &x));
    EEX_TRY(eex__cuda_dnn_give(cuda, s, op, samples, true, &dy));
    EEX_TRY(eex__cuda_dnn_describe(cuda, s, op, samples));
    cudnnStatus_t status = cuda->libs->cudnnConvolutionBackwardFilter(
        cuda->host->dnn, &one, s->x, x, s->y, dy, s->convolution,
        (cudnnConvolutionBwdFilterAlgo_t)s->algorithm, eex__cuda_dnn_workspace(cuda, s, op),
        s->workspace, &beta, s->w, cuda->scratch);
    return eex__cuda_dnn_status(cuda, s, status, op);
}

int eex__cuda_dnn_weights(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    const int each = eex__cuda_dnn_piece(cuda, s, op, batch);
    for (int i = 0; i < batch; i += each)
        EEX_TRY(weights_piece(cuda, s, op, i, batch - i < each ? batch - i : each));
    return eex__cuda_dnn_put_gradient(cuda, s, op);
}
