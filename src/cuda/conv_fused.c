/* Bias, residual and activation in cuDNN's own pass, for inference in float32 and TF32: what would
 * read and write the result once more is saved. cuDNN says only when it is asked to run whether it
 * does a shape so; what it refuses is done in two passes (conv_dnn.c).
 *
 * It has the activations ReLU and none, the latter with one algorithm alone; clamps at 6 and sums
 * in bfloat16 with a bias in float32 it does not document, so it is not asked. */
#include "cuda/conv_dnn.h"

static bool at_16(const void *p)
{
    return (uintptr_t)p % 16 == 0;
}

bool eex__cuda_fused_applies(const eex_cuda_conv *s, const eex_op *op, int algorithm)
{
    const eex_op_conv *c = &op->u.conv;
    if (op->kind != EEX_OP_CONV || s->way != EEX_CONV_PATCHES || !c->w_static || !c->bias ||
        op->precision == EEX_BF16 || !at_16(c->bias) || !at_16(c->residual))
        return false;
    return c->act == EEX_ACT_RELU ||
           (c->act == EEX_ACT_NONE &&
            algorithm == (int)CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM);
}

static int open_descriptors(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    const eex_cuda_libs *l = cuda->libs;
    const eex_op_conv *c = &op->u.conv;
    const cudnnActivationMode_t mode =
        c->act == EEX_ACT_RELU ? CUDNN_ACTIVATION_RELU : CUDNN_ACTIVATION_IDENTITY;
    cudnnStatus_t status = CUDNN_STATUS_SUCCESS;
    if (s->bias && s->activation)
        return EEX_OK;
    eex__cuda_fused_finish(cuda, s);
    status = l->cudnnCreateTensorDescriptor(&s->bias);
    if (status == CUDNN_STATUS_SUCCESS)
        status = l->cudnnSetTensor4dDescriptor(s->bias, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1,
                                               c->window.cout, 1, 1);
    if (status == CUDNN_STATUS_SUCCESS)
        status = l->cudnnCreateActivationDescriptor(&s->activation);
    if (status == CUDNN_STATUS_SUCCESS)
        status = l->cudnnSetActivationDescriptor(s->activation, mode, CUDNN_NOT_PROPAGATE_NAN, 0.0);
    return eex__cuda_dnn_status(cuda, s, status, op);
}

void eex__cuda_fused_finish(eex_cuda *cuda, eex_cuda_conv *s)
{
    if (s->bias)
        cuda->libs->cudnnDestroyTensorDescriptor(s->bias);
    if (s->activation)
        cuda->libs->cudnnDestroyActivationDescriptor(s->activation);
    s->bias = NULL;
    s->activation = NULL;
}

/* Without a residual the result takes its place, and counts nothing. */
static int forward_piece(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const void *weights,
                         int first, int samples)
{
    const eex_op_conv *c = &op->u.conv;
    const float one = 1, zero = 0;
    const size_t before = eex__cuda_dnn_output_before(op, first);
    char *y = (char *)c->y + before;
    const char *z = c->residual ? (const char *)c->residual + before : y;
    EEX_TRY(eex__cuda_dnn_describe(cuda, s, op, samples));
    cudnnStatus_t status = cuda->libs->cudnnConvolutionBiasActivationForward(
        cuda->host->dnn, &one, s->x, (const char *)c->x + eex__cuda_dnn_input_before(op, first),
        s->w, weights, s->convolution, (cudnnConvolutionFwdAlgo_t)s->algorithm,
        eex__cuda_dnn_workspace(cuda, s, op), s->workspace, c->residual ? &one : &zero, s->y, z,
        s->bias, c->bias, s->activation, s->y, y);
    return eex__cuda_dnn_status(cuda, s, status, op);
}

int eex__cuda_fused_forward(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const void *weights,
                            int batch)
{
    const int each = eex__cuda_dnn_piece(cuda, s, op, batch);
    EEX_TRY(open_descriptors(cuda, s, op));
    for (int i = 0; i < batch; i += each)
        EEX_TRY(forward_piece(cuda, s, op, weights, i, batch - i < each ? batch - i : each));
    return EEX_OK;
}
