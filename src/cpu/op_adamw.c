/* AdamW (Loshchilov and Hutter) as PyTorch's: decay by 1 - lr * weight_decay, then a step of
 * lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps). */
#include "cpu/cpu.h"
#include "cpu/kernels/optim.h"
#include "cpu/optim.h"
#include "cpu/range.h"

#include "base/status.h"

#include <math.h>

typedef struct adamw_job {
    const eex_optim_kernels *kernels;
    const eex_op_optim *op;
    eex_adamw_step step;
} adamw_job;

static void adamw_share(void *ctx, const eex_part *part)
{
    const adamw_job *job = ctx;
    const eex_op_optim *op = job->op;
    size_t i, end;
    eex__cpu_range(&i, &end, op->count, 64, part->index, part->count);
    job->kernels->adamw(op->w + i, op->g + i, op->m + i, op->v + i, op->decay + i / 16, end - i,
                        &job->step);
}

static int adamw_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    if (!op->u.optim.m || !op->u.optim.v)
        return eex_fail(EEX_EINVAL, "adamw \"%s\": both moments need a buffer",
                        op->name ? op->name : "?");
    return eex__optim_check_decay(op);
}

static int adamw_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_optim *optim = &op->u.optim;
    double t = step->step < 1 ? 1.0 : (double)step->step;
    adamw_job job = {.kernels = cpu->kernels->optim, .op = optim};
    job.step = (eex_adamw_step){.lr = step->lr,
                                .beta1 = optim->beta1,
                                .beta2 = optim->beta2,
                                .eps = optim->eps,
                                .weight_decay = optim->weight_decay,
                                .clip = eex__optim_clip(optim)};
    job.step.step_size = (float)(step->lr / (1 - pow(optim->beta1, t)));
    job.step.v_scale = (float)(1 / sqrt(1 - pow(optim->beta2, t)));
    eex__cpu_parallel(cpu, 2.0 * (double)optim->count, adamw_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_adamw = {.prepare = adamw_prepare, .run = adamw_run};
