/* What the emulator itself promises (emulate.h): collectives as on a GPU, and mistakes that show.
 */
#include "cuda/kernel.cuh"

#include "cuda/fake_cuda.h"

#include <criterion/criterion.h>
#include <signal.h>

enum { THREADS = 96, BLOCKS = 17 };

/* ---- what is right ---- */

/* Each warp's sum by shuffles, then the block's by shared memory; the last block adds all up. */
static __global__ void sum(int *out, int *partial, unsigned *arrived, const int *in)
{
    __shared__ int warps[THREADS / EEX_WARP];
    __shared__ bool last;
    int value = eex_warp_sum(in[blockIdx.x * THREADS + threadIdx.x]);
    if (threadIdx.x % EEX_WARP == 0)
        warps[threadIdx.x / EEX_WARP] = value;
    __syncthreads();
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = warps[0] + warps[1] + warps[2];
        __threadfence();
        last = atomicInc(arrived, gridDim.x - 1) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && threadIdx.x == 0)
        for (unsigned i = 0; i < gridDim.x; i++)
            *out += partial[i];
}

struct memory {
    int *out, *partial, *in;
    unsigned *arrived;
    cudaStream_t stream;
};

static memory take(void)
{
    memory m;
    int values[BLOCKS * THREADS];
    for (int i = 0; i < BLOCKS * THREADS; i++)
        values[i] = i;
    cudaStreamCreate(&m.stream);
    cudaMalloc((void **)&m.out, sizeof *m.out);
    cudaMalloc((void **)&m.partial, BLOCKS * sizeof *m.partial);
    cudaMalloc((void **)&m.arrived, sizeof *m.arrived);
    cudaMalloc((void **)&m.in, sizeof values);
    cudaMemsetAsync(m.out, 0, sizeof *m.out, m.stream);
    cudaMemsetAsync(m.arrived, 0, sizeof *m.arrived, m.stream);
    cudaMemcpyAsync(m.in, values, sizeof values, cudaMemcpyHostToDevice, m.stream);
    cr_assert_eq(cudaStreamSynchronize(m.stream), cudaSuccess);
    return m;
}

static int fetch(const memory &m)
{
    int value = -1;
    cudaMemcpyAsync(&value, m.out, sizeof value, cudaMemcpyDeviceToHost, m.stream);
    cr_assert_eq(cudaStreamSynchronize(m.stream), cudaSuccess);
    return value;
}

static void give(const memory &m)
{
    cudaFree(m.out);
    cudaFree(m.partial);
    cudaFree(m.arrived);
    cudaFree(m.in);
    cudaStreamDestroy(m.stream);
    cr_assert_eq(eex_fake_cuda_held(), 0);
}

static const int total = BLOCKS * THREADS * (BLOCKS * THREADS - 1) / 2;

Test(emulator, sums_are_the_same_in_every_order)
{
    memory m = take();
    for (int i = 1; i <= 20; i++) {
        eex_fake_cuda_seed((uint64_t)i);
        EEX_LAUNCH(sum, BLOCKS, THREADS, 0, m.stream, m.out, m.partial, m.arrived, m.in);
        cr_assert_eq(fetch(m), i * total);
    }
    give(m);
}

static __global__ void collectives(int *out)
{
    int lane = threadIdx.x % 32;
    unsigned odd = __ballot_sync(0xffffffffu, lane & 1);
    out[0] = odd == 0xaaaaaaaau;
    int up = __shfl_up_sync(0xffffffffu, lane, 3);
    int down = __shfl_down_sync(0xffffffffu, lane, 3);
    int turned = __shfl_xor_sync(0xffffffffu, lane, 5);
    double third = __shfl_sync(0xffffffffu, lane + 0.5, 3, 8);
    bool right = up == (lane < 3 ? lane : lane - 3) && down == (lane > 28 ? lane : lane + 3) &&
                 turned == (lane ^ 5) && third == lane / 8 * 8 + 3.5;
    int all = __syncthreads_and(right), some = __syncthreads_or(threadIdx.x == 7);
    int count = __syncthreads_count(threadIdx.x < 40);
    if (lane < 16) /* a part of a warp alone */
        right = right && __any_sync(0x0000ffffu, lane == 3) && !__all_sync(0x0000ffffu, lane == 3);
    __syncwarp();
    if (threadIdx.x == 0)
        out[1] = all && some && count == 40 && right;
}

Test(emulator, collectives_are_those_of_a_gpu)
{
    memory m = take();
    int out[2];
    EEX_LAUNCH(collectives, 3, 64, 0, m.stream, m.partial);
    cudaMemcpyAsync(out, m.partial, sizeof out, cudaMemcpyDeviceToHost, m.stream);
    cudaStreamSynchronize(m.stream);
    cr_expect(out[0] && out[1], "%d %d", out[0], out[1]);
    give(m);
}

/* ---- mistakes ---- */

