/* Channels from one tensor into another. */
#include "cpu/cpu.h"
#include "cpu/kernels/columns.h"
#include "cpu/range.h"

#include "base/status.h"

typedef struct columns_job {
    const eex_columns_kernels *kernels;
    const eex_op_columns *op;
    size_t rows;
} columns_job;

static void columns_share(void *ctx, const eex_part *part)
{
    const columns_job *job = ctx;
    const eex_op_columns *op = job->op;
    size_t i, end;
    eex__cpu_range(&i, &end, job->rows, 1, part->index, part->count);
    job->kernels->move(op->y + i * (size_t)op->y_c + op->y_first,
                       op->x + i * (size_t)op->x_c + op->x_first, end - i, op->y_c, op->x_c,
                       op->count, op->accumulate);
}

static int columns_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_columns *columns = &op->u.columns;
    columns_job job = {cpu->kernels->columns, columns, (size_t)step->batch * (size_t)columns->hw};
    eex__cpu_parallel(cpu, 0.3 * (double)job.rows * columns->count, columns_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_columns = {.run = columns_run};
