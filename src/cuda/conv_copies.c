/* What cuDNN is given instead of an op's own tensors, piece by piece in the scratch memory.
 *
 * Widened ones: gradients for the weights are float32 also where everything else is bfloat16, and
 * cuDNN writes one only where the activations are float32 as well: the configurations that it
 * documents have one type for all three, from 8.9 to 9. Their values fit into the 10 bits of
 * mantissa that tensor cores take of a float32, so the products are exact and their sums float32,
 * as they are between bfloat16. It costs 8 more bytes of traffic an element and half the peak of
 * the tensor cores; patches (conv_plain.c) and our own kernel (conv_own_weights.cu) widen nothing,
 * and time tells.
 *
 * Channels first: in float32 cuDNN has more algorithms so, and on chips without tensor cores it was
 * made for that order. It costs 8 bytes of traffic an element on either side, and as much again for
 * a result that is added to; time tells here, too. Tensor cores read channels last. */
#include "cuda/conv_dnn.h"

bool eex__cuda_dnn_widens(const eex_op *op)
{
    return op->kind == EEX_OP_CONV_BWD_WEIGHTS && op->precision == EEX_BF16;
}

bool eex__cuda_dnn_copies(const eex_cuda_conv *s, const eex_op *op)
{
    return s->first || eex__cuda_dnn_widens(op);
}

/* ---- activations ---- */

/* A sample of one side. */
typedef struct sample {
    size_t pixels, channels;
} sample;

static sample side_of(const eex_op *op, bool output)
{
    const eex_window *w = eex__cuda_conv_window(op);
    return output ? (sample){(size_t)w->hout * (size_t)w->wout, (size_t)w->cout}
                  : (sample){(size_t)w->hin * (size_t)w->win, (size_t)w->cin};
}

int eex__cuda_dnn_give(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int samples,
                       bool output, const void **tensor)
{
    if (!eex__cuda_dnn_copies(s, op))
        return EEX_OK;
    const sample of = side_of(op, output);
    float *copy = eex__cuda_dnn_copy_at(cuda, s, op, samples, output);
    const void *from = *tensor;
    *tensor = copy;
    return s->first
               ? eex__cuda_channels_first(cuda, copy, from, (size_t)samples, of.pixels, of.channels)
               : eex__cuda_widen(cuda, copy, from, (size_t)samples * of.pixels * of.channels);
}

void *eex__cuda_dnn_result(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op,
                           int samples, bool output, void *tensor)
{
    return s->first ? eex__cuda_dnn_copy_at(cuda, s, op, samples, output) : tensor;
}

int eex__cuda_dnn_put_back(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int samples,
                           bool output, void *tensor, bool accumulate)
{
    const sample of = side_of(op, output);
    if (!s->first)
        return EEX_OK;
    return eex__cuda_channels_last(cuda, tensor,
                                   eex__cuda_dnn_copy_at(cuda, s, op, samples, output),
                                   (size_t)samples, of.pixels, of.channels, accumulate);
}

/* ---- weights ---- */

/* Where they are in the order between. */
static float *between(const eex_cuda *cuda, const eex_op *op)
{
    return (float *)((char *)cuda->scratch + eex__cuda_dnn_weight_bytes(op));
}

int eex__cuda_dnn_order_weights(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, void *to,
                                const void *weights)
{
    const eex_window *w = eex__cuda_conv_window(op);
    if (!s->first)
        return eex__cuda_weights_to_ohwi(cuda, op->precision, to, weights, w);
    float *ohwi = between(cuda, op);
    EEX_TRY(eex__cuda_weights_to_ohwi(cuda, op->precision, ohwi, weights, w));
    return eex__cuda_filter_to_oihw(cuda, to, ohwi, w);
}

int eex__cuda_dnn_put_gradient(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op)
{
    const eex_op_conv_bwd_weights *c = &op->u.conv_bwd_weights;
    const float *ohwi = (const float *)cuda->scratch;
    if (s->first) {
        EEX_TRY(eex__cuda_filter_to_ohwi(cuda, between(cuda, op), ohwi, &c->window));
        ohwi = between(cuda, op);
    }
    return eex__cuda_gradient_to_hwio(cuda, c->dw, ohwi, &c->window, c->accumulate);
}
