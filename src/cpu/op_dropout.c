/* Dropout. The mask is a hash of (seed, step, layer, element), so that the backward pass makes the
 * same one again instead of keeping it. */
#include "cpu/cpu.h"
#include "cpu/kernels/pointwise.h"
#include "cpu/range.h"

#include "base/rng.h"
#include "base/status.h"

typedef struct dropout_job {
    const eex_pointwise_kernels *kernels;
    const eex_op_pointwise *op;
    size_t n;
    uint64_t key;
} dropout_job;

static void dropout_share(void *ctx, const eex_part *part)
{
    const dropout_job *job = ctx;
    const eex_op_pointwise *op = job->op;
    float scale = op->p < 1.0f ? 1.0f / (1.0f - op->p) : 0.0f;
    uint64_t threshold = (uint64_t)((double)op->p * 0x1p32);
    size_t i, end;
    eex__cpu_range(&i, &end, job->n, 64, part->index, part->count);
    job->kernels->dropout(op->y + i, op->x + i, end - i, i, job->key, threshold, scale,
                          op->accumulate);
}

static int dropout_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    float p = op->u.pointwise.p;
    if (!(p >= 0.0f && p <= 1.0f))
        return eex_fail(EEX_EINVAL, "dropout \"%s\": probability %g, expected 0 to 1",
                        op->name ? op->name : "?", (double)p);
    return EEX_OK;
}

static int dropout_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_pointwise *pointwise = &op->u.pointwise;
    size_t n = (size_t)step->batch * (size_t)pointwise->size;
    uint64_t key = eex_rng_hash(step->seed, pointwise->salt, step->step);
    dropout_job job = {cpu->kernels->pointwise, pointwise, n, key};
    eex__cpu_parallel(cpu, 1.0 * (double)n, dropout_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_dropout = {.prepare = dropout_prepare, .run = dropout_run};
