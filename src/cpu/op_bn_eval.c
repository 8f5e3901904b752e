/* Batch norm with the running statistics: one multiply and add for each element. */
#include "cpu/bn.h"

#include "base/status.h"

static int bn_eval_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    return eex__bn_reserve(cpu, op->u.bn.c);
}

static int bn_eval_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_bn *bn = &op->u.bn;
    eex_bn_scratch s = eex__bn_scratch(cpu, bn->c);
    eex__bn_invstd(s.a, bn->running_var, bn->c, bn->eps);
    eex__bn_affine(&s, bn->gamma, bn->beta, bn->running_mean, s.a);
    eex__bn_apply(cpu, bn, &s, (size_t)step->batch * (size_t)bn->hw * (size_t)bn->c);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_bn_eval = {.prepare = bn_eval_prepare, .run = bn_eval_run};
