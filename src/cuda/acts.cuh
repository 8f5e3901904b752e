/* All activations and their slopes, for ops that are nothing else. NaN passes through each. */
#ifndef EEX_CUDA_ACTS_CUH
#define EEX_CUDA_ACTS_CUH

#include "cuda/kernel.cuh"

__device__ static inline float eex_h_sigmoid(float x)
{
    float y = x <= -3.0f ? 0.0f : x + 3.0f;
    return (y >= 6.0f ? 6.0f : y) * (1.0f / 6);
}

__device__ static inline float eex_sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

__device__ static inline float eex_act_any(eex_act act, float x)
{
    switch (act) {
    case EEX_ACT_H_SWISH:
        return x * eex_h_sigmoid(x);
    case EEX_ACT_H_SIGMOID:
        return eex_h_sigmoid(x);
    case EEX_ACT_SIGMOID:
        return eex_sigmoid(x);
    case EEX_ACT_SILU:
        return x < -87.0f ? 0.0f : x / (1.0f + expf(-x));
    default:
        return eex_act_apply(act, x);
    }
}

/* dy times the slope at `ref`: the output of an act that fuses, the input of any other. */
__device__ static inline float eex_act_back(eex_act act, float dy, float ref)
{
    float s;
    switch (act) {
    case EEX_ACT_H_SWISH:
        return ref <= -3.0f ? 0.0f : ref >= 3.0f ? dy : dy * (ref * (1.0f / 3) + 0.5f);
    case EEX_ACT_H_SIGMOID:
        return ref > -3.0f && ref < 3.0f ? dy * (1.0f / 6) : 0.0f;
    case EEX_ACT_SIGMOID:
        s = eex_sigmoid(ref);
        return dy * (s - s * s);
    case EEX_ACT_SILU:
        s = eex_sigmoid(ref);
        return dy * (s + ref * (s - s * s));
    default:
        return eex_act_mask(act, ref) > 0 ? dy : 0.0f;
    }
}

#endif
