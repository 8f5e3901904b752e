/* y = x * s, s one value a channel of each sample. Geometry and roofline: scale.cuh. */
#include "cuda/scale.cuh"

static int scale_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    (void)state;
    return EEX_BY_VECTOR(op->precision, eex_scale_packed(op), eex_scale_launch, cuda, op, batch,
                         op->u.scale.y, op->u.scale.x, false);
}

extern "C" const eex_cuda_op_class eex__cuda_scale = {NULL, scale_run, NULL};
