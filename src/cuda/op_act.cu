/* y = act(x). Geometry and roofline: pointwise.cuh. Bytes: x and y once. */
#include "cuda/acts.cuh"
#include "cuda/pointwise.cuh"

struct act_function {
    typedef eex_no_key key;
    eex_act act;

    __device__ key begin() const
    {
        return key();
    }
    __device__ float operator()(key, size_t, float x, float) const
    {
        return eex_act_any(act, x);
    }
};

static int act_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    (void)state;
    act_function f = {op->u.pointwise.act};
    return EEX_BY_PRECISION(op->precision, eex_pointwise_launch, cuda, op, NULL, batch, f);
}

extern "C" const eex_cuda_op_class eex__cuda_act = {NULL, act_run, NULL};
