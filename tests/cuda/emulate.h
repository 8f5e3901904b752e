/* Runs CUDA kernels on the CPU, so that their results can be tested where there is no GPU.
 *
 * src/cuda/kernel.cuh includes this when a .cu file is compiled by a host compiler:
 *
 *     g++ -std=c++17 -x c++ -DEEX_CUDA_EMULATED -Itests -Isrc -I<toolkit>/include ...
 *
 * Each CUDA thread of a block is a fiber with a stack of its own (emulate.cpp); it runs until it
 * has to wait for others, at a barrier or in a warp collective. Blocks, and the threads between two
 * barriers, take their turns in a shuffled order, so that a dependence on an order shows as a wrong
 * result. Shared memory is full of NaN when a block begins. A barrier that not all threads reach
 * and a shuffle whose lanes do not all come end the program with a message that names the kernel.
 *
 * What it does not show: races between instructions (a thread is never interrupted elsewhere than
 * where it waits), the rounding of fused multiply-adds, and how fast anything is. */
#ifndef EEX_TESTS_CUDA_EMULATE_H
#define EEX_TESTS_CUDA_EMULATE_H

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <math.h>
#include <tuple>

#undef __global__
#undef __device__
#undef __host__
#undef __constant__
#undef __managed__
#undef __shared__
#define __global__
#define __device__
#define __host__
#define __constant__
#define __managed__
#define __launch_bounds__(...)

/* One copy for the block: blocks run one after the other, so a static variable will do. They lie
 * together in one section, which is poisoned before a block begins. The name differs for each
 * variable only behind the assembler's comment sign: the compiler refuses to put a variable of a
 * template and one of a plain function into what it takes for the same section. */
#define EEX_EMULATE_TEXT_(x) #x
#define EEX_EMULATE_TEXT(x) EEX_EMULATE_TEXT_(x)
#define EEX_EMULATE_SECTION(n) "eex_shared,\"aw\",@progbits#" EEX_EMULATE_TEXT(n)
#define __shared__ static __attribute__((section(EEX_EMULATE_SECTION(__COUNTER__))))

#include <cuda_runtime_api.h>
#include <vector_functions.h>

#define EEX_DYNAMIC_SHARED(type, name) \
    type *name = static_cast<type *>(emulate::dynamic_shared_memory())

#define EEX_LAUNCH(kernel, grid, block, shared, stream, ...) \
    emulate::launch(#kernel, kernel, grid, block, shared, stream, ##__VA_ARGS__)

/* Those of the thread that runs. */
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
enum { warpSize = 32 };

namespace emulate {

/* A launch: where it goes, and one thread's work. */
struct kernel {
    const char *name;
    const void *function; /* its address: what attributes are set for */
    dim3 grid, block;
    size_t shared;
    std::function<void()> thread;
};

/* Runs all blocks, now. emulate.cpp. */
void run(const kernel &k);

/* Hands a launch to the stream; fake_runtime.cpp checks its geometry and decides when it runs. */
void submit(kernel &&k, cudaStream_t stream);

/* The shuffles that follow are functions of this; 1 at start, or EEX_EMULATE_SEED. */
void seed(uint64_t value);

void *dynamic_shared_memory();

template <typename... Parameters, typename... Arguments>
void launch(const char *name, void (*function)(Parameters...), dim3 grid, dim3 block, size_t shared,
            cudaStream_t stream, Arguments &&...arguments)
{
    using parameters = std::tuple<std::decay_t<Parameters>...>;
    static_assert(sizeof(parameters) <= 4096, "more than the 4 KB that a launch may pass");
    parameters values(static_cast<Parameters>(std::forward<Arguments>(arguments))...);
    submit({name, reinterpret_cast<const void *>(function), grid, block, shared,
            [function, values] { std::apply(function, values); }},
           stream);
}

/* Where a thread waits: threads that meet must be at the same place. */
struct place {
    const char *file;
    int line;
};

enum combination { COUNT_OF, AND_OF, OR_OF };

/* Waits for the whole block; what the predicates combine to. */
int meet_block(place at, int predicate, combination how);

enum collective { BALLOT, SHUFFLE };

/* Waits for the lanes of mask. BALLOT: the bits of those whose value is not 0. SHUFFLE: what lane
 * `source` brought; all ones when that lane is not among them. */
uint64_t meet_warp(place at, collective kind, unsigned mask, uint64_t value, int source);

int lane(); /* of the thread that runs */

/* As meet_warp with the value's own type. */
template <typename T> T shuffle(place at, unsigned mask, T value, int source)
{
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles move 4 or 8 bytes");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = meet_warp(at, SHUFFLE, mask, bits, source);
    memcpy(&value, &bits, sizeof value);
    return value;
}

} // namespace emulate

/* ---- barriers and warp collectives ---- */

#define EEX_EMULATE_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(EEX_EMULATE_HERE)
{
    emulate::meet_block({file, line}, 0, emulate::COUNT_OF);
}

inline int __syncthreads_count(int predicate, EEX_EMULATE_HERE)
{
    return emulate::meet_block({file, line}, predicate, emulate::COUNT_OF);
}

inline int __syncthreads_and(int predicate, EEX_EMULATE_HERE)
{
    return emulate::meet_block({file, line}, predicate, emulate::AND_OF);
}

inline int __syncthreads_or(int predicate, EEX_EMULATE_HERE)
{
    return emulate::meet_block({file, line}, predicate, emulate::OR_OF);
}

inline void __syncwarp(unsigned mask = 0xffffffffu, EEX_EMULATE_HERE)
{
    emulate::meet_warp({file, line}, emulate::BALLOT, mask, 0, 0);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, EEX_EMULATE_HERE)
{
    return (unsigned)emulate::meet_warp({file, line}, emulate::BALLOT, mask, predicate != 0, 0);
}

inline int __any_sync(unsigned mask, int predicate, EEX_EMULATE_HERE)
{
    return emulate::meet_warp({file, line}, emulate::BALLOT, mask, predicate != 0, 0) != 0;
}

inline int __all_sync(unsigned mask, int predicate, EEX_EMULATE_HERE)
{
    return emulate::meet_warp({file, line}, emulate::BALLOT, mask, predicate == 0, 0) == 0;
}

/* Promises nothing on a GPU either but that the caller is in it. */
inline unsigned __activemask()
{
    return 1u << emulate::lane();
}

template <typename T>
T __shfl_sync(unsigned mask, T value, int source, int width = warpSize, EEX_EMULATE_HERE)
{
    int first = emulate::lane() & ~(width - 1);
    return emulate::shuffle({file, line}, mask, value, first + (source & (width - 1)));
}

template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize, EEX_EMULATE_HERE)
{
    int lane = emulate::lane(), first = lane & ~(width - 1), source = lane - (int)delta;
    return emulate::shuffle({file, line}, mask, value, source < first ? lane : source);
}

