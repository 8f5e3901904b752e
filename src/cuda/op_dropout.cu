/* Dropout: y = x * factor of (seed, step, layer, element), the CPU's bits, so that the backward
 * pass makes the same mask again instead of keeping it. Geometry: pointwise.cuh. Bytes: x and y
 * once (y twice when it accumulates). Roofline: the integer products of the hash, about 20
 * instructions an element, come close to memory. */
#include "cuda/pointwise.cuh"

#include "base/rng.h" /* after what marks its functions for the device */

struct dropout_function {
    typedef uint64_t key;
    const eex_step *step;
    uint64_t salt, threshold;
    float scale;

    __device__ key begin() const
    {
        return eex_rng_hash(step->seed, salt, step->step);
    }
    __device__ float operator()(key k, size_t i, float x, float) const
    {
        uint64_t h = eex_rng_mix(k + UINT64_C(0x9e3779b97f4a7c15) * ((uint64_t)i + 1));
        return x * ((h >> 32) >= threshold ? scale : 0.0f);
    }
};

static int dropout_prepare(eex_cuda *cuda, void **state, const eex_op *op, int max_batch)
{
    (void)cuda, (void)state, (void)max_batch;
    float p = op->u.pointwise.p;
    if (!(p >= 0.0f && p <= 1.0f))
        return eex_fail(EEX_EINVAL, "dropout \"%s\": probability %g, expected 0 to 1",
                        op->name ? op->name : "?", (double)p);
    return EEX_OK;
}

static int dropout_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    (void)state;
    const eex_op_pointwise *from = &op->u.pointwise;
    dropout_function f;
    f.step = cuda->step;
    f.salt = from->salt;
    f.threshold = (uint64_t)((double)from->p * 0x1p32);
    f.scale = from->p < 1.0f ? 1.0f / (1.0f - from->p) : 0.0f;
    return EEX_BY_PRECISION(op->precision, eex_pointwise_launch, cuda, op, NULL, batch, f);
}

extern "C" const eex_cuda_op_class eex__cuda_dropout = {dropout_prepare, dropout_run, NULL};
