/* Convolutions by cuDNN: descriptors, scratch memory, calls.
 *
 * Gradients for the weights are float32 also where everything else is bfloat16, and cuDNN writes
 * one only where the activations are float32 as well: the configurations that it documents have one
 * type for all three, from 8.9 to 9. So both activations are widened into the scratch memory first.
 * Their values fit into the 10 bits of mantissa that tensor cores take of a float32, so the
 * products are exact and their sums float32, as they are between bfloat16. It costs 8 more bytes of
 * traffic an element and half the peak of the tensor cores; patches (conv.c) and our own kernel
 * (conv_own_weights.cu) widen nothing, and time tells. */
#include "cuda/conv_dnn.h"

/* The algorithms worth trying, best guess first; the first of each is deterministic. Winograd is
 * left out for its error (1e-4 in float32), those by Fourier transform because they do not take
 * channels-last tensors. */
enum { MOST = 4, ALIGNMENT = 256, WIDE_BYTES = 256 << 20 /* of widened activations, at most */ };
static const int forward_algorithms[MOST] = {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
                                             CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, -1};
static const int data_algorithms[MOST] = {CUDNN_CONVOLUTION_BWD_DATA_ALGO_1,
                                          CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, -1};
static const int weights_algorithms[MOST] = {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1,
                                             CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0,
                                             CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3, -1};
static const size_t most_workspace = (size_t)512 << 20;

const int *eex__cuda_dnn_algorithms(eex_op_kind kind)
{
    return kind == EEX_OP_CONV            ? forward_algorithms
           : kind == EEX_OP_CONV_BWD_DATA ? data_algorithms
                                          : weights_algorithms;
}

/* ---- pieces and scratch memory ---- */

/* Whether the activations are made float32 first: see above. */
static bool widens(const eex_op *op)
{
    return op->kind == EEX_OP_CONV_BWD_WEIGHTS && op->precision == EEX_BF16;
}

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Elements of one sample on either side. */
static size_t input_size(const eex_window *w)
{
    return (size_t)w->hin * (size_t)w->win * (size_t)w->cin;
}

static size_t output_size(const eex_window *w)
{
    return (size_t)w->hout * (size_t)w->wout * (size_t)w->cout;
}

/* cuDNN wants tensors at multiples of 16 bytes. */
static bool tensors_aligned(const eex_op *op)
{
    const void *x = op->u.conv.x, *y = op->u.conv.y;
    if (op->kind == EEX_OP_CONV_BWD_DATA) {
        x = op->u.conv_bwd_data.dx;
        y = op->u.conv_bwd_data.dy;
    } else if (op->kind == EEX_OP_CONV_BWD_WEIGHTS) {
        x = op->u.conv_bwd_weights.x;
        y = op->u.conv_bwd_weights.dy;
    }
    return ((uintptr_t)x | (uintptr_t)y) % 16 == 0;
}

