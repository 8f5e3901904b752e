/* One step of an optimiser over a flat run of parameters. n is a multiple of 16, and decay has one
 * byte for each 16 parameters. */
#ifndef EEX_CPU_KERNELS_OPTIM_H
#define EEX_CPU_KERNELS_OPTIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct eex_sgd_step {
    float lr, momentum, weight_decay;
    float clip; /* factor on the gradient */
    bool nesterov;
} eex_sgd_step;

typedef struct eex_adamw_step {
    float lr, beta1, beta2, eps, weight_decay;
    float clip;
    float step_size; /* lr / (1 - beta1^t) */
    float v_scale;   /* 1 / sqrt(1 - beta2^t) */
} eex_adamw_step;

struct eex_optim_kernels {
    double (*sum_of_squares)(const float *g, size_t n);

    /* To -most..most; NaN stays NaN. */
    void (*clamp)(float *g, size_t n, float most);

    /* m may be NULL when there is no momentum. */
    void (*sgd)(float *w, const float *g, float *m, const uint8_t *decay, size_t n,
                const eex_sgd_step *step);
    void (*adamw)(float *w, const float *g, float *m, float *v, const uint8_t *decay, size_t n,
                  const eex_adamw_step *step);

    /* average = keep * average + (1 - keep) * w. */
    void (*ema)(float *average, const float *w, size_t n, float keep);
};

#endif
