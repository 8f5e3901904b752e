/* What cuDNN is told of a convolution: types, shapes and the order of channels. */
#include "cuda/conv_dnn.h"

int eex__cuda_dnn_status(const eex_cuda *cuda, eex_cuda_conv *s, cudnnStatus_t status,
                         const eex_op *op)
{
    s->refused = status != CUDNN_STATUS_SUCCESS;
    return eex__cuda_dnn_check(cuda, status, op->name ? op->name : "?");
}

static cudnnDataType_t type_of(const eex_op *op)
{
    return op->precision == EEX_BF16 && !eex__cuda_dnn_widens(op) ? CUDNN_DATA_BFLOAT16
                                                                  : CUDNN_DATA_FLOAT;
}

/* The default allows TF32 for float32 where the chip has it; FMA does not. */
static cudnnMathType_t math_of(const eex_op *op)
{
    return op->precision == EEX_F32                                ? CUDNN_FMA_MATH
           : op->precision == EEX_TF32 || eex__cuda_dnn_widens(op) ? CUDNN_DEFAULT_MATH
                                                                   : CUDNN_TENSOR_OP_MATH;
}

static cudnnTensorFormat_t format_of(const eex_cuda_conv *s)
{
    return s->first ? CUDNN_TENSOR_NCHW : CUDNN_TENSOR_NHWC;
}

int eex__cuda_dnn_describe(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int samples)
{
    const eex_window *w = eex__cuda_conv_window(op);
    const eex_cuda_libs *l = cuda->libs;
    if (s->batch == samples)
        return EEX_OK;
    s->batch = 0;
    cudnnStatus_t status = l->cudnnSetTensor4dDescriptor(s->x, format_of(s), type_of(op), samples,
                                                         w->cin, w->hin, w->win);
    if (status == CUDNN_STATUS_SUCCESS)
        status = l->cudnnSetTensor4dDescriptor(s->y, format_of(s), type_of(op), samples, w->cout,
                                               w->hout, w->wout);
    if (status == CUDNN_STATUS_SUCCESS)
        s->batch = samples;
    return eex__cuda_dnn_status(cuda, s, status, op);
}

static cudnnStatus_t describe_filter(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op)
{
    const eex_window *w = eex__cuda_conv_window(op);
    return cuda->libs->cudnnSetFilter4dDescriptor(s->w, type_of(op), format_of(s), w->cout,
                                                  w->cin / w->groups, w->kernel, w->kernel);
}

int eex__cuda_dnn_layout(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, bool first)
{
    if (s->first == first)
        return EEX_OK;
    s->first = first;
    s->batch = 0;
    int code = eex__cuda_dnn_status(cuda, s, describe_filter(cuda, s, op), op);
    if (code < 0)
        s->first = !first; /* as the filter still is */
    return code;
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
        status = describe_filter(cuda, s, op);
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
    s->first = false;
    eex__cuda_free(cuda, s->weights);
    s->weights = NULL;
}
