/* One vector of floats of the instruction set that a kernel is compiled for. For kernels only.
 *
 * GCC's vector extensions give + - * / and comparisons; here are the rest. `v_fma` is one rounding
 * where the instruction set has it, and the tail forms run the same arithmetic on the same lanes as
 * the full ones, so a value does not depend on where in a vector it is computed. */
#ifndef EEX_CPU_KERNELS_VEC_H
#define EEX_CPU_KERNELS_VEC_H

#include <string.h>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define V_WIDTH 16
#elif defined(__AVX2__)
#define V_WIDTH 8
#else
#define V_WIDTH 4
#endif

typedef float vec __attribute__((vector_size(V_WIDTH * 4)));
typedef int vec_int __attribute__((vector_size(V_WIDTH * 4))); /* comparisons: 0 or -1 a lane */

static inline vec v_load(const float *p)
{
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void v_store(float *p, vec v)
{
    memcpy(p, &v, sizeof v);
}

/* The first n lanes, 0 <= n <= V_WIDTH; the others are 0 and their memory is not touched. */
static inline vec v_load_n(const float *p, int n)
{
#if defined(__AVX512F__)
    return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#else
    vec v = {0};
    if (n == V_WIDTH)
        return v_load(p);
    for (int i = 0; i < n; i++)
        v[i] = p[i];
    return v;
#endif
}

static inline void v_store_n(float *p, vec v, int n)
{
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#else
    if (n == V_WIDTH) {
        v_store(p, v);
        return;
    }
    for (int i = 0; i < n; i++)
        p[i] = v[i];
#endif
}

static inline vec v_zero(void)
{
    return (vec){0};
}

static inline vec v_set(float a)
{
    return a - (vec){0};
}

static inline vec v_fma(vec a, vec b, vec c) /* a * b + c */
{
#if defined(__AVX512F__)
    return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
    return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return a * b + c;
#endif
}

/* yes where the mask is -1, no where it is 0. */
static inline vec v_pick(vec_int mask, vec yes, vec no)
{
    return (vec)(((vec_int)yes & mask) | ((vec_int)no & ~mask));
}

/* Lane by lane: a where the mask (a comparison's result) is -1, b where it is 0. */
static inline vec v_select(vec_int mask, vec a, vec b)
{
    return (vec)((mask & (vec_int)a) | (~mask & (vec_int)b));
}

/* NaN in a stays NaN, as in the reference a < b ? b : a. */
static inline vec v_max(vec a, vec b)
{
#if defined(__AVX512F__)
    return (vec)_mm512_max_ps((__m512)b, (__m512)a);
#elif defined(__AVX2__)
    return (vec)_mm256_max_ps((__m256)b, (__m256)a);
#else
    return v_pick(a < b, b, a);
#endif
}

static inline vec v_min(vec a, vec b)
{
#if defined(__AVX512F__)
    return (vec)_mm512_min_ps((__m512)b, (__m512)a);
#elif defined(__AVX2__)
    return (vec)_mm256_min_ps((__m256)b, (__m256)a);
#else
    return v_pick(b < a, b, a);
#endif
}

/* Sum of the lanes, always in the same order. */
static inline float v_sum(vec a)
{
    float part[V_WIDTH];
    memcpy(part, &a, sizeof part);
    for (int half = V_WIDTH / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            part[i] += part[i + half];
    return part[0];
}

#endif