template <bool WAITS> static __global__ void reverse(int *out)
{
    __shared__ int values[THREADS];
    values[threadIdx.x] = (int)threadIdx.x;
    if (WAITS)
        __syncthreads();
    out[threadIdx.x] = values[THREADS - 1 - threadIdx.x];
}

template <bool WAITS> static int wrong_places(void)
{
    memory m = take();
    int out[THREADS], wrong = 0;
    EEX_LAUNCH((reverse<WAITS>), 1, THREADS, 0, m.stream, m.in);
    cudaMemcpyAsync(out, m.in, sizeof out, cudaMemcpyDeviceToHost, m.stream);
    cudaStreamSynchronize(m.stream);
    for (int i = 0; i < THREADS; i++)
        wrong += out[i] != THREADS - 1 - i;
    give(m);
    return wrong;
}

Test(emulator, a_missing_barrier_shows)
{
    cr_expect_eq(wrong_places<true>(), 0);
    cr_expect_gt(wrong_places<false>(), THREADS / 4);
}

/* Of every kind; nothing is written. */
static __global__ void read_shared(int *out)
{
    EEX_DYNAMIC_SHARED(float, dynamic);
    __shared__ float fixed[8];
    if (threadIdx.x == 0) {
        out[blockIdx.x] = isnan(dynamic[0]) && isnan(dynamic[7]) && isnan(fixed[3]);
        dynamic[0] = dynamic[7] = fixed[3] = 1;
    }
}

Test(emulator, shared_memory_is_full_of_nan_in_every_block)
{
    memory m = take();
    int out[BLOCKS];
    EEX_LAUNCH(read_shared, BLOCKS, 32, 8 * sizeof(float), m.stream, m.partial);
    cudaMemcpyAsync(out, m.partial, sizeof out, cudaMemcpyDeviceToHost, m.stream);
    cudaStreamSynchronize(m.stream);
    for (int i = 0; i < BLOCKS; i++)
        cr_expect_eq(out[i], 1, "block %d", i);
    give(m);
}

static __global__ void half_waits(int *out)
{
    if (threadIdx.x < 32)
        __syncthreads();
    *out = 1;
}

Test(emulator, a_barrier_that_not_all_reach_ends_the_program, .signal = SIGABRT)
{
    memory m = take();
    EEX_LAUNCH(half_waits, 1, THREADS, 0, m.stream, m.out);
    fetch(m);
}

static __global__ void lanes_missing(int *out)
{
    if (threadIdx.x != 5)
        *out = __shfl_sync(0xffffffffu, 1, 0);
    else
        __syncthreads();
}

Test(emulator, a_shuffle_with_lanes_missing_ends_the_program, .signal = SIGABRT)
{
    memory m = take();
    EEX_LAUNCH(lanes_missing, 1, THREADS, 0, m.stream, m.out);
    fetch(m);
}

#ifndef __SANITIZE_ADDRESS__ /* which would end it in its own way */
static __global__ void write_past_the_end(void)
{
    EEX_DYNAMIC_SHARED(float, dynamic);
    dynamic[threadIdx.x] = 1;
}

Test(emulator, writing_past_dynamic_shared_memory_ends_the_program, .signal = SIGABRT)
{
    memory m = take();
    EEX_LAUNCH(write_past_the_end, 1, 32, 31 * sizeof(float), m.stream);
    fetch(m);
}
#endif

Test(emulator, impossible_launches_are_refused)
{
    memory m = take();
    EEX_LAUNCH(half_waits, 1, 1025, 0, m.stream, m.out);
    cr_expect_eq(cudaGetLastError(), cudaErrorInvalidConfiguration);
    EEX_LAUNCH(half_waits, 0, 32, 0, m.stream, m.out);
    cr_expect_eq(cudaGetLastError(), cudaErrorInvalidConfiguration);
    EEX_LAUNCH(half_waits, 1, dim3(1, 1, 65), 0, m.stream, m.out);
    cr_expect_eq(cudaGetLastError(), cudaErrorInvalidConfiguration);
    EEX_LAUNCH(half_waits, 1, 32, 49 << 10, m.stream, m.out);
    cr_expect_eq(cudaGetLastError(), cudaErrorInvalidConfiguration);
    cr_expect_eq(cudaGetLastError(), cudaSuccess);
    give(m);
}

/* ---- streams and graphs ---- */

static __global__ void add(int *to, int value)
{
    *to += value;
}

Test(runtime, work_happens_when_somebody_waits)
{
    memory m = take();
    EEX_LAUNCH(add, 1, 1, 0, m.stream, m.out, 1);
    cr_expect_eq(*m.out, 0);
    cr_expect_eq(cudaStreamQuery(m.stream), cudaErrorNotReady);
    cr_expect_eq(cudaStreamSynchronize(m.stream), cudaSuccess);
    cr_expect_eq(*m.out, 1);
    give(m);
}

/* Has the driver load a kernel, as its first launch does. */
template <typename K> static void load(K kernel)
{
    struct cudaFuncAttributes attributes;
    cr_assert_eq(cudaFuncGetAttributes(&attributes, (const void *)kernel), cudaSuccess);
}

