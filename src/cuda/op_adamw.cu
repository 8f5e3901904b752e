/* AdamW: weights decay by 1 - lr * weight_decay, then take a step of lr / (1 - beta1^t) * m /
 * (sqrt(v / (1 - beta2^t)) + eps).
 *
 * Geometry: optim.cuh. Bytes: 28 a parameter (w, m, v read and written, g read). Roofline: memory.
 */
#include "cuda/optim.cuh"

struct adamw_factors {
    float step_size, v_scale, keep, clip;
};

static __device__ adamw_factors factors_of(const eex_op_optim &a, const eex_step *step)
{
    uint64_t t = step->step < 1 ? 1 : step->step;
    adamw_factors f;
    f.step_size = (float)((double)step->lr / (1 - eex_power(a.beta1, t)));
    f.v_scale = (float)(1 / sqrt(1 - eex_power(a.beta2, t)));
    f.keep = 1.0f - step->lr * a.weight_decay;
    f.clip = a.clip ? *a.clip : 1.0f;
    return f;
}

static __global__ void __launch_bounds__(EEX_OPTIM_THREADS)
    adamw(eex_op_optim a, const eex_step *step)
{
    __shared__ adamw_factors f;
    if (threadIdx.x == 0)
        f = factors_of(a, step);
    __syncthreads();
    for (size_t i = eex_optim_first(); i < a.count; i += eex_optim_stride()) {
        float w[4], g[4], m[4], v[4], keep = a.decay[i / 16] ? f.keep : 1.0f;
        eex_load<float>(w, a.w + i);
        eex_load<float>(g, a.g + i);
        eex_load<float>(m, a.m + i);
        eex_load<float>(v, a.v + i);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            float d = g[j] * f.clip;
            m[j] = fmaf(a.beta1, m[j], (1.0f - a.beta1) * d);
            v[j] = fmaf(a.beta2, v[j], (1.0f - a.beta2) * d * d);
            w[j] = fmaf(w[j], keep, -(f.step_size * m[j] / fmaf(sqrtf(v[j]), f.v_scale, a.eps)));
        }
        eex_save<float>(a.w + i, w);
        eex_save<float>(a.m + i, m);
        eex_save<float>(a.v + i, v);
    }
}

static int adamw_prepare(eex_cuda *cuda, void **state, const eex_op *op, int max_batch)
{
    (void)cuda, (void)state, (void)max_batch;
    if (!op->u.optim.m || !op->u.optim.v)
        return eex_fail(EEX_EINVAL, "adamw \"%s\": both moments need a buffer", eex_optim_name(op));
    return eex_optim_check_decay(op);
}

static int adamw_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    const eex_op_optim *optim = &op->u.optim;
    (void)state, (void)batch;
    EEX_LAUNCH(adamw, eex_optim_blocks(optim->count), EEX_OPTIM_THREADS, 0, cuda->stream, *optim,
               (const eex_step *)cuda->step);
    return eex__cuda_launched(cuda, op);
}

extern "C" const eex_cuda_op_class eex__cuda_adamw = {adamw_prepare, adamw_run, nullptr};
