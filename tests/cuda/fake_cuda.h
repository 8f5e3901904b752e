/* What tests can ask of the CUDA runtime that takes the real one's place (fake_runtime.h). */
#ifndef EEX_TESTS_CUDA_FAKE_CUDA_H
#define EEX_TESTS_CUDA_FAKE_CUDA_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The nth call (1: the next) of a function fails with this error: "cudaMalloc", "cublasGemmEx",
 * "cudnnConvolutionForward" (these two fail with a status of their own, as "cublasCreate" and
 * "cudnnCreate" do, which have one for memory, too, as all of cuDNN's convolutions)...
 * "workspace" is cuDNN that is asked how large one has to be, and does not support it;
 * "launch" is a kernel that is refused when it is launched, "kernel" one that fails while it runs,
 * which is noticed later. Errors that a process cannot overcome, such as cudaErrorIllegalAddress,
 * come from every call that follows. For whole programs: EEX_EMULATE_FAIL="kernel 500" is an
 * illegal address in the 500th kernel. */
void eex_fake_cuda_fail(const char *function, int nth, cudaError_t error);

/* No failures to come, and none that stays. */
void eex_fake_cuda_heal(void);

/* Whether the failure of this function that was asked for last has come. */
bool eex_fake_cuda_failed(const char *function);

/* What cudaEventElapsedTime says, call by call, where it has something to say: so many milliseconds
 * instead of those that have passed. Copied; NULL and 0: none any more. */
void eex_fake_cuda_elapsed(const float *ms, int count);

/* The nth call (1: the next) of cudaStreamWaitEvent or cudaEventSynchronize does nothing and says
 * that all is well: what would go wrong if it were missing in the program. */
void eex_fake_cuda_lose(const char *function, int nth);

/* Whether that call has come. */
bool eex_fake_cuda_lost(void);

/* Work is queued until somebody waits for it, as if the GPU were very slow: what does not wait
 * reads old memory. true at start, unless EEX_EMULATE_EAGER is set; a debugger shows more without.
 */
void eex_fake_cuda_late(bool late);

/* What was submitted and has not run yet. */
size_t eex_fake_cuda_pending(void);

/* A second cuBLAS and a second cuDNN, "older", are there beside the first ones; they are the same.
 */
void eex_fake_cuda_two_libraries(bool two);

/* Elements of a tensor, at most, that cuDNN describes: 2^31 - 1 at start. */
void eex_fake_cudnn_elements(size_t most);

/* Compute capability and memory of the one GPU, for devices opened from now on: 8.0 and 16 GiB, or
 * what EEX_EMULATE_CAPABILITY says ("6.1"). No GPU at all with major 0. */
void eex_fake_cuda_capability(int major, int minor);
void eex_fake_cuda_memory(size_t bytes);

/* Bytes that cudaMalloc has given and cudaFree not taken. */
size_t eex_fake_cuda_held(void);

/* Kernels and library calls that have run so far, those in graphs too, graphs launched, how often
 * the host waited for what was not there yet; products of cuBLAS's that were of bfloat16 with a
 * float32 result; and copies within the device's memory, which are uploads that found their images
 * gone ahead. For whole programs: EEX_EMULATE_COUNTS=FILE is where their numbers are written to at
 * the end. */
typedef struct eex_fake_cuda_counts {
    long kernels, graphs, waits, wide_products, within;
} eex_fake_cuda_counts;
eex_fake_cuda_counts eex_fake_cuda_count(void);

/* How many kernels of ours have run so far that are called so, as they were launched. */
long eex_fake_cuda_ran(const char *kernel);

/* Products of cuBLAS and cuDNN are added up in float32, one after the other: the least that a
 * library's kernel may do. At start they are in double. */
void eex_fake_cuda_narrow_sums(bool narrow);

/* Order of blocks and threads: a kernel's result must be the same for all. */
void eex_fake_cuda_seed(uint64_t seed);

#ifdef __cplusplus
}
#endif
#endif
