/* y = x * s, s one value a channel of each sample. */
#include "cpu/cpu.h"
#include "cpu/kernels/columns.h"

#include "base/status.h"

typedef struct scale_job {
    const eex_columns_kernels *kernels;
    const eex_op_scale *op;
    int batch;
} scale_job;

static void scale_share(void *ctx, const eex_part *part)
{
    const scale_job *job = ctx;
    const eex_op_scale *op = job->op;
    size_t c = (size_t)op->c, image = (size_t)op->hw * c;
    int begin, end;
    eex_pool_share(&begin, &end, job->batch, 1, part->index, part->count);
    for (int i = begin; i < end; i++)
        job->kernels->scale(op->y + (size_t)i * image, op->x + (size_t)i * image,
                            op->s + (size_t)i * c, op->hw, op->c, false);
}

static int scale_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_scale *scale = &op->u.scale;
    scale_job job = {cpu->kernels->columns, scale, step->batch};
    eex__cpu_parallel(cpu, 0.4 * step->batch * scale->hw * scale->c, scale_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_scale = {.run = scale_run};
