/* dx = dy * s, then ds = the sum over each image of dy * x. */
#include "cpu/cpu.h"
#include "cpu/kernels/columns.h"

#include "base/status.h"

typedef struct scale_bwd_job {
    const eex_columns_kernels *kernels;
    const eex_op_scale *op;
    int batch;
} scale_bwd_job;

static void scale_bwd_share(void *ctx, const eex_part *part)
{
    const scale_bwd_job *job = ctx;
    const eex_op_scale *op = job->op;
    size_t c = (size_t)op->c, image = (size_t)op->hw * c;
    int begin, end;
    eex_pool_share(&begin, &end, job->batch, 1, part->index, part->count);
    for (int i = begin; i < end; i++) {
        size_t at = (size_t)i * image, row = (size_t)i * c;
        if (op->dx)
            job->kernels->scale(op->dx + at, op->dy + at, op->s + row, op->hw, op->c,
                                op->dx_accumulate);
        if (op->ds)
            job->kernels->dots(op->ds + row, op->dy + at, op->x + at, op->hw, op->c,
                               op->ds_accumulate);
    }
}

static int scale_bwd_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_scale *scale = &op->u.scale;
    scale_bwd_job job = {cpu->kernels->columns, scale, step->batch};
    eex__cpu_parallel(cpu, 0.8 * step->batch * scale->hw * scale->c, scale_bwd_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_scale_bwd = {.run = scale_bwd_run};
