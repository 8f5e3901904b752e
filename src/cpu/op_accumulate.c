/* y += x or y = x. */
#include "cpu/cpu.h"
#include "cpu/kernels/pointwise.h"
#include "cpu/range.h"

#include "base/status.h"

#include <string.h>

typedef struct accumulate_job {
    const eex_pointwise_kernels *kernels;
    const eex_op_pointwise *op;
    size_t n;
} accumulate_job;

static void accumulate_share(void *ctx, const eex_part *part)
{
    const accumulate_job *job = ctx;
    const eex_op_pointwise *op = job->op;
    size_t i, end;
    eex__cpu_range(&i, &end, job->n, 64, part->index, part->count);
    if (op->accumulate)
        job->kernels->accumulate(op->y + i, op->x + i, end - i);
    else if (end > i)
        memmove(op->y + i, op->x + i, (end - i) * sizeof *op->y);
}

static int accumulate_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_pointwise *pointwise = &op->u.pointwise;
    size_t n = (size_t)step->batch * (size_t)pointwise->size;
    accumulate_job job = {cpu->kernels->pointwise, pointwise, n};
    eex__cpu_parallel(cpu, 0.3 * (double)n, accumulate_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_accumulate = {.run = accumulate_run};
