/* Every value to the nearest of a few levels. Geometry and roofline: pointwise.cuh. Bytes: x and y
 * once. */
#include "cuda/pointwise.cuh"

extern "C" {
#include "device/quantise.h" /* after what marks its functions for the device */
}

struct quantise_key {
    float low, high;
};

struct quantise_function {
    typedef quantise_key key;
    const float *range;
    int bits;

    __device__ key begin() const
    {
        key k;
        k.low = range[0];
        k.high = range[1];
        return k;
    }
    __device__ float operator()(key k, size_t, float x, float) const
    {
        return eex_quantise_level(eex_quantise_code(x, bits, k.low, k.high), bits, k.low, k.high);
    }
};

static int quantise_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    const eex_op_quantise *q = &op->u.quantise;
    quantise_function f = {q->range, q->bits};
    eex_op each = *op;
    (void)state;
    each.u.pointwise = eex_op_pointwise();
    each.u.pointwise.size = q->size;
    each.u.pointwise.x = q->x;
    each.u.pointwise.y = q->y;
    return EEX_BY_PRECISION(op->precision, eex_pointwise_launch, cuda, &each, NULL, batch, f);
}

extern "C" const eex_cuda_op_class eex__cuda_quantise = {NULL, quantise_run, NULL};
