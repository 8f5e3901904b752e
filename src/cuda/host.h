/* The host side of a CUDA device: library handles, staging, accounting. */
#ifndef EEX_CUDA_HOST_H
#define EEX_CUDA_HOST_H

#include "cuda/cuda_device.h"
#include "cuda/libs.h"

enum {
    EEX_CUDA_FUSED_HEAD = 65536, /* weights of a classifier that HEAD takes in */
    EEX_CUDA_STAGES = 8,
    EEX_CUDA_STAGE_BYTES = 4 << 20,
    EEX_CUDA_SMALL = 1 << 16, /* bytes that come to the host by way of pinned memory */
    EEX_CUDA_BLAS_WORKSPACE = 32 << 20,
    EEX_CUDA_REFUSALS = 32 /* of cuDNN, that are said */
};

struct eex_cuda_host {
    eex_cuda_libs libs; /* of this device: chips differ in what still serves them */
    cublasHandle_t blas;
    cudnnHandle_t dnn;
    void *blas_workspace; /* given to cuBLAS once: it must not allocate while a graph is captured */

    unsigned char *pinned; /* (EEX_CUDA_STAGES, EEX_CUDA_STAGE_BYTES), then EEX_CUDA_SMALL */
    cudaEvent_t staged[EEX_CUDA_STAGES];
    int stage; /* next to use */

    struct eex_cuda_ahead *ahead; /* ahead.h */

    eex_step step; /* what cuda->step holds */
    bool step_known;
    bool graphless; /* it was said that a graph could not be made */

    uint64_t refused_names[EEX_CUDA_REFUSALS]; /* hashes of ops that cuDNN does not do */
    int refused;

    size_t bytes, peak_bytes;
    struct eex_cuda_block *blocks; /* size of every allocation */
    int block_count, block_capacity;

    eex_nvml_device nvml; /* NULL: nobody measures energy */
    unsigned long long millijoules;

    struct eex_cuda_algorithms *algorithms; /* algorithms.h */
};

/* Stream, handles, staging; close accepts what open left behind. */
int eex__cuda_host_open(eex_cuda *cuda);
void eex__cuda_host_close(eex_cuda *cuda);

/* Copies host memory to the device in a stream's order; `from` is free when this returns. */
int eex__cuda_stage(eex_cuda *cuda, cudaStream_t stream, void *to, const void *from, size_t bytes);

/* Copies device memory to the host and waits for it. */
int eex__cuda_fetch(eex_cuda *cuda, void *to, const void *from, size_t bytes);

/* Makes *cuda->step this step, in the stream's order. The batch is not compared: kernels get it as
 * an argument. */
int eex__cuda_set_step(eex_cuda *cuda, const eex_step *step);

/* Launches one op. */
int eex__cuda_run_op(eex_cuda *cuda, const eex_op *op, void *state, int batch);

/* Since the device was opened; NaN where nobody measures. */
double eex__cuda_joules(const eex_cuda *cuda);

/* Says, once a device, that a graph could not be made, with this thread's message as the reason:
 * everything goes on, slower. */
void eex__cuda_no_graph(eex_cuda *cuda);

/* Whether the stream, and with it the device, can go on: no kernel has failed so far. */
bool eex__cuda_healthy(const eex_cuda *cuda);

int eex__cuda_blas_check(const eex_cuda *cuda, cublasStatus_t status, const char *what);
/* EEX_EUNSUPPORTED: this algorithm does not take this shape. */
int eex__cuda_dnn_check(const eex_cuda *cuda, cudnnStatus_t status, const char *what);

#endif
