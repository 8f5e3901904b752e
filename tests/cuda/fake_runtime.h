/* The part of the CUDA runtime that src/cuda uses, on the host's memory: shared by its files.
 *
 * fake_runtime.cpp has devices, memory and errors, fake_stream.cpp streams and copies,
 * fake_graph.cpp captures and graphs, fake_blas.cpp and fake_dnn.cpp the two libraries. It is
 * stricter than the real one where being wrong would show late: copies must lie within one
 * allocation, a capture forbids whatever allocates or waits, and work is done only when somebody
 * waits for it. */
#ifndef EEX_TESTS_CUDA_FAKE_RUNTIME_H
#define EEX_TESTS_CUDA_FAKE_RUNTIME_H

#include "cuda/fake_cuda.h"

#include <cstdint>
#include <cuda_runtime_api.h>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace fake {

typedef std::function<void()> work;

/* ---- fake_runtime.cpp ---- */

extern std::recursive_mutex mutex;
extern bool late;
extern eex_fake_cuda_counts counts;

/* What every function does first: the error that stays, or the one that was ordered. */
cudaError_t enter(const char *function);

/* The error of a call that was ordered to fail, if it comes now. */
cudaError_t fails(const char *function);

/* Whether this call is the one that is to be lost. */
bool loses(const char *function);

/* Makes this the last error, and returns it. */
cudaError_t failed(cudaError_t error);

/* An error that all later calls return. */
void stick(cudaError_t error);
cudaError_t stuck();

/* Whether bytes from `at` on lie within one allocation of device memory; of pinned memory. */
bool is_device(const void *at, size_t bytes);
bool is_pinned(const void *at, size_t bytes);

/* Whether the kernel was met before, or asked for: the driver loads one at its first launch. */
bool is_loaded(const void *function);
void load(const void *function);

/* Ends the program when they do not: what a GPU calls an illegal address. */
void need_device(const char *who, const void *at, size_t bytes);

/* Dynamic shared memory that a kernel may have. */
size_t shared_limit(const void *function);

uint64_t random_below(uint64_t n);

#define FAKE_ENTER()                                              \
    std::lock_guard<std::recursive_mutex> fake_lock(fake::mutex); \
    if (cudaError_t fake_error = fake::enter(__func__))           \
    return fake_error

/* ---- fake_stream.cpp ---- */

/* Does this on the stream: now, later, or in the graph that is being captured. */
void enqueue(cudaStream_t stream, work what);

void flush_all();
bool captures(cudaStream_t stream);
bool any_capture();

/* Makes the captures that go on worthless: somebody did what they forbid. */
cudaError_t forbidden_in_capture();

/* ---- fake_graph.cpp ---- */

/* Appends to the graph that the stream captures. */
void capture(cudaStream_t stream, work what);

} // namespace fake

struct CUgraph_st;
struct CUgraphNode_st;

/* Numbers count what was submitted; `done` of them have run. */
struct CUstream_st {
    std::deque<fake::work> queue;
    uint64_t submitted = 0, done = 0;
    CUgraph_st *graph = nullptr; /* being captured */
    std::vector<CUgraphNode_st *> front;
    bool invalid = false;

    void flush(uint64_t until);
};

#endif
