/* Every value to the nearest of a few levels. */
#include "cpu/cpu.h"
#include "cpu/range.h"
#include "device/quantise.h"

#include "base/status.h"

typedef struct quantise_job {
    const eex_op_quantise *op;
    size_t n;
} quantise_job;

static void quantise_share(void *ctx, const eex_part *part)
{
    const quantise_job *job = ctx;
    const eex_op_quantise *op = job->op;
    const float low = op->range[0], high = op->range[1];
    size_t i, end;
    eex__cpu_range(&i, &end, job->n, 64, part->index, part->count);
    for (; i < end; i++)
        op->y[i] = eex_quantise_level(eex_quantise_code(op->x[i], op->bits, low, high), op->bits,
                                      low, high);
}

static int quantise_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    quantise_job job = {&op->u.quantise, (size_t)step->batch * (size_t)op->u.quantise.size};
    eex__cpu_parallel(cpu, 10 * (double)job.n, quantise_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_quantise = {.run = quantise_run};
