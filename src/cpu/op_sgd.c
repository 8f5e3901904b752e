/* SGD with momentum, Nesterov's if asked, and weight decay, as PyTorch's: with g the clipped
 * gradient plus weight_decay * w, m = momentum * m + g and w -= lr * (nesterov ? g + momentum * m
 * : m). Moments start at zero, which makes the first step PyTorch's too. */
#include "cpu/cpu.h"
#include "cpu/kernels/optim.h"
#include "cpu/optim.h"
#include "cpu/range.h"

#include "base/status.h"

typedef struct sgd_job {
    const eex_optim_kernels *kernels;
    const eex_op_optim *op;
    eex_sgd_step step;
} sgd_job;

static void sgd_share(void *ctx, const eex_part *part)
{
    const sgd_job *job = ctx;
    const eex_op_optim *op = job->op;
    size_t i, end;
    eex__cpu_range(&i, &end, op->count, 64, part->index, part->count);
    job->kernels->sgd(op->w + i, op->g + i, op->m ? op->m + i : NULL, op->decay + i / 16, end - i,
                      &job->step);
}

static int sgd_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    const eex_op_optim *optim = &op->u.optim;
    if (optim->momentum != 0 && !optim->m)
        return eex_fail(EEX_EINVAL, "sgd \"%s\": momentum %g without a buffer for it",
                        op->name ? op->name : "?", (double)optim->momentum);
    return eex__optim_check_decay(op);
}

static int sgd_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_optim *optim = &op->u.optim;
    sgd_job job = {.kernels = cpu->kernels->optim, .op = optim};
    job.step = (eex_sgd_step){.lr = step->lr,
                              .momentum = optim->momentum,
                              .weight_decay = optim->weight_decay,
                              .clip = eex__optim_clip(optim),
                              .nesterov = optim->nesterov};
    eex__cpu_parallel(cpu, 0.8 * (double)optim->count, sgd_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_sgd = {.prepare = sgd_prepare, .run = sgd_run};
