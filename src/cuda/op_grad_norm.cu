/* The L2 norm of all gradients and the factor that brings it down to clip_norm: min(1, clip_norm /
 * (norm + 1e-6)).
 *
 * Geometry: optim.cuh; each block leaves its sum of squares, in double, in the scratch buffer, and
 * the last one to finish adds those up in the order of the blocks. How the buffer is divided
 * follows from its length alone. Bytes: 4 a parameter. Roofline: memory. */
#include "cuda/columns.cuh"
#include "cuda/optim.cuh"

enum { WARPS = EEX_OPTIM_THREADS / EEX_WARP };

/* The sum over the block, for thread 0. */
static __device__ double block_sum(double own)
{
    __shared__ double sums[WARPS];
    own = eex_warp_sum(own);
    __syncthreads();
    if (threadIdx.x % EEX_WARP == 0)
        sums[threadIdx.x / EEX_WARP] = own;
    __syncthreads();
    double sum = 0;
    for (int i = 0; i < WARPS; i++)
        sum += sums[i];
    return sum;
}

static __device__ double sum_of_squares(const eex_op_optim &a)
{
    double sum = 0;
#pragma unroll 4
    for (size_t i = eex_optim_first(); i < a.count; i += eex_optim_stride()) {
        float g[4];
        eex_load<float>(g, a.g + i);
#pragma unroll
        for (int j = 0; j < 4; j++)
            sum += (double)g[j] * (double)g[j];
    }
    return sum;
}

static __global__ void __launch_bounds__(EEX_OPTIM_THREADS)
    grad_norm(eex_op_optim a, double *parts, unsigned *counter)
{
    double sum = block_sum(sum_of_squares(a));
    if (threadIdx.x == 0)
        parts[blockIdx.x] = sum;
    if (!eex_last_block(counter, gridDim.x))
        return;
    double all = 0;
    for (unsigned i = threadIdx.x; i < gridDim.x; i += EEX_OPTIM_THREADS)
        all += *(const volatile double *)(parts + i);
    all = block_sum(all);
    if (threadIdx.x > 0)
        return;
    double norm = sqrt(all), factor = (double)a.clip_norm / (norm + 1e-6);
    if (a.norm)
        *a.norm = norm;
    if (a.clip)
        *a.clip = factor > 1 ? 1.0f : (float)factor; /* NaN stays NaN */
}

static int norm_prepare(eex_cuda *cuda, void **state, const eex_op *op, int max_batch)
{
    (void)max_batch;
    EEX_TRY(eex_optim_check(op));
    EEX_TRY(eex__cuda_reserve(cuda, EEX_OPTIM_BLOCKS * sizeof(double)));
    EEX_TRY(eex__cuda_alloc(cuda, state, sizeof(unsigned), "gradient norm"));
    return eex__cuda_check(cuda, cudaMemsetAsync(*state, 0, sizeof(unsigned), cuda->stream),
                           "gradient norm");
}

static int norm_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    const eex_op_optim *optim = &op->u.optim;
    (void)batch;
    EEX_LAUNCH(grad_norm, eex_optim_blocks(optim->count), EEX_OPTIM_THREADS, 0, cuda->stream,
               *optim, (double *)cuda->scratch, (unsigned *)state);
    return eex__cuda_launched(cuda, op);
}

static void norm_finish(eex_cuda *cuda, const eex_op *op, void *state)
{
    (void)op;
    eex__cuda_free(cuda, state);
}

extern "C" const eex_cuda_op_class eex__cuda_grad_norm = {norm_prepare, norm_run, norm_finish};