template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize, EEX_EMULATE_HERE)
{
    int lane = emulate::lane(), last = lane | (width - 1), source = lane + (int)delta;
    return emulate::shuffle({file, line}, mask, value, source > last ? lane : source);
}

template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = warpSize, EEX_EMULATE_HERE)
{
    int lane = emulate::lane(), last = lane | (width - 1), source = lane ^ bits;
    return emulate::shuffle({file, line}, mask, value, source > last ? lane : source);
}

/* ---- tensor cores: emulate_matrix.cpp; kernel.cuh says what they do ---- */

namespace emulate {
void load_transposed(uint32_t (&to)[4], const void *row, EEX_EMULATE_HERE);
void multiply_add(float (&sums)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1,
                  EEX_EMULATE_HERE);
} // namespace emulate

/* ---- memory ---- */

inline void __threadfence()
{
}

inline void __threadfence_block()
{
}

inline void __threadfence_system()
{
}

template <typename T> T __ldg(const T *from)
{
    return *from;
}

template <typename T> T __ldcs(const T *from)
{
    return *from;
}

template <typename T> T __ldcg(const T *from)
{
    return *from;
}

template <typename T> T __ldca(const T *from)
{
    return *from;
}

template <typename T> void __stcs(T *to, T value)
{
    *to = value;
}

template <typename T> void __stcg(T *to, T value)
{
    *to = value;
}

/* Of integers only: the sum of floats would depend on the order. */
#define EEX_EMULATE_ATOMICS(T)               \
    inline T atomicAdd(T *at, T value)       \
    {                                        \
        T old = *at;                         \
        *at = old + value;                   \
        return old;                          \
    }                                        \
    inline T atomicExch(T *at, T value)      \
    {                                        \
        T old = *at;                         \
        *at = value;                         \
        return old;                          \
    }                                        \
    inline T atomicMax(T *at, T value)       \
    {                                        \
        T old = *at;                         \
        *at = old > value ? old : value;     \
        return old;                          \
    }                                        \
    inline T atomicMin(T *at, T value)       \
    {                                        \
        T old = *at;                         \
        *at = old < value ? old : value;     \
        return old;                          \
    }                                        \
    inline T atomicOr(T *at, T value)        \
    {                                        \
        T old = *at;                         \
        *at = old | value;                   \
        return old;                          \
    }                                        \
    inline T atomicAnd(T *at, T value)       \
    {                                        \
        T old = *at;                         \
        *at = old & value;                   \
        return old;                          \
    }                                        \
    inline T atomicCAS(T *at, T was, T will) \
    {                                        \
        T old = *at;                         \
        *at = old == was ? will : old;       \
        return old;                          \
    }
EEX_EMULATE_ATOMICS(int)
EEX_EMULATE_ATOMICS(unsigned)
EEX_EMULATE_ATOMICS(unsigned long long)
#undef EEX_EMULATE_ATOMICS

inline int atomicSub(int *at, int value)
{
    return atomicAdd(at, -value);
}

inline unsigned atomicSub(unsigned *at, unsigned value)
{
    return atomicAdd(at, 0u - value);
}

