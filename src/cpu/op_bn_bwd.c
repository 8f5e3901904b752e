/* Backward of batch norm, in two passes. With dz the gradient in front of the activation and
 * d = x - mean, over P pixels:
 *
 *   dbeta = sum dz,   dgamma = invstd * sum dz d,
 *   dx = gamma invstd (dz - sum dz / P - d invstd^2 sum dz d / P).
 *
 * Both passes go through blocks of the tensor, the second from behind, where the caches still hold
 * what the first has read. The first takes both sums and writes the residual's gradient, which is
 * dz; the second then reads that instead of dy and y. Without a residual the slope of the
 * activation is found from x again, which saves reading y. */
#include "cpu/bn.h"
#include "cpu/kernels/norm.h"
#include "cpu/range.h"

#include "base/status.h"

#include <string.h>

typedef struct bwd_job {
    const eex_norm_kernels *kernels;
    const eex_op_bn_bwd *op;
    const eex_bn_scratch *s;
    const float *dy; /* of the second pass */
    eex_norm_mask mask;
    size_t n;
} bwd_job;

static eex_norm_mask mask_at(const eex_norm_mask *mask, size_t begin)
{
    eex_norm_mask at = *mask;
    if (at.y)
        at.y += begin;
    return at;
}

static void sums_share(void *ctx, const eex_part *part)
{
    const bwd_job *job = ctx;
    const eex_op_bn_bwd *op = job->op;
    size_t period = (size_t)job->s->period, begin, end;
    double *sums = job->s->parts + 2 * (size_t)part->index * period;
    memset(sums, 0, 2 * period * sizeof *sums);
    eex__cpu_range(&begin, &end, job->n, period, part->index, part->count);
    for (size_t at = begin; at < end; at += job->s->block) {
        eex_norm_mask mask = mask_at(&job->mask, at);
        size_t n = end - at < job->s->block ? end - at : job->s->block;
        job->kernels->bwd_sums(sums, op->dresidual ? op->dresidual + at : NULL,
                               op->dresidual_accumulate, op->dy + at, op->x + at, job->s->mean,
                               &mask, n, job->s->period);
    }
}

static void apply_share(void *ctx, const eex_part *part)
{
    const bwd_job *job = ctx;
    const eex_bn_scratch *s = job->s;
    size_t begin, end;
    eex__cpu_range(&begin, &end, job->n, (size_t)s->period, part->index, part->count);
    for (size_t at = end; at > begin;) {
        size_t from = eex__cpu_block_before(begin, at, s->block);
        eex_norm_mask mask = mask_at(&job->mask, from);
        job->kernels->bwd_apply(job->op->dx + from, job->dy + from, job->op->x + from, s->mean,
                                &mask, s->a, s->b, s->k, at - from, s->period);
        at = from;
    }
}

/* Fills mean, scale and offset of the scratch; leaves 1 / deviation in a. */
static void load_statistics(const eex_op_bn_bwd *op, const eex_bn_scratch *s)
{
    size_t bytes = (size_t)s->c * sizeof(float);
    memcpy(s->mean, op->batch_stats ? op->save_mean : op->running_mean, bytes);
    if (op->batch_stats)
        memcpy(s->a, op->save_invstd, bytes);
    else
        eex__bn_invstd(s->a, op->running_var, s->c, op->eps);
    eex__bn_affine(s, op->gamma, op->beta, s->mean, s->a);
    eex__bn_repeat(s, s->mean);
}

static void store_gradients(const eex_op_bn_bwd *op, const eex_bn_scratch *s)
{
    for (int j = 0; j < s->c; j++) {
        float dgamma = (float)(s->sums[s->c + j] * s->a[j]), dbeta = (float)s->sums[j];
        if (op->dgamma)
            op->dgamma[j] = op->accumulate ? op->dgamma[j] + dgamma : dgamma;
        if (op->dbeta)
            op->dbeta[j] = op->accumulate ? op->dbeta[j] + dbeta : dbeta;
    }
}

/* From 1 / deviation in a to the coefficients of dx = a dz + b (x - mean) + k. */
static void load_coefficients(const eex_op_bn_bwd *op, const eex_bn_scratch *s, double pixels)
{
    for (int j = 0; j < s->c; j++) {
        double invstd = s->a[j], a = op->gamma[j] * invstd;
        s->a[j] = (float)a;
        s->b[j] = 0;
        s->k[j] = 0;
        if (op->batch_stats) {
            s->b[j] = (float)(-a * invstd * invstd * s->sums[s->c + j] / pixels);
            s->k[j] = (float)(-a * s->sums[j] / pixels);
        }
    }
    eex__bn_repeat(s, s->a);
    eex__bn_repeat(s, s->b);
    eex__bn_repeat(s, s->k);
}

static int bn_bwd_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    return eex__bn_reserve(cpu, op->u.bn_bwd.c);
}

static int bn_bwd_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_bn_bwd *bn = &op->u.bn_bwd;
    eex_bn_scratch s = eex__bn_scratch(cpu, bn->c);
    size_t pixels = (size_t)step->batch * (size_t)bn->hw, n = pixels * (size_t)bn->c;
    bwd_job job = {cpu->kernels->norm, bn, &s, bn->dy, {bn->act, NULL, s.scale, s.offset}, n};
    if (bn->has_residual)
        job.mask.y = bn->y;
    load_statistics(bn, &s);
    if (bn->batch_stats || bn->dgamma || bn->dbeta || bn->dresidual) {
        eex__bn_sums(cpu, &s, n, 0.4 * (double)n, sums_share, &job);
        store_gradients(bn, &s);
    }
    if (!bn->dx)
        return EEX_OK;
    if (bn->dresidual && !bn->dresidual_accumulate) {
        job.dy = bn->dresidual;
        job.mask.act = EEX_ACT_NONE;
    }
    load_coefficients(bn, &s, (double)pixels);
    eex__cpu_parallel(cpu, 0.5 * (double)n, apply_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_bn_bwd = {.prepare = bn_bwd_prepare, .run = bn_bwd_run};
