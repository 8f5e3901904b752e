/* Batch norm with the batch's statistics. They come from the convolution in front where it took
 * them along, else from a pass of their own that subtracts the first pixel from all: sums of
 * squares of values far from zero would lose the variance. */
#include "cpu/bn.h"
#include "cpu/kernels/norm.h"
#include "cpu/range.h"

#include "base/status.h"

#include <math.h>
#include <string.h>

typedef struct sums_job {
    const eex_norm_kernels *kernels;
    const eex_op_bn *op;
    const eex_bn_scratch *s;
    size_t n;
} sums_job;

static void sums_share(void *ctx, const eex_part *part)
{
    const sums_job *job = ctx;
    size_t period = (size_t)job->s->period, begin, end;
    double *sums = job->s->parts + 2 * (size_t)part->index * period;
    memset(sums, 0, 2 * period * sizeof *sums);
    eex__cpu_range(&begin, &end, job->n, period, part->index, part->count);
    for (size_t at = begin; at < end; at += job->s->block) {
        size_t n = end - at < job->s->block ? end - at : job->s->block;
        job->kernels->sums(sums, job->op->x + at, job->s->mean, n, job->s->period);
    }
}

static void sums_of_batch(eex_cpu *cpu, const eex_op_bn *op, const eex_bn_scratch *s, size_t n)
{
    sums_job job = {cpu->kernels->norm, op, s, n};
    memcpy(s->mean, op->x, (size_t)s->c * sizeof *s->mean);
    eex__bn_repeat(s, s->mean);
    eex__bn_sums(cpu, s, n, 0.2 * (double)n, sums_share, &job);
}

/* sums are of x - shift (shift NULL: of x). Writes the saved and moves the running statistics. */
static void statistics(const eex_op_bn *op, const double *sums, const float *shift, double pixels)
{
    double unbias = pixels > 1 ? pixels / (pixels - 1) : 1.0;
    double momentum = op->momentum;
    for (int j = 0; j < op->c; j++) {
        double from_shift = sums[j] / pixels;
        double mean = from_shift + (shift ? (double)shift[j] : 0.0);
        double var = sums[op->c + j] / pixels - from_shift * from_shift;
        var = var < 0 ? 0 : var;
        op->save_mean[j] = (float)mean;
        op->save_invstd[j] = (float)(1.0 / sqrt(var + (double)op->eps));
        op->running_mean[j] = (float)((1 - momentum) * op->running_mean[j] + momentum * mean);
        op->running_var[j] = (float)((1 - momentum) * op->running_var[j] + momentum * var * unbias);
    }
}

static int bn_train_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    return eex__bn_reserve(cpu, op->u.bn.c);
}

static int bn_train_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_bn *bn = &op->u.bn;
    eex_bn_scratch s = eex__bn_scratch(cpu, bn->c);
    size_t pixels = (size_t)step->batch * (size_t)bn->hw, n = pixels * (size_t)bn->c;
    if (!bn->stats)
        sums_of_batch(cpu, bn, &s, n);
    statistics(bn, bn->stats ? bn->stats : s.sums, bn->stats ? NULL : s.mean, (double)pixels);
    eex__bn_affine(&s, bn->gamma, bn->beta, bn->save_mean, bn->save_invstd);
    eex__bn_apply(cpu, bn, &s, n);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_bn_train = {.prepare = bn_train_prepare, .run = bn_train_run};