/* So pieces of a batch are so many samples, or a multiple; the widened ones are always aligned. */
static int unit_of(const eex_op *op)
{
    const eex_window *w = eex__cuda_conv_window(op);
    const size_t each = 16 / eex_precision_bytes(op->precision);
    return widens(op) || (input_size(w) % each == 0 && output_size(w) % each == 0) ? 1 : (int)each;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The most samples of a batch that one call takes: as many as a descriptor of cuDNN's may have, and
 * gradients for the weights are not summed up over too many pixels in one go (conv.c) nor widened
 * all at once. One unit it is at least, however large the samples are. */
static int most_samples(const eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_window *w = eex__cuda_conv_window(op);
    const size_t x = input_size(w), y = output_size(w), unit = (size_t)unit_of(op);
    size_t most = cuda->tensor_elements / (x > y ? x : y);
    if (op->kind == EEX_OP_CONV_BWD_WEIGHTS)
        most = smaller(most, cuda->sum_rows / ((size_t)w->hout * (size_t)w->wout));
    if (widens(op))
        most = smaller(most, WIDE_BYTES / ((x + y) * sizeof(float)));
    most = most < unit ? unit : most / unit * unit;
    return most < (size_t)batch ? (int)most : batch;
}

/* The samples of each call but the last, for all to be about as long. */
int eex__cuda_dnn_piece(const eex_cuda *cuda, const eex_op *op, int batch)
{
    int most = most_samples(cuda, op, batch), calls = (batch + most - 1) / most;
    int unit = unit_of(op), each = ((batch + calls - 1) / calls + unit - 1) / unit * unit;
    return each < batch ? each : batch;
}

/* In the scratch memory: the weights in cuDNN's order, or their gradient; the workspace; widened
 * input and output of a piece. */
size_t eex__cuda_dnn_weight_bytes(const eex_op *op)
{
    const eex_window *w = eex__cuda_conv_window(op);
    size_t unit = widens(op) ? sizeof(float) : eex_precision_bytes(op->precision);
    return aligned((size_t)w->kernel * (size_t)w->kernel * (size_t)(w->cin / w->groups) *
                   (size_t)w->cout * unit);
}

void *eex__cuda_dnn_workspace(const eex_cuda *cuda, const eex_op *op)
{
    return (char *)cuda->scratch + eex__cuda_dnn_weight_bytes(op);
}

static size_t wide_bytes(const eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_window *w = eex__cuda_conv_window(op);
    size_t n = (size_t)most_samples(cuda, op, batch) * sizeof(float);
    return widens(op) ? aligned(n * input_size(w)) + aligned(n * output_size(w)) : 0;
}

/* ---- descriptors ---- */

static cudnnDataType_t type_of(const eex_op *op)
{
    return op->precision == EEX_BF16 && !widens(op) ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

/* The default allows TF32 for float32 where the chip has it; FMA does not. */
static cudnnMathType_t math_of(const eex_op *op)
{
    return op->precision == EEX_F32                  ? CUDNN_FMA_MATH
           : op->precision == EEX_TF32 || widens(op) ? CUDNN_DEFAULT_MATH
                                                     : CUDNN_TENSOR_OP_MATH;
}

int eex__cuda_dnn_status(const eex_cuda *cuda, eex_cuda_conv *s, cudnnStatus_t status,
                         const eex_op *op)
{
    s->refused = status != CUDNN_STATUS_SUCCESS;
    return eex__cuda_dnn_check(cuda, status, op->name ? op->name : "?");
}

/* The descriptors' batch. */
int eex__cuda_dnn_describe(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    const eex_window *w = eex__cuda_conv_window(op);
    if (s->batch == batch)
        return EEX_OK;
    s->batch = 0;
    cudnnStatus_t status = cuda->libs->cudnnSetTensor4dDescriptor(
        s->x, CUDNN_TENSOR_NHWC, type_of(op), batch, w->cin, w->hin, w->win);
    if (status == CUDNN_STATUS_SUCCESS)
        status = cuda->libs->cudnnSetTensor4dDescriptor(s->y, CUDNN_TENSOR_NHWC, type_of(op), batch,
                                                        w->cout, w->hout, w->wout);
    if (status == CUDNN_STATUS_SUCCESS)
        s->batch = batch;
    return eex__cuda_dnn_status(cuda, s, status, op);
}

int eex__cuda_dnn_open(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
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
                                               w->cin / w->groups, w->kernel, w->kernel);
    if (status == CUDNN_STATUS_SUCCESS)
        status =
            l->cudnnSetConvolution2dDescriptor(s->convolution, w->pad, w->pad, w->stride, w->stride,
                                               1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT);
    if (status == CUDNN_STATUS_SUCCESS)
        status = l->cudnnSetConvolutionGroupCount(s->convolution, w->groups);
    if (status == CUDNN_STATUS_SUCCESS)
        status = l->cudnnSetConvolutionMathType(s->convolution, math_of(op));
    return eex__cuda_dnn_status(cuda, s, status, op);
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
    eex__cuda_fused_finish(cuda, s);
    s->x = s->y = NULL;
    s->w = NULL;
    s->convolution = NULL;
    s->batch = 0;
    eex__cuda_free(cuda, s->weights);
    s->weights = NULL;
}

/* ---- running ---- */

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
                       bool *taken)
{
    size_t bytes = 0;
    int most = most_samples(cuda, op, s->max_batch);
    s->algorithm = -1;
    s->fitting = 0;
    *taken = eex__cuda_dnn_describe(cuda, s, op, most) == EEX_OK &&
             ask_workspace(cuda, s, op, algorithm, &bytes) == EEX_OK;
    if (!*taken)
        return EEX_OK;
    int code = eex__cuda_reserve(cuda, eex__cuda_dnn_weight_bytes(op) + aligned(bytes) +
                                           wide_bytes(cuda, op, s->max_batch));
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
    return s->algorithm >= 0 && (widens(op) || tensors_aligned(op));
}

int eex__cuda_dnn_fits(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    if (s->fitting == batch)
        return EEX_OK; /* asked before */
    int each = eex__cuda_dnn_piece(cuda, op, batch), last = batch - (batch - 1) / each * each;
    s->fitting = 0;
    EEX_TRY(piece_fits(cuda, s, op, each));
    if (last != each)
        EEX_TRY(piece_fits(cuda, s, op, last));
    s->fitting = batch;
    return EEX_OK;
}

/* Bytes in front of sample i on either side. */
size_t eex__cuda_dnn_input_before(const eex_op *op, int i)
{
    return (size_t)i * input_size(eex__cuda_conv_window(op)) * eex_precision_bytes(op->precision);
}

size_t eex__cuda_dnn_output_before(const eex_op *op, int i)
{
    return (size_t)i * output_size(eex__cuda_conv_window(op)) * eex_precision_bytes(op->precision);
}

