/* The gradient of an activation: times its slope. Geometry and roofline: pointwise.cuh. Bytes: dy,
 * what the slope is found from and dx once (dx twice when it accumulates). */
#include "cuda/acts.cuh"
#include "cuda/pointwise.cuh"

struct act_bwd_function {
    typedef eex_no_key key;
    eex_act act;

    __device__ key begin() const
    {
        return key();
    }
    __device__ float operator()(key, size_t, float dy, float ref) const
    {
        return eex_act_back(act, dy, ref);
    }
};

static int act_bwd_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    (void)state;
    act_bwd_function f = {op->u.pointwise.act};
    const void *ref = op->u.pointwise.act == EEX_ACT_NONE ? NULL : op->u.pointwise.ref;
    return EEX_BY_PRECISION(op->precision, eex_pointwise_launch, cuda, op, ref, batch, f);
}

extern "C" const eex_cuda_op_class eex__cuda_act_bwd = {NULL, act_bwd_run, NULL};
