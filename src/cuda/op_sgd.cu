/* SGD with momentum, Nesterov's if asked, and weight decay: with g the clipped gradient plus
 * weight_decay * w, m = momentum * m + g and w -= lr * (nesterov ? g + momentum * m : m).
 *
 * Geometry: optim.cuh. Bytes: 20 a parameter with momentum (w and m read and written, g read), 12
 * without. Roofline: memory. */
#include "cuda/optim.cuh"

enum sgd_kind { PLAIN, MOMENTUM, NESTEROV };

template <int KIND>
static __global__ void __launch_bounds__(EEX_OPTIM_THREADS)
    sgd(eex_op_optim a, const eex_step *step)
{
    float lr = step->lr, clip = a.clip ? *a.clip : 1.0f;
    for (size_t i = eex_optim_first(); i < a.count; i += eex_optim_stride()) {
        float w[4], g[4], m[4], decay = a.decay[i / 16] ? a.weight_decay : 0.0f;
        eex_load<float>(w, a.w + i);
        eex_load<float>(g, a.g + i);
        if (KIND != PLAIN)
            eex_load<float>(m, a.m + i);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            float d = fmaf(decay, w[j], g[j] * clip);
            if (KIND != PLAIN) {
                m[j] = fmaf(a.momentum, m[j], d);
                d = KIND == NESTEROV ? fmaf(a.momentum, m[j], d) : m[j];
            }
            w[j] = fmaf(-lr, d, w[j]);
        }
        eex_save<float>(a.w + i, w);
        if (KIND != PLAIN)
            eex_save<float>(a.m + i, m);
    }
}

static int sgd_prepare(eex_cuda *cuda, void **state, const eex_op *op, int max_batch)
{
    const eex_op_optim *optim = &op->u.optim;
    (void)cuda, (void)state, (void)max_batch;
    if (optim->momentum != 0 && !optim->m)
        return eex_fail(EEX_EINVAL, "sgd \"%s\": momentum %g without a buffer for it",
                        eex_optim_name(op), (double)optim->momentum);
    return eex_optim_check_decay(op);
}

template <int KIND> static void launch(eex_cuda *cuda, const eex_op_optim &optim)
{
    EEX_LAUNCH(sgd<KIND>, eex_optim_blocks(optim.count), EEX_OPTIM_THREADS, 0, cuda->stream, optim,
               (const eex_step *)cuda->step);
}

static int sgd_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    const eex_op_optim *optim = &op->u.optim;
    (void)state, (void)batch;
    if (!optim->m)
        launch<PLAIN>(cuda, *optim);
    else if (optim->nesterov)
        launch<NESTEROV>(cuda, *optim);
    else
        launch<MOMENTUM>(cuda, *optim);
    return eex__cuda_launched(cuda, op);
}

extern "C" const eex_cuda_op_class eex__cuda_sgd = {sgd_prepare, sgd_run, nullptr};
