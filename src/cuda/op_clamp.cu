/* Each gradient by itself brought to -clip_value..clip_value.
 *
 * Geometry: optim.cuh. Bytes: 8 a parameter. Roofline: memory. */
#include "cuda/optim.cuh"

static __global__ void __launch_bounds__(EEX_OPTIM_THREADS) clamp(eex_op_optim a)
{
    const float most = a.clip_value;
    for (size_t i = eex_optim_first(); i < a.count; i += eex_optim_stride()) {
        float g[4];
        eex_load<float>(g, a.g + i);
#pragma unroll
        for (int j = 0; j < 4; j++)
            g[j] = g[j] > most ? most : g[j] < -most ? -most : g[j]; /* NaN stays NaN */
        eex_save<float>(a.g + i, g);
    }
}

static int clamp_prepare(eex_cuda *cuda, void **state, const eex_op *op, int max_batch)
{
    (void)cuda, (void)state, (void)max_batch;
    return eex_optim_check(op);
}

static int clamp_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    const eex_op_optim *optim = &op->u.optim;
    (void)state, (void)batch;
    EEX_LAUNCH(clamp, eex_optim_blocks(optim->count), EEX_OPTIM_THREADS, 0, cuda->stream, *optim);
    return eex__cuda_launched(cuda, op);
}

extern "C" const eex_cuda_op_class eex__cuda_clamp = {clamp_prepare, clamp_run, nullptr};
