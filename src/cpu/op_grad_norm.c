/* The L2 norm of all gradients and the factor that brings it down to clip_norm, as PyTorch's
 * clip_grad_norm_: min(1, clip_norm / (norm + 1e-6)). Partial sums belong to fixed blocks and are
 * added in order, so not even the number of threads matters. */
#include "cpu/cpu.h"
#include "cpu/kernels/optim.h"
#include "cpu/optim.h"

#include "base/status.h"

#include <math.h>

enum { BLOCK = 16384 };

typedef struct norm_job {
    const eex_optim_kernels *kernels;
    const eex_op_optim *op;
    double *parts; /* one for each block */
    int blocks;
} norm_job;

static int blocks_of(const eex_op_optim *op)
{
    return (int)((op->count + BLOCK - 1) / BLOCK);
}

static void norm_share(void *ctx, const eex_part *part)
{
    const norm_job *job = ctx;
    int begin, end;
    eex_pool_share(&begin, &end, job->blocks, 1, part->index, part->count);
    for (int i = begin; i < end; i++) {
        size_t at = (size_t)i * BLOCK, left = job->op->count - at;
        job->parts[i] = job->kernels->sum_of_squares(job->op->g + at, left < BLOCK ? left : BLOCK);
    }
}

static int norm_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    EEX_TRY(eex__optim_check(op));
    return eex__cpu_reserve(cpu, (size_t)blocks_of(&op->u.optim) * sizeof(double));
}

static int norm_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_optim *optim = &op->u.optim;
    norm_job job = {cpu->kernels->optim, optim, cpu->scratch, blocks_of(optim)};
    eex__cpu_parallel(cpu, 0.2 * (double)optim->count, norm_share, &job);
    double sum = 0;
    for (int i = 0; i < job.blocks; i++)
        sum += job.parts[i];
    double norm = sqrt(sum), factor = optim->clip_norm / (norm + 1e-6);
    if (optim->norm)
        *optim->norm = norm;
    if (optim->clip)
        *optim->clip = factor > 1 ? 1.0f : (float)factor; /* NaN stays NaN */
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_grad_norm = {.prepare = norm_prepare, .run = norm_run};