inline unsigned atomicInc(unsigned *at, unsigned most)
{
    unsigned old = *at;
    *at = old >= most ? 0 : old + 1;
    return old;
}

inline unsigned atomicDec(unsigned *at, unsigned most)
{
    unsigned old = *at;
    *at = old == 0 || old > most ? most : old - 1;
    return old;
}

/* ---- graphs ---- */

extern "C" void cudaGraphSetConditional(cudaGraphConditionalHandle handle, unsigned int value);

/* ---- bits ---- */

inline int __popc(unsigned x)
{
    return __builtin_popcount(x);
}

inline int __popcll(unsigned long long x)
{
    return __builtin_popcountll(x);
}

inline int __ffs(int x)
{
    return __builtin_ffs(x);
}

inline int __ffsll(long long x)
{
    return __builtin_ffsll(x);
}

inline int __clz(int x)
{
    return x ? __builtin_clz((unsigned)x) : 32;
}

inline int __clzll(long long x)
{
    return x ? __builtin_clzll((unsigned long long)x) : 64;
}

inline unsigned __brev(unsigned x)
{
    unsigned out = 0;
    for (int i = 0; i < 32; i++)
        out |= (x >> i & 1u) << (31 - i);
    return out;
}

inline unsigned __umulhi(unsigned x, unsigned y)
{
    return (unsigned)((unsigned long long)x * y >> 32);
}

inline unsigned long long __umul64hi(unsigned long long x, unsigned long long y)
{
    return (unsigned long long)((unsigned __int128)x * y >> 64);
}

namespace emulate {
template <typename To, typename From> To bits_as(From from)
{
    static_assert(sizeof(To) == sizeof(From), "the same bits");
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}
} // namespace emulate

inline int __float_as_int(float x)
{
    return emulate::bits_as<int>(x);
}

inline unsigned __float_as_uint(float x)
{
    return emulate::bits_as<unsigned>(x);
}

inline float __int_as_float(int x)
{
    return emulate::bits_as<float>(x);
}

inline float __uint_as_float(unsigned x)
{
    return emulate::bits_as<float>(x);
}

inline long long __double_as_longlong(double x)
{
    return emulate::bits_as<long long>(x);
}

inline double __longlong_as_double(long long x)
{
    return emulate::bits_as<double>(x);
}

/* ---- arithmetic ---- */

#define EEX_EMULATE_MINMAX(T) \
    inline T min(T a, T b)    \
    {                         \
        return b < a ? b : a; \
    }                         \
    inline T max(T a, T b)    \
    {                         \
        return a < b ? b : a; \
    }
EEX_EMULATE_MINMAX(int)
EEX_EMULATE_MINMAX(unsigned)
EEX_EMULATE_MINMAX(long)
EEX_EMULATE_MINMAX(unsigned long)
EEX_EMULATE_MINMAX(long long)
EEX_EMULATE_MINMAX(unsigned long long)
#undef EEX_EMULATE_MINMAX

inline float min(float a, float b)
{
    return fminf(a, b);
}

inline float max(float a, float b)
{
    return fmaxf(a, b);
}

inline double min(double a, double b)
{
    return fmin(a, b);
}

inline double max(double a, double b)
{
    return fmax(a, b);
}

inline float rsqrtf(float x)
{
    return (float)(1.0 / sqrt((double)x));
}

inline double rsqrt(double x)
{
    return 1.0 / sqrt(x);
}

inline float __saturatef(float x)
{
    return x > 0 ? (x < 1 ? x : 1.0f) : 0.0f;
}

/* The C library declares these names for itself, so they can only be macros. */
#define __expf(x) expf(x)
#define __exp10f(x) exp10f(x)
#define __logf(x) logf(x)
#define __log2f(x) log2f(x)
#define __log10f(x) log10f(x)
#define __powf(x, y) powf(x, y)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)
#define __tanf(x) tanf(x)
#define __sincosf(x, s, c) sincosf(x, s, c)
#define __fdividef(x, y) ((x) / (y))
#define __fsqrt_rn(x) sqrtf(x)
#define __frsqrt_rn(x) rsqrtf(x)
#define __frcp_rn(x) (1.0f / (x))
#define __fadd_rn(x, y) ((x) + (y))
#define __fsub_rn(x, y) ((x) - (y))
#define __fmul_rn(x, y) ((x) * (y))
#define __fdiv_rn(x, y) ((x) / (y))
#define __fmaf_rn(x, y, z) fmaf(x, y, z)
#define __dadd_rn(x, y) ((x) + (y))
#define __dmul_rn(x, y) ((x) * (y))
#define __fma_rn(x, y, z) fma(x, y, z)
#define __float2int_rn(x) ((int)rintf(x))
#define __float2int_rd(x) ((int)floorf(x))
#define __float2int_rz(x) ((int)(x))
#define __int2float_rn(x) ((float)(x))
#define __uint2float_rn(x) ((float)(x))

#define __trap() __builtin_trap()
#ifndef __builtin_assume
#define __builtin_assume(x) ((void)0)
#endif

#endif
