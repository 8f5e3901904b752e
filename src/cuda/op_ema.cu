/* Exponential moving average of the weights. Its decay starts low, at (1 + t) / (10 + t) in step t,
 * so that the average forgets the random start.
 *
 * Geometry: optim.cuh. Bytes: 12 a parameter. Roofline: memory. */
#include "cuda/optim.cuh"

static __device__ float keep_of(float decay, const eex_step *step)
{
    double t = (double)step->step, early = (1 + t) / (10 + t);
    return early < (double)decay ? (float)early : decay;
}

static __global__ void __launch_bounds__(EEX_OPTIM_THREADS)
    ema(eex_op_optim a, const eex_step *step)
{
    __shared__ float shared;
    if (threadIdx.x == 0)
        shared = keep_of(a.ema_decay, step);
    __syncthreads();
    float keep = shared, take = 1.0f - keep;
    for (size_t i = eex_optim_first(); i < a.count; i += eex_optim_stride()) {
        float average[4], w[4];
        eex_load<float>(average, a.ema + i);
        eex_load<float>(w, a.w + i);
#pragma unroll
        for (int j = 0; j < 4; j++)
            average[j] = fmaf(keep, average[j], take * w[j]);
        eex_save<float>(a.ema + i, average);
    }
}

static int ema_prepare(eex_cuda *cuda, void **state, const eex_op *op, int max_batch)
{
    (void)cuda, (void)state, (void)max_batch;
    return eex_optim_check(op);
}

static int ema_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    const eex_op_optim *optim = &op->u.optim;
    (void)state, (void)batch;
    EEX_LAUNCH(ema, eex_optim_blocks(optim->count), EEX_OPTIM_THREADS, 0, cuda->stream, *optim,
               (const eex_step *)cuda->step);
    return eex__cuda_launched(cuda, op);
}

extern "C" const eex_cuda_op_class eex__cuda_ema = {ema_prepare, ema_run, nullptr};
