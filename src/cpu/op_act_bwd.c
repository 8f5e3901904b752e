/* The gradient of an activation: times its slope. */
#include "cpu/cpu.h"
#include "cpu/kernels/pointwise.h"
#include "cpu/range.h"

#include "base/status.h"

typedef struct act_bwd_job {
    const eex_pointwise_kernels *kernels;
    const eex_op_pointwise *op;
    size_t n;
} act_bwd_job;

static void act_bwd_share(void *ctx, const eex_part *part)
{
    const act_bwd_job *job = ctx;
    const eex_op_pointwise *op = job->op;
    size_t i, end;
    eex__cpu_range(&i, &end, job->n, 64, part->index, part->count);
    job->kernels->act_bwd(op->y + i, op->x + i, op->ref + i, end - i, op->act, op->accumulate);
}

static int act_bwd_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_pointwise *pointwise = &op->u.pointwise;
    size_t n = (size_t)step->batch * (size_t)pointwise->size;
    act_bwd_job job = {cpu->kernels->pointwise, pointwise, n};
    eex__cpu_parallel(cpu, 0.4 * (double)n, act_bwd_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_act_bwd = {.run = act_bwd_run};
