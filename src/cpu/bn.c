#include "cpu/bn.h"

#include "cpu/kernels/norm.h"
#include "cpu/range.h"

#include <math.h>
#include <string.h>

/* LEAST: periods of a part that sums are taken of, so that adding up the parts costs little. */
enum { VECTOR = 16, SHORTEST = 64, ARRAYS = 6, BLOCK = 1 << 17, LEAST = 256 };

/* The fewest repetitions of c that make whole vectors and rows worth a loop. */
static int period_of(int c)
{
    int period = c;
    while (period % VECTOR)
        period += c;
    while (period < SHORTEST)
        period *= 2;
    return period;
}

static size_t whole_lines(size_t floats)
{
    return (floats + VECTOR - 1) / VECTOR * VECTOR;
}

int eex__bn_reserve(eex_cpu *cpu, int c)
{
    size_t period = (size_t)period_of(c);
    size_t doubles = 2 * period * EEX_CPU_SUMS + 2 * whole_lines((size_t)c);
    return eex__cpu_reserve(cpu, doubles * sizeof(double) + ARRAYS * period * sizeof(float));
}

eex_bn_scratch eex__bn_scratch(eex_cpu *cpu, int c)
{
    eex_bn_scratch s = {.c = c, .period = period_of(c)};
    size_t period = (size_t)s.period;
    s.block = (BLOCK + period - 1) / period * period;
    s.parts = cpu->scratch;
    s.sums = s.parts + 2 * period * EEX_CPU_SUMS;
    s.scale = (float *)(s.sums + 2 * whole_lines((size_t)c));
    s.offset = s.scale + period;
    s.mean = s.offset + period;
    s.a = s.mean + period;
    s.b = s.a + period;
    s.k = s.b + period;
    return s;
}

void eex__bn_repeat(const eex_bn_scratch *s, float *values)
{
    for (int j = s->c; j < s->period; j += s->c)
        memcpy(values + j, values, (size_t)s->c * sizeof *values);
}

void eex__bn_affine(const eex_bn_scratch *s, const float *gamma, const float *beta,
                    const float *mean, const float *invstd)
{
    for (int j = 0; j < s->c; j++) {
        s->scale[j] = gamma[j] * invstd[j];
        s->offset[j] = beta[j] - mean[j] * s->scale[j];
    }
    eex__bn_repeat(s, s->scale);
    eex__bn_repeat(s, s->offset);
}

void eex__bn_invstd(float *invstd, const float *var, int c, float eps)
{
    for (int j = 0; j < c; j++)
        invstd[j] = (float)(1.0 / sqrt((double)var[j] + (double)eps));
}

static void fold(const eex_bn_scratch *s, int parts)
{
    memset(s->sums, 0, 2 * (size_t)s->c * sizeof *s->sums);
    for (int p = 0; p < parts; p++) {
        const double *part = s->parts + 2 * (size_t)p * (size_t)s->period;
        for (int j = 0; j < s->period; j += s->c)
            for (int i = 0; i < s->c; i++) {
                s->sums[i] += part[j + i];
                s->sums[s->c + i] += part[s->period + j + i];
            }
    }
}

void eex__bn_sums(eex_cpu *cpu, const eex_bn_scratch *s, size_t n, double work, eex_pool_fn fn,
                  void *ctx)
{
    const int parts = eex__cpu_sums((double)n / s->period, LEAST);
    eex__cpu_parts(cpu, eex__cpu_width(cpu, work), parts, fn, ctx);
    fold(s, parts);
}

typedef struct apply_job {
    const eex_norm_kernels *kernels;
    const eex_op_bn *op;
    const eex_bn_scratch *s;
    size_t n;
} apply_job;

static void apply_share(void *ctx, const eex_part *part)
{
    const apply_job *job = ctx;
    const eex_op_bn *op = job->op;
    size_t begin, end;
    eex__cpu_range(&begin, &end, job->n, (size_t)job->s->period, part->index, part->count);
    for (size_t at = end; at > begin;) {
        size_t from = eex__cpu_block_before(begin, at, job->s->block);
        job->kernels->apply(op->y + from, op->x + from, op->residual ? op->residual + from : NULL,
                            job->s->scale, job->s->offset, at - from, job->s->period, op->act);
        at = from;
    }
}

void eex__bn_apply(eex_cpu *cpu, const eex_op_bn *op, const eex_bn_scratch *s, size_t n)
{
    apply_job job = {cpu->kernels->norm, op, s, n};
    eex__cpu_parallel(cpu, 0.4 * (double)n, apply_share, &job);
}
