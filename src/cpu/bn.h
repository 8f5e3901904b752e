/* What the batch norm ops share. Kernels see tensors as repetitions of a period of several pixels
 * (kernels/norm.h), so everything per channel is expanded to that length. */
#ifndef EEX_CPU_BN_H
#define EEX_CPU_BN_H

#include "cpu/cpu.h"

/* Coefficients and sums of one run; all point into the device's scratch buffer. */
typedef struct eex_bn_scratch {
    int c, period;
    size_t block;          /* elements of a second pass at a time: whole periods */
    double *parts;         /* (EEX_CPU_SUMS, 2, period) */
    double *sums;          /* (2, c) */
    float *scale, *offset; /* (period) each, expanded, as is all that follows */
    float *mean;           /* the mean, or the shift while sums are taken */
    float *a, *b, *k;
} eex_bn_scratch;

/* For prepare: makes the device's scratch buffer large enough. */
int eex__bn_reserve(eex_cpu *cpu, int c);

/* For run: the parts of the scratch buffer. */
eex_bn_scratch eex__bn_scratch(eex_cpu *cpu, int c);

/* Repeats the first c values up to the period, in place. */
void eex__bn_repeat(const eex_bn_scratch *s, float *values);

/* scale = gamma * invstd, offset = beta - mean * scale, expanded. One place only, so that backward
 * finds the very same values as forward. */
void eex__bn_affine(const eex_bn_scratch *s, const float *gamma, const float *beta,
                    const float *mean, const float *invstd);

/* invstd (c) = 1 / sqrt(var + eps). */
void eex__bn_invstd(float *invstd, const float *var, int c, float eps);

/* Runs fn for parts of n elements, each of which leaves its sums in s->parts; s->sums are then
 * those of all parts and of the repetitions in a period. work: as in cpu.h. */
void eex__bn_sums(eex_cpu *cpu, const eex_bn_scratch *s, size_t n, double work, eex_pool_fn fn,
                  void *ctx);

/* y = act(scale * x + offset + residual) over n elements. */
void eex__bn_apply(eex_cpu *cpu, const eex_op_bn *op, const eex_bn_scratch *s, size_t n);

#endif
