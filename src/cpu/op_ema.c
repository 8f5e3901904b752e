/* Exponential moving average of the weights. Its decay starts low, at (1 + t) / (10 + t) in step t,
 * so that the average forgets the random start. */
#include "cpu/cpu.h"
#include "cpu/kernels/optim.h"
#include "cpu/optim.h"
#include "cpu/range.h"

#include "base/status.h"

typedef struct ema_job {
    const eex_optim_kernels *kernels;
    const eex_op_optim *op;
    float keep;
} ema_job;

static void ema_share(void *ctx, const eex_part *part)
{
    const ema_job *job = ctx;
    size_t i, end;
    eex__cpu_range(&i, &end, job->op->count, 64, part->index, part->count);
    job->kernels->ema(job->op->ema + i, job->op->w + i, end - i, job->keep);
}

static int ema_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    return eex__optim_check(op);
}

static int ema_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_optim *optim = &op->u.optim;
    double t = (double)step->step, early = (1 + t) / (10 + t);
    ema_job job = {cpu->kernels->optim, optim,
                   early < optim->ema_decay ? (float)early : optim->ema_decay};
    eex__cpu_parallel(cpu, 0.4 * (double)optim->count, ema_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_ema = {.prepare = ema_prepare, .run = ema_run};
