/* What every kernel file uses: launches, element types, packs of 16 bytes, sums over warps and
 * blocks.
 *
 * Kernels keep to CUDA 11.8 and compute capability 6.1; what newer chips do better is chosen here,
 * by __CUDA_ARCH__, and nowhere else. Compiled without nvcc (EEX_CUDA_EMULATED) the same files run
 * on the CPU, thread by thread, for the tests (tests/cuda/emulate.h).
 *
 * Rules for kernels: sums in a fixed order, so no floating-point atomics; every element that the op
 * documents is written whatever was there before; 64-bit indices where N * size may pass 2^31;
 * vector accesses only where the channel count and the pointers allow it (eex_vector_ok). */
#ifndef EEX_CUDA_KERNEL_CUH
#define EEX_CUDA_KERNEL_CUH

#define EEX_INLINE __host__ __device__ static inline

#ifdef EEX_CUDA_EMULATED
#include "cuda/emulate.h" /* tests/cuda */
#else
/* Kernel names with template arguments go in parentheses: EEX_LAUNCH((k<float, 3>), ...). */
#define EEX_LAUNCH(kernel, grid, block, shared, stream, ...) \
    (kernel<<<(grid), (block), (shared), (stream)>>>(__VA_ARGS__))
/* The dynamic shared memory of a kernel, as an array of `type` called `name`. */
#define EEX_DYNAMIC_SHARED(type, name)                            \
    extern __shared__ __align__(16) unsigned char eex_dynamic_[]; \
    type *name = reinterpret_cast<type *>(eex_dynamic_)
#endif

#include "cuda/cuda_device.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
#include <cuda_bf16.h>
#endif

enum { EEX_WARP = 32 };

/* ---- element types ---- */

/* A bfloat16 as it lies in memory. Arithmetic is float32. */
struct eex_bf16 {
    uint16_t bits;
};

__host__ __device__ static inline float eex_float(float value)
{
    return value;
}

