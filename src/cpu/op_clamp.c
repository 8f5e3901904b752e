/* Each gradient by itself brought to -clip_value..clip_value, as PyTorch's clip_grad_value_. */
#include "cpu/cpu.h"
#include "cpu/kernels/optim.h"
#include "cpu/optim.h"
#include "cpu/range.h"

#include "base/status.h"

typedef struct clamp_job {
    const eex_optim_kernels *kernels;
    const eex_op_optim *op;
} clamp_job;

static void clamp_share(void *ctx, const eex_part *part)
{
    const clamp_job *job = ctx;
    size_t i, end;
    eex__cpu_range(&i, &end, job->op->count, 64, part->index, part->count);
    job->kernels->clamp(job->op->g + i, end - i, job->op->clip_value);
}

static int clamp_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    return eex__optim_check(op);
}

static int clamp_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    clamp_job job = {cpu->kernels->optim, &op->u.optim};
    eex__cpu_parallel(cpu, 0.3 * (double)job.op->count, clamp_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_clamp = {.prepare = clamp_prepare, .run = clamp_run};
