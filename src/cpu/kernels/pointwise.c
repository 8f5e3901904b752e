#include "cpu/kernels/pointwise.h"

#include "cpu/kernels/act.h"
#include "cpu/kernels/kernels.h"

#include "base/rng.h"

/* Vectors start at multiples of V_WIDTH from the start of the array; the last is a part of one. */
static int lanes_at(size_t i, size_t n)
{
    return n - i < V_WIDTH ? (int)(n - i) : V_WIDTH;
}

V_INLINE void act_all(float *y, const float *x, size_t n, const eex_act act)
{
    size_t i = 0;
    for (; i + V_WIDTH <= n; i += V_WIDTH)
        v_store(y + i, v_act(v_load(x + i), act));
    if (i < n)
        v_store_n(y + i, v_act(v_load_n(x + i, lanes_at(i, n)), act), lanes_at(i, n));
}

/* Calls all(..., act) with a constant for the act at hand. */
#define WITH_ACT(act, all, ...)                  \
    do {                                         \
        switch (act) {                           \
        case EEX_ACT_NONE:                       \
            all(__VA_ARGS__, EEX_ACT_NONE);      \
            break;                               \
        case EEX_ACT_RELU:                       \
            all(__VA_ARGS__, EEX_ACT_RELU);      \
            break;                               \
        case EEX_ACT_RELU6:                      \
            all(__VA_ARGS__, EEX_ACT_RELU6);     \
            break;                               \
        case EEX_ACT_H_SWISH:                    \
            all(__VA_ARGS__, EEX_ACT_H_SWISH);   \
            break;                               \
        case EEX_ACT_H_SIGMOID:                  \
            all(__VA_ARGS__, EEX_ACT_H_SIGMOID); \
            break;                               \
        case EEX_ACT_SIGMOID:                    \
            all(__VA_ARGS__, EEX_ACT_SIGMOID);   \
            break;                               \
        case EEX_ACT_SILU:                       \
            all(__VA_ARGS__, EEX_ACT_SILU);      \
            break;                               \
        }                                        \
    } while (0)

static void act(float *y, const float *x, size_t n, eex_act act)
{
    WITH_ACT(act, act_all, y, x, n);
}

V_INLINE void add_all(float *y, const float *a, const float *b, size_t n, const eex_act act)
{
    size_t i = 0;
    for (; i + V_WIDTH <= n; i += V_WIDTH)
        v_store(y + i, v_act(v_load(a + i) + v_load(b + i), act));
    if (i < n) {
        int left = lanes_at(i, n);
        v_store_n(y + i, v_act(v_load_n(a + i, left) + v_load_n(b + i, left), act), left);
    }
}

static void add(float *y, const float *x, const float *x2, size_t n, eex_act act)
{
    WITH_ACT(act, add_all, y, x, x2, n);
}

static void accumulate(float *y, const float *x, size_t n)
{
    add_all(y, y, x, n, EEX_ACT_NONE);
}

V_INLINE void act_bwd_all(float *dx, const float *dy, const float *ref, size_t n, const bool more,
                          const eex_act act)
{
    for (size_t i = 0; i < n; i += V_WIDTH) {
        int lanes = lanes_at(i, n);
        vec d = v_act_slope(v_load_n(dy + i, lanes), v_load_n(ref + i, lanes), act);
        v_store_n(dx + i, more ? v_load_n(dx + i, lanes) + d : d, lanes);
    }
}

static void act_bwd(float *dx, const float *dy, const float *ref, size_t n, eex_act act,
                    bool accumulate)
{
    if (accumulate)
        WITH_ACT(act, act_bwd_all, dx, dy, ref, n, true);
    else
        WITH_ACT(act, act_bwd_all, dx, dy, ref, n, false);
}

/* Written as plain loops over integers: the compiler turns them into vectors of 64 bits. */
static void dropout(float *y, const float *x, size_t n, size_t first, uint64_t key,
                    uint64_t threshold, float scale, bool accumulate)
{
    enum { CHUNK = 64 };
    float factor[CHUNK];
    for (size_t i = 0; i < n; i += CHUNK) {
        for (size_t j = 0; j < CHUNK; j++) {
            uint64_t counter = first + i + j + 1;
            uint64_t h = eex_rng_mix(key + UINT64_C(0x9e3779b97f4a7c15) * counter);
            factor[j] = (h >> 32) >= threshold ? scale : 0.0f;
        }
        size_t count = n - i < CHUNK ? n - i : CHUNK;
        for (size_t j = 0; j < count; j++)
            y[i + j] = accumulate ? y[i + j] + x[i + j] * factor[j] : x[i + j] * factor[j];
    }
}

extern const eex_pointwise_kernels EEX_KERNEL(eex__pointwise_kernels);
const eex_pointwise_kernels EEX_KERNEL(eex__pointwise_kernels) = {
    .act = act,
    .add = add,
    .accumulate = accumulate,
    .act_bwd = act_bwd,
    .dropout = dropout,
};
