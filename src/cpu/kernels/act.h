/* Activations on vectors, for kernels. `act` is a constant at every call, so that the loop around
 * has no branch. NaN passes through all of them: a diverged network must not look like a dead one.
 */
#ifndef EEX_CPU_KERNELS_ACT_H
#define EEX_CPU_KERNELS_ACT_H

#include "cpu/kernels/vec.h"
#include "device/op.h"

#define V_INLINE static inline __attribute__((always_inline))

/* exp(x) for x <= 88, to about two units in the last place: x = k ln 2 + r with |r| <= ln 2 / 2, a
 * polynomial in r, and k put into the exponent. Below the smallest normal number it is 0. Adding
 * 1.5 * 2^23 leaves k in the low bits of the sum. */
V_INLINE vec v_exp(vec x)
{
    const float magic = 12582912.0f;
    vec_int tiny = x < v_set(-87.33654f);
    vec t = v_fma(v_set(1.44269504088896341f), x, v_set(magic));
    vec k = t - v_set(magic);
    vec r = v_fma(k, v_set(-0.693145751953125f), x);
    r = v_fma(k, v_set(-1.42860682030941723e-6f), r);
    vec p = v_set(1.0f / 5040);
    p = v_fma(p, r, v_set(1.0f / 720));
    p = v_fma(p, r, v_set(1.0f / 120));
    p = v_fma(p, r, v_set(1.0f / 24));
    p = v_fma(p, r, v_set(1.0f / 6));
    p = v_fma(p, r, v_set(0.5f));
    p = v_fma(p, r, v_set(1.0f));
    p = v_fma(p, r, v_set(1.0f));
    vec_int bits = ((vec_int)t - (vec_int)v_set(magic) + 127) << 23;
    return v_pick(tiny, v_zero(), p * (vec)bits);
}

/* NaN in x stays NaN. */
V_INLINE vec v_sigmoid(vec x)
{
    return v_set(1.0f) / (v_set(1.0f) + v_exp(v_min(-x, v_set(88.0f))));
}

/* The sigmoid is never quite 0, which matters to what is multiplied with it. */
V_INLINE vec v_silu(vec x)
{
    vec y = x / (v_set(1.0f) + v_exp(v_min(-x, v_set(88.0f))));
    return v_pick(x < v_set(-87.0f), v_zero(), y);
}

V_INLINE vec v_h_sigmoid(vec x)
{
    return v_min(v_max(x + v_set(3.0f), v_zero()), v_set(6.0f)) * v_set(1.0f / 6);
}

V_INLINE vec v_act(vec z, const eex_act act)
{
    switch (act) {
    case EEX_ACT_RELU:
        return v_max(z, v_zero());
    case EEX_ACT_RELU6:
        return v_min(v_max(z, v_zero()), v_set(6.0f));
    case EEX_ACT_H_SWISH:
        return z * v_h_sigmoid(z);
    case EEX_ACT_H_SIGMOID:
        return v_h_sigmoid(z);
    case EEX_ACT_SIGMOID:
        return v_sigmoid(z);
    case EEX_ACT_SILU:
        return v_silu(z);
    default:
        return z;
    }
}

V_INLINE vec v_and(vec a, vec_int mask)
{
    return (vec)((vec_int)a & mask);
}

/* The slope of h-swish: 0 up to -3, 1 from 3 on, x / 3 + 1/2 between. */
V_INLINE vec v_h_swish_slope(vec x)
{
    vec slope = v_fma(x, v_set(1.0f / 3), v_set(0.5f));
    slope = v_pick(x <= v_set(-3.0f), v_zero(), slope);
    return v_pick(x >= v_set(3.0f), v_set(1.0f), slope);
}

V_INLINE vec v_silu_slope(vec x)
{
    vec s = v_sigmoid(x);
    return v_pick(x < v_set(-87.0f), v_zero(), v_fma(x, s - s * s, s));
}

/* dy times act's slope at `ref`, see eex_op_pointwise: the output of a clamp, the input of others.
 */
V_INLINE vec v_act_slope(vec dy, vec ref, const eex_act act)
{
    vec s;
    switch (act) {
    case EEX_ACT_RELU:
        return v_and(dy, ref > v_zero());
    case EEX_ACT_RELU6:
        return v_and(v_and(dy, ref > v_zero()), ref < v_set(6.0f));
    case EEX_ACT_H_SWISH:
        return dy * v_h_swish_slope(ref);
    case EEX_ACT_H_SIGMOID:
        return v_and(dy * v_set(1.0f / 6), (ref > v_set(-3.0f)) & (ref < v_set(3.0f)));
    case EEX_ACT_SIGMOID:
        s = v_sigmoid(ref);
        return dy * (s - s * s);
    case EEX_ACT_SILU:
        return dy * v_silu_slope(ref);
    default:
        return dy;
    }
}

#endif