__host__ __device__ static inline float eex_float(eex_bf16 value)
{
    uint32_t bits = (uint32_t)value.bits << 16;
    float out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

/* To nearest, ties to even; NaN stays NaN. */
__host__ __device__ static inline eex_bf16 eex_to_bf16(float value)
{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    eex_bf16 out;
    out.bits = __bfloat16_as_ushort(__float2bfloat16_rn(value));
    return out;
#else
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    eex_bf16 out;
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        out.bits = (uint16_t)((bits >> 16) | 0x40u);
    else
        out.bits = (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
    return out;
#endif
}

template <typename T> __host__ __device__ inline T eex_cast(float value);
template <> __host__ __device__ inline float eex_cast<float>(float value)
{
    return value;
}
template <> __host__ __device__ inline eex_bf16 eex_cast<eex_bf16>(float value)
{
    return eex_to_bf16(value);
}

/* ---- packs: 16 bytes at once, 4 floats or 8 bfloat16 ---- */

template <typename T> struct eex_pack {
    enum { COUNT = 16 / (int)sizeof(T) };
};

struct alignas(16) eex_bits16 {
    uint32_t word[4];
};

/* Reads and writes a pack at a 16-byte aligned address as floats. */
template <typename T>
__host__ __device__ static inline void eex_load(float (&to)[eex_pack<T>::COUNT], const T *from)
{
    eex_bits16 raw = *reinterpret_cast<const eex_bits16 *>(from);
    T values[eex_pack<T>::COUNT];
    memcpy(values, &raw, sizeof raw);
#pragma unroll
    for (int i = 0; i < eex_pack<T>::COUNT; i++)
        to[i] = eex_float(values[i]);
}

template <typename T>
__host__ __device__ static inline void eex_save(T *to, const float (&from)[eex_pack<T>::COUNT])
{
    eex_bits16 raw;
    T values[eex_pack<T>::COUNT];
#pragma unroll
    for (int i = 0; i < eex_pack<T>::COUNT; i++)
        values[i] = eex_cast<T>(from[i]);
    memcpy(&raw, values, sizeof raw);
    *reinterpret_cast<eex_bits16 *>(to) = raw;
}

/* Whether rows of c elements at p can be read in packs. p may be NULL. */
template <typename T> static inline bool eex_vector_ok(int c, const void *p)
{
    return c % eex_pack<T>::COUNT == 0 && (uintptr_t)p % 16 == 0;
}

/* ---- arithmetic that several kernels share ---- */

/* Activations that fuse (acts.cuh has all). NaN passes. */
__host__ __device__ static inline float eex_act_apply(eex_act act, float value)
{
    if (act == EEX_ACT_NONE)
        return value;
    float y = value > 0 ? value : (value == value ? 0.0f : value);
    return act == EEX_ACT_RELU6 && y > 6.0f ? 6.0f : y;
}

/* 1 where the gradient passes, from the forward's output. */
__host__ __device__ static inline float eex_act_mask(eex_act act, float y)
{
    if (act == EEX_ACT_NONE)
        return 1.0f;
    return y > 0.0f && !(act == EEX_ACT_RELU6 && y >= 6.0f) ? 1.0f : 0.0f;
}

/* ---- sums ---- */

/* The sum over a full warp, in every lane, always in the same order. */
template <typename T> __device__ static inline T eex_warp_sum(T value)
{
#pragma unroll
    for (int offset = EEX_WARP / 2; offset > 0; offset /= 2)
        value += __shfl_xor_sync(0xffffffffu, value, offset);
    return value;
}

template <typename T> __device__ static inline T eex_warp_max(T value)
{
#pragma unroll
    for (int offset = EEX_WARP / 2; offset > 0; offset /= 2) {
        T other = __shfl_xor_sync(0xffffffffu, value, offset);
        value = other > value ? other : value;
    }
    return value;
}

/* ---- tensor cores: bfloat16 in, float32 out, a full warp together ---- */

/* Loads four 8 x 8 matrices from shared memory, transposed. Lane i says where row i % 8 of matrix
 * i / 8 begins, at 16 bytes; it gets of each matrix, in one word, what columns i / 4 of rows
 * 2 * (i % 4) and the next have. */
__device__ static inline void eex_load_transposed(uint32_t (&to)[4], const eex_bits16 *row)
{
#if defined(EEX_CUDA_EMULATED)
    emulate::load_transposed(to, row);
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"((unsigned)__cvta_generic_to_shared(row))
                 : "memory");
#else
    __trap(); /* devices before 8.0 do not offer bfloat16, so no op comes here */
#endif
}

/* sums (16, 8) += a (16, 16) b (16, 8). With g = lane / 4, t = lane % 4, a lane has: of a row g in
 * words 0 and 2, row g + 8 in 1 and 3, columns 2t and 2t + 1 in the first two, 8 further in the
 * others; of b column g, rows likewise; of the sums row g, columns 2t and 2t + 1, then row g + 8.
 * Products are exact; what their sum loses the chips do not document (emulate_matrix.cpp). */
__device__ static inline void eex_multiply_add(float (&sums)[4], const uint32_t (&a)[4],
                                               uint32_t b0, uint32_t b1)
{
#if defined(EEX_CUDA_EMULATED)
    emulate::multiply_add(sums, a, b0, b1);
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
    __trap();
#endif
}

/* Blocks of the size needed for n items, at most `most`. */
static inline unsigned eex_blocks(size_t n, size_t per_block, size_t most)
{
    size_t blocks = (n + per_block - 1) / per_block;
    blocks = blocks < 1 ? 1 : blocks;
    return (unsigned)(blocks < most ? blocks : most);
}

/* Calls `function<float>(arguments)` or `function<eex_bf16>(arguments)`. */
#define EEX_BY_PRECISION(precision, function, ...) \
    ((precision) == EEX_BF16 ? function<eex_bf16>(__VA_ARGS__) : function<float>(__VA_ARGS__))

#endif
