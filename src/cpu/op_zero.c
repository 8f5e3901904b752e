/* Zeros, for gradients that nobody writes. */
#include "cpu/cpu.h"

#include "base/status.h"

#include <string.h>

static int zero_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    if (op->u.fill.count)
        memset(op->u.fill.to, 0, op->u.fill.count * sizeof(float));
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_zero = {.run = zero_run};
