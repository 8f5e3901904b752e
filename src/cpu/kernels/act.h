/* Activations on vectors, for kernels. `act` is a constant at every call, so that the loop around
 * has no branch. NaN passes through all of them: a diverged network must not look like a dead one.
 */
#ifndef EEX_CPU_KERNELS_ACT_H
#define EEX_CPU_KERNELS_ACT_H

#include "cpu/kernels/vec.h"
#include "device/op.h"

#define V_INLINE static inline __attribute__((always_inline))

V_INLINE vec v_act(vec z, const eex_act act)
{
    if (act == EEX_ACT_NONE)
        return z;
    z = v_max(z, v_zero());
    return act == EEX_ACT_RELU6 ? v_min(z, v_set(6.0f)) : z;
}

V_INLINE vec v_and(vec a, vec_int mask)
{
    return (vec)((vec_int)a & mask);
}

/* dy where act's slope at output y is one, else 0. */
V_INLINE vec v_act_slope(vec dy, vec y, const eex_act act)
{
    if (act == EEX_ACT_NONE)
        return dy;
    dy = v_and(dy, y > v_zero());
    return act == EEX_ACT_RELU6 ? v_and(dy, y < v_set(6.0f)) : dy;
}

#endif