Test(runtime, a_capture_loads_no_kernel)
{
    memory m = take();
    cudaGraph_t graph;
    for (int i = 0; i < 2; i++) {
        cudaStreamBeginCapture(m.stream, cudaStreamCaptureModeRelaxed);
        EEX_LAUNCH(add, 1, 1, 0, m.stream, m.out, 1);
        cr_expect_eq(cudaStreamEndCapture(m.stream, &graph),
                     i ? cudaSuccess : cudaErrorStreamCaptureInvalidated);
        (void)cudaGetLastError();
        load(add);
    }
    cudaGraphDestroy(graph);
    give(m);
}

Test(runtime, graphs_replay_what_was_captured)
{
    memory m = take();
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    void *none;
    load(sum);
    load(add);
    cudaStreamBeginCapture(m.stream, cudaStreamCaptureModeRelaxed);
    EEX_LAUNCH(sum, BLOCKS, THREADS, 0, m.stream, m.out, m.partial, m.arrived, m.in);
    EEX_LAUNCH(add, 1, 1, 0, m.stream, m.out, 1);
    cr_assert_eq(cudaStreamEndCapture(m.stream, &graph), cudaSuccess);
    cr_expect_eq(fetch(m), 0, "capturing is not running");
    cr_assert_eq(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
    cudaGraphDestroy(graph);
    for (int i = 1; i <= 3; i++) {
        cr_expect_eq(cudaGraphLaunch(exec, m.stream), cudaSuccess);
        cr_expect_eq(fetch(m), i * (total + 1));
    }
    cudaGraphExecDestroy(exec);
    cudaStreamBeginCapture(m.stream, cudaStreamCaptureModeRelaxed);
    cr_expect_eq(cudaMalloc(&none, 16), cudaErrorStreamCaptureUnsupported);
    cr_expect_eq(cudaStreamEndCapture(m.stream, &graph), cudaErrorStreamCaptureInvalidated);
    (void)cudaGetLastError();
    give(m);
}

static __global__ void decide(cudaGraphConditionalHandle handle, const int *value)
{
    cudaGraphSetConditional(handle, *value < 3);
}

/* A condition that is true at start, and a body that counts and decides about the next turn. */
Test(runtime, conditional_nodes_ask_their_condition)
{
    memory m = take();
    cudaGraph_t graph, same;
    cudaGraphExec_t exec;
    cudaGraphNode_t node;
    cudaGraphConditionalHandle handle;
    cudaGraphNodeParams params = {};
    load(add);
    load(decide);
    cudaGraphCreate(&graph, 0);
    cudaGraphConditionalHandleCreate(&handle, graph, 1, cudaGraphCondAssignDefault);
    params.type = cudaGraphNodeTypeConditional;
    params.conditional.handle = handle;
    params.conditional.type = cudaGraphCondTypeWhile;
    params.conditional.size = 1;
    cr_assert_eq(cudaGraphAddNode(&node, graph, nullptr, nullptr, 0, &params), cudaSuccess);
    cudaStreamBeginCaptureToGraph(m.stream, params.conditional.phGraph_out[0], nullptr, nullptr, 0,
                                  cudaStreamCaptureModeRelaxed);
    EEX_LAUNCH(add, 1, 1, 0, m.stream, m.out, 1);
    EEX_LAUNCH(decide, 1, 1, 0, m.stream, handle, m.out);
    cr_assert_eq(cudaStreamEndCapture(m.stream, &same), cudaSuccess);
    cr_assert_eq(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
    cudaGraphDestroy(graph);
    cudaGraphLaunch(exec, m.stream);
    cr_expect_eq(fetch(m), 3);
    cudaGraphLaunch(exec, m.stream);
    cr_expect_eq(fetch(m), 4, "at the next launch the condition is true again");
    cudaGraphExecDestroy(exec);
    give(m);
}

Test(runtime, errors_come_when_ordered_and_some_stay)
{
    memory m = take();
    void *none;
    eex_fake_cuda_fail("cudaMalloc", 2, cudaErrorMemoryAllocation);
    cr_expect_eq(cudaMalloc(&none, 16), cudaSuccess);
    cudaFree(none);
    cr_expect_eq(cudaMalloc(&none, 16), cudaErrorMemoryAllocation);
    cr_expect_eq(cudaGetLastError(), cudaErrorMemoryAllocation);
    eex_fake_cuda_fail("kernel", 1, cudaErrorIllegalAddress);
    EEX_LAUNCH(add, 1, 1, 0, m.stream, m.out, 1);
    cr_expect_eq(cudaGetLastError(), cudaSuccess, "nobody has noticed yet");
    cr_expect_eq(cudaStreamSynchronize(m.stream), cudaErrorIllegalAddress);
    cr_expect_eq(cudaMalloc(&none, 16), cudaErrorIllegalAddress);
    eex_fake_cuda_heal();
    give(m);
}
