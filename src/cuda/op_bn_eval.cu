/* Batch norm with the running statistics, residual and activation: one launch.
 *
 * Geometry: columns.cuh, 256 threads, about 8 rows a thread. Bytes: x, the residual and y once.
 * Roofline: memory. */
#include "cuda/bn_apply.cuh"

template <typename T, int V>
static int bn_eval_launch(eex_cuda *cuda, const eex_op *op, size_t rows)
{
    eex_bn_launch_apply<T, V>(cuda, op->u.bn, true, rows);
    return eex__cuda_launched(cuda, op);
}

static int bn_eval_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    (void)state;
    size_t rows = (size_t)batch * (size_t)op->u.bn.hw;
    return EEX_BY_VECTOR(op->precision, eex_bn_packed(op), bn_eval_launch, cuda, op, rows);
}

extern "C" const eex_cuda_op_class eex__cuda_bn_eval = {NULL, bn_eval_run, NULL};