static int forward_piece(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const void *weights,
                         int first, int samples)
{
    const eex_op_conv *c = &op->u.conv;
    const float one = 1, zero = 0;
    EEX_TRY(eex__cuda_dnn_describe(cuda, s, op, samples));
    cudnnStatus_t status = cuda->libs->cudnnConvolutionForward(
        cuda->host->dnn, &one, s->x, (const char *)c->x + eex__cuda_dnn_input_before(op, first),
        s->w, weights, s->convolution, (cudnnConvolutionFwdAlgo_t)s->algorithm,
        eex__cuda_dnn_workspace(cuda, op), s->workspace, &zero, s->y,
        (char *)c->y + eex__cuda_dnn_output_before(op, first));
    return eex__cuda_dnn_status(cuda, s, status, op);
}

/* What cuDNN does not fuse it does without, from then on. */
static int forward_fused(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const void *weights,
                         int batch)
{
    int code = eex__cuda_fused_forward(cuda, s, op, weights, batch);
    s->ended = code == EEX_OK;
    if (code == EEX_OK || !s->refused || eex__cuda_conv_only("library") || !eex__cuda_healthy(cuda))
        return code;
    eex__cuda_conv_refused(cuda, op, "its bias and activation get a pass of their own");
    s->fused = s->refused = false;
    return EEX_OK;
}

int eex__cuda_dnn_forward(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    const eex_op_conv *c = &op->u.conv;
    const int each = eex__cuda_dnn_piece(cuda, op, batch);
    const void *weights = s->weights;
    s->ended = false;
    if (!weights) {
        EEX_TRY(eex__cuda_weights_to_ohwi(cuda, op->precision, cuda->scratch, c->w, &c->window));
        weights = cuda->scratch;
    }
    if (s->fused)
        EEX_TRY(forward_fused(cuda, s, op, weights, batch));
    for (int i = 0; i < batch && !s->ended; i += each)
        EEX_TRY(forward_piece(cuda, s, op, weights, i, batch - i < each ? batch - i : each));
    return EEX_OK;
}

static int data_piece(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int first, int samples)
{
    const eex_op_conv_bwd_data *c = &op->u.conv_bwd_data;
    const float one = 1, beta = c->accumulate ? 1 : 0;
    EEX_TRY(eex__cuda_dnn_describe(cuda, s, op, samples));
    cudnnStatus_t status = cuda->libs->cudnnConvolutionBackwardData(
        cuda->host->dnn, &one, s->w, cuda->scratch, s->y,
        (const char *)c->dy + eex__cuda_dnn_output_before(op, first), s->convolution,
        (cudnnConvolutionBwdDataAlgo_t)s->algorithm, eex__cuda_dnn_workspace(cuda, op),
        s->workspace, &beta, s->x, (char *)c->dx + eex__cuda_dnn_input_before(op, first));
    return eex__cuda_dnn_status(cuda, s, status, op);
}

int eex__cuda_dnn_data(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    const eex_op_conv_bwd_data *c = &op->u.conv_bwd_data;
    const int each = eex__cuda_dnn_piece(cuda, op, batch);
    EEX_TRY(eex__cuda_weights_to_ohwi(cuda, op->precision, cuda->scratch, c->w, &c->window));
    for (int i = 0; i < batch; i += each) {
        s->begun = c->accumulate && i > 0;
        EEX_TRY(data_piece(cuda, s, op, i, batch - i < each ? batch - i : each));
    }
    s->begun = false;
    return EEX_OK;
}

/* Makes a piece of the activations float32 and points to where it is. */
static int widen(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int samples,
                 const void **x, const void **dy)
{
    const eex_window *w = eex__cuda_conv_window(op);
    size_t n = (size_t)samples;
    char *wide_x = (char *)eex__cuda_dnn_workspace(cuda, op) + aligned(s->workspace);
    char *wide_dy = wide_x + aligned(n * input_size(w) * sizeof(float));
    EEX_TRY(eex__cuda_widen(cuda, (float *)wide_x, *x, n * input_size(w)));
    EEX_TRY(eex__cuda_widen(cuda, (float *)wide_dy, *dy, n * output_size(w)));
    *x = wide_x;
    *dy = wide_dy;
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
    if (widens(op))
        EEX_TRY(widen(cuda, s, op, samples, &x, &dy));
    EEX_TRY(eex__cuda_dnn_describe(cuda, s, op, samples));
    cudnnStatus_t status = cuda->libs->cudnnConvolutionBackwardFilter(
        cuda->host->dnn, &one, s->x, x, s->y, dy, s->convolution,
        (cudnnConvolutionBwdFilterAlgo_t)s->algorithm, eex__cuda_dnn_workspace(cuda, op),
        s->workspace, &beta, s->w, cuda->scratch);
    return eex__cuda_dnn_status(cuda, s, status, op);
}

int eex__cuda_dnn_weights(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch)
{
    const eex_op_conv_bwd_weights *c = &op->u.conv_bwd_weights;
    const int each = eex__cuda_dnn_piece(cuda, op, batch);
    for (int i = 0; i < batch; i += each)
        EEX_TRY(weights_piece(cuda, s, op, i, batch - i < each ? batch - i : each));
    return eex__cuda_gradient_to_hwio(cuda, c->dw, (const float *)cuda->scratch, &c->window,
                                      c->accumulate);
}
