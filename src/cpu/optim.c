#include "cpu/optim.h"

#include "base/status.h"

int eex__optim_check(const eex_op *op)
{
    if (op->u.optim.count % 16)
        return eex_fail(EEX_EINVAL, "optimiser \"%s\": %zu parameters, expected a multiple of 16",
                        op->name ? op->name : "?", op->u.optim.count);
    return EEX_OK;
}

int eex__optim_check_decay(const eex_op *op)
{
    if (!op->u.optim.decay)
        return eex_fail(EEX_EINVAL, "optimiser \"%s\": no mask that says where weights decay",
                        op->name ? op->name : "?");
    return eex__optim_check(op);
}

float eex__optim_clip(const eex_op_optim *op)
{
    return op->clip ? *op->clip : 1.0f;
}
