#include "cpu/kernels/optim.h"

#include "cpu/kernels/act.h"
#include "cpu/kernels/kernels.h"

#include <math.h>

enum { BLOCK = 1024 }; /* squares summed in float before they go to double */

static double sum_of_squares(const float *g, size_t n)
{
    double total = 0;
    for (size_t i = 0; i < n; i += BLOCK) {
        size_t end = n - i < BLOCK ? n : i + BLOCK;
        vec part = v_zero();
        for (size_t j = i; j < end; j += V_WIDTH)
            part = v_fma(v_load(g + j), v_load(g + j), part);
        for (int lane = 0; lane < V_WIDTH; lane++)
            total += part[lane];
    }
    return total;
}

static void clamp(float *g, size_t n, float most)
{
    for (size_t i = 0; i < n; i++)
        g[i] = g[i] > most ? most : g[i] < -most ? -most : g[i];
}

V_INLINE void sgd_all(float *w, const float *g, float *m, const uint8_t *decay, size_t n,
                      const eex_sgd_step *s, const bool momentum, const bool nesterov)
{
    const vec clip = v_set(s->clip), mu = v_set(s->momentum), down = v_set(-s->lr);
    for (size_t i = 0; i < n; i += V_WIDTH) {
        vec shrink = v_set(decay[i / 16] ? s->weight_decay : 0.0f);
        vec value = v_load(w + i);
        vec d = v_fma(shrink, value, v_load(g + i) * clip);
        if (momentum) {
            vec moved = v_fma(mu, v_load(m + i), d);
            v_store(m + i, moved);
            d = nesterov ? v_fma(mu, moved, d) : moved;
        }
        v_store(w + i, v_fma(down, d, value));
    }
}

static void sgd(float *w, const float *g, float *m, const uint8_t *decay, size_t n,
                const eex_sgd_step *step)
{
    if (!m)
        sgd_all(w, g, m, decay, n, step, false, false);
    else if (step->nesterov)
        sgd_all(w, g, m, decay, n, step, true, true);
    else
        sgd_all(w, g, m, decay, n, step, true, false);
}

static void adamw(float *w, const float *g, float *m, float *v, const uint8_t *decay, size_t n,
                  const eex_adamw_step *s)
{
    const float beta1 = s->beta1, beta2 = s->beta2;
    for (size_t i = 0; i < n; i += 16) {
        float keep = decay[i / 16] ? 1.0f - s->lr * s->weight_decay : 1.0f;
        for (size_t j = i; j < i + 16; j++) {
            float d = g[j] * s->clip;
            m[j] = beta1 * m[j] + (1.0f - beta1) * d;
            v[j] = beta2 * v[j] + (1.0f - beta2) * d * d;
            w[j] = w[j] * keep - s->step_size * m[j] / (sqrtf(v[j]) * s->v_scale + s->eps);
        }
    }
}

static void ema(float *average, const float *w, size_t n, float keep)
{
    const vec old = v_set(keep), new = v_set(1.0f - keep);
    for (size_t i = 0; i < n; i += V_WIDTH)
        v_store(average + i, v_fma(old, v_load(average + i), new *v_load(w + i)));
}

extern const eex_optim_kernels EEX_KERNEL(eex__optim_kernels);
const eex_optim_kernels EEX_KERNEL(eex__optim_kernels) = {
    .sum_of_squares = sum_of_squares,
    .clamp = clamp,
    .sgd = sgd,
    .adamw = adamw,
    .ema = ema,
};
