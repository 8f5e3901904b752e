#include "cuda/host.h"

#include "cuda/ahead.h"
#include "cuda/algorithms.h"

#include "base/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_ALIGNMENT = 256 };

typedef struct eex_cuda_block {
    void *at;
    size_t bytes;
} eex_cuda_block;

/* ---- memory, accounted for ---- */

static int remember(struct eex_cuda_host *host, void *at, size_t bytes)
{
    if (host->block_count == host->block_capacity) {
        int larger = host->block_capacity ? 2 * host->block_capacity : 256;
        eex_cuda_block *moved = realloc(host->blocks, (size_t)larger * sizeof *moved);
        if (!moved)
            return eex_fail(EEX_ENOMEM, "out of memory for a list of %d device blocks", larger);
        host->blocks = moved;
        host->block_capacity = larger;
    }
    host->blocks[host->block_count++] = (eex_cuda_block){at, bytes};
    host->bytes += bytes;
    if (host->bytes > host->peak_bytes)
        host->peak_bytes = host->bytes;
    return EEX_OK;
}

static int out_of_memory(const eex_cuda *cuda, size_t bytes, const char *what)
{
    size_t available = 0, total = 0;
    (void)cudaGetLastError();
    (void)cudaMemGetInfo(&available, &total);
    return eex_fail(EEX_ENOMEM,
                    "%s: out of memory: %zu MiB asked for %s, %zu of %zu MiB are free; a smaller "
                    "training.batch needs less",
                    cuda->base.name, bytes >> 20, what, available >> 20, total >> 20);
}

static int allocate(eex_cuda *cuda, void **out, size_t bytes, size_t padded, const char *what)
{
    cudaError_t error = padded > bytes ? cudaMalloc(out, padded) : cudaErrorMemoryAllocation;
    if (error == cudaErrorMemoryAllocation)
        return out_of_memory(cuda, bytes, what);
    EEX_TRY(eex__cuda_check(cuda, error, what));
    int code = remember(cuda->host, *out, padded);
    if (code < 0) {
        (void)cudaFree(*out);
        *out = NULL;
    }
    return code;
}

int eex__cuda_alloc(eex_cuda *cuda, void **out, size_t bytes, const char *what)
{
    *out = NULL;
    size_t padded = (bytes + SCRATCH_ALIGNMENT) / SCRATCH_ALIGNMENT * SCRATCH_ALIGNMENT;
    EEX_TRY(eex_device_hold(&cuda->base, padded));
    int code = allocate(cuda, out, bytes, padded, what);
    if (code < 0)
        cuda->base.held -= padded;
    return code;
}

void eex__cuda_free(eex_cuda *cuda, void *memory)
{
    struct eex_cuda_host *host = cuda->host;
    if (!memory)
        return;
    for (int i = host->block_count - 1; i >= 0; i--)
        if (host->blocks[i].at == memory) {
            host->bytes -= host->blocks[i].bytes;
            cuda->base.held -= host->blocks[i].bytes;
            host->blocks[i] = host->blocks[--host->block_count];
            break;
        }
    (void)cudaFree(memory); /* waits for what still uses it */
}

int eex__cuda_reserve(eex_cuda *cuda, size_t bytes)
{
    if (bytes <= cuda->scratch_bytes)
        return EEX_OK;
    void *larger;
    EEX_TRY(eex__cuda_alloc(cuda, &larger, bytes, "scratch"));
    eex__cuda_free(cuda, cuda->scratch);
    cuda->scratch = larger;
    cuda->scratch_bytes = bytes;
    cuda->generation++;
    return EEX_OK;
}

int eex__cuda_give_back(eex_cuda *cuda, size_t bytes)
{
    if (bytes >= cuda->scratch_bytes)
        return EEX_OK;
    eex__cuda_free(cuda, cuda->scratch);
    cuda->scratch = NULL;
    cuda->scratch_bytes = 0;
    cuda->generation++;
    return bytes ? eex__cuda_reserve(cuda, bytes) : EEX_OK;
}

/* ---- staging ---- */

static int stage_piece(eex_cuda *cuda, cudaStream_t stream, void *to, const void *from,
                       size_t bytes)
{
    struct eex_cuda_host *host = cuda->host;
    int i = host->stage;
    host->stage = (i + 1) % EEX_CUDA_STAGES;
    unsigned char *pinned = host->pinned + (size_t)i * EEX_CUDA_STAGE_BYTES;
    EEX_TRY(eex__cuda_check(cuda, cudaEventSynchronize(host->staged[i]), "upload"));
    memcpy(pinned, from, bytes);
    EEX_TRY(eex__cuda_check(
        cuda, cudaMemcpyAsync(to, pinned, bytes, cudaMemcpyHostToDevice, stream), "upload"));
    return eex__cuda_check(cuda, cudaEventRecord(host->staged[i], stream), "upload");
}

int eex__cuda_stage(eex_cuda *cuda, cudaStream_t stream, void *to, const void *from, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        size_t piece = bytes - done < EEX_CUDA_STAGE_BYTES ? bytes - done : EEX_CUDA_STAGE_BYTES;
        EEX_TRY(stage_piece(cuda, stream, (char *)to + done, (const char *)from + done, piece));
        done += piece;
    }
    return EEX_OK;
}

/* What the host asks for at every exit is a few bytes: to pinned memory they go straight, to other
 * memory by way of the driver's own buffers. */
int eex__cuda_fetch(eex_cuda *cuda, void *to, const void *from, size_t bytes)
{
    void *small = cuda->host->pinned + (size_t)EEX_CUDA_STAGES * EEX_CUDA_STAGE_BYTES;
    void *at = bytes <= EEX_CUDA_SMALL ? small : to;
    if (!bytes)
        return EEX_OK;
    EEX_TRY(eex__cuda_check(
        cuda, cudaMemcpyAsync(at, from, bytes, cudaMemcpyDeviceToHost, cuda->stream), "download"));
    EEX_TRY(eex__cuda_check(cuda, cudaStreamSynchronize(cuda->stream), "download"));
    if (at == small)
        memcpy(to, small, bytes);
    return EEX_OK;
}

int eex__cuda_set_step(eex_cuda *cuda, const eex_step *step)
{
    struct eex_cuda_host *host = cuda->host;
    const eex_step *old = &host->step;
    if (host->step_known && old->lr == step->lr && old->seed == step->seed &&
        old->epoch == step->epoch && old->step == step->step)
        return EEX_OK;
    EEX_TRY(eex__cuda_stage(cuda, cuda->stream, cuda->step, step, sizeof *step));
    host->step = *step;
    host->step_known = true;
    return EEX_OK;
}

void eex__cuda_no_graph(eex_cuda *cuda)
{
    if (!cuda->host->graphless)
        eex_log_warn("%s; going on without this graph, which is slower", eex_error());
    cuda->host->graphless = true;
}

bool eex__cuda_healthy(const eex_cuda *cuda)
{
    enum cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
    cudaError_t error = cudaStreamIsCapturing(cuda->stream, &capture);
    if (error == cudaSuccess && capture == cudaStreamCaptureStatusNone)
        error = cudaStreamQuery(cuda->stream);
    (void)cudaGetLastError();
    return error == cudaSuccess || error == cudaErrorNotReady;
}

/* ---- energy ---- */

static unsigned long long millijoules(const eex_cuda *cuda)
{
    unsigned long long now = 0;
    const struct eex_cuda_host *host = cuda->host;
    if (host->nvml && cuda->libs->nvmlDeviceGetTotalEnergyConsumption(host->nvml, &now) != 0)
        return 0;
    return now;
}

static void open_energy(eex_cuda *cuda)
{
    char bus[32];
    if (!cuda->libs->nvmlDeviceGetHandleByPciBusId_v2 ||
        !cuda->libs->nvmlDeviceGetTotalEnergyConsumption ||
        cudaDeviceGetPCIBusId(bus, sizeof bus, cuda->ordinal) != cudaSuccess) {
        (void)cudaGetLastError();
        return;
    }
    if (cuda->libs->nvmlDeviceGetHandleByPciBusId_v2(bus, &cuda->host->nvml) != 0)
        cuda->host->nvml = NULL;
    cuda->host->millijoules = millijoules(cuda);
    if (cuda->host->millijoules == 0) /* chips before Volta do not count */
        cuda->host->nvml = NULL;
}

double eex__cuda_joules(const eex_cuda *cuda)
{
    unsigned long long now = millijoules(cuda);
    return now ? 1e-3 * (double)(now - cuda->host->millijoules) : (double)NAN;
}

/* ---- libraries ---- */

int eex__cuda_blas_check(const eex_cuda *cuda, cublasStatus_t status, const char *what)
{
    if (status == CUBLAS_STATUS_SUCCESS)
        return EEX_OK;
    int code = status == CUBLAS_STATUS_ALLOC_FAILED ? EEX_ENOMEM : EEX_EDEVICE;
    return eex_fail(code, "%s, %s: cuBLAS says %s", cuda->base.name, what,
                    cuda->libs->cublasGetStatusString(status));
}

int eex__cuda_dnn_check(const eex_cuda *cuda, cudnnStatus_t status, const char *what)
{
    if (status == CUDNN_STATUS_SUCCESS)
        return EEX_OK;
    /* In cuDNN 8 and in 9, whichever this was compiled with: "not supported" is 9 and 3000 to 3999,
     * memory that cannot be allocated 2 and 4003 and 4004. */
    int s = (int)status, code = EEX_EDEVICE;
    if (s == 9 || s / 1000 == 3)
        code = EEX_EUNSUPPORTED;
    else if (s == 2 || s == 4003 || s == 4004)
        code = EEX_ENOMEM;
    return eex_fail(code, "%s, %s: cuDNN says %s", cuda->base.name, what,
                    cuda->libs->cudnnGetErrorString(status));
}

/* What parts of a product come to is float32 until all of it is there, also where the result is
 * bfloat16: cuBLAS would otherwise round between the parts. */
static const cublasMath_t wide_sums =
    (cublasMath_t)(CUBLAS_DEFAULT_MATH | CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION);

/* A library that cannot open its handle may have dropped this chip: the next one may be older. */
static int open_blas(eex_cuda *cuda)
{
    struct eex_cuda_host *host = cuda->host;
    for (;;) {
        char path[sizeof host->libs.cublas_path];
        cublasStatus_t status = host->libs.cublasCreate_v2(&host->blas);
        if (status == CUBLAS_STATUS_SUCCESS)
            return EEX_OK;
        host->blas = NULL;
        (void)cudaGetLastError();
        memcpy(path, host->libs.cublas_path, sizeof path);
        if (status == CUBLAS_STATUS_ALLOC_FAILED ||
            eex__cuda_libs_next_cublas(&host->libs) != EEX_OK)
            return eex__cuda_blas_check(cuda, status, "opening cuBLAS");
        eex_log_warn("%s: %s cannot be opened: cuBLAS says %s; going on with %s", cuda->base.name,
                     path, host->libs.cublasGetStatusString(status), host->libs.cublas_path);
    }
}

static int open_dnn(eex_cuda *cuda)
{
    struct eex_cuda_host *host = cuda->host;
    for (;;) {
        char path[sizeof host->libs.cudnn_path];
        cudnnStatus_t status = host->libs.cudnnCreate(&host->dnn);
        if (status == CUDNN_STATUS_SUCCESS)
            return EEX_OK;
        host->dnn = NULL;
        (void)cudaGetLastError();
        int code = eex__cuda_dnn_check(cuda, status, "opening cuDNN");
        memcpy(path, host->libs.cudnn_path, sizeof path);
        const char *says = host->libs.cudnnGetErrorString(status);
        if (code == EEX_ENOMEM || eex__cuda_libs_next_cudnn(&host->libs) != EEX_OK)
            return eex__cuda_dnn_check(cuda, status, "opening cuDNN");
        eex_log_warn("%s: %s cannot be opened: cuDNN says %s; going on with %s", cuda->base.name,
                     path, says, host->libs.cudnn_path);
    }
}

static int open_libraries(eex_cuda *cuda)
{
    struct eex_cuda_host *host = cuda->host;
    EEX_TRY(eex__cuda_libs_load(&host->libs));
    const eex_cuda_libs *libs = cuda->libs = &host->libs;
    EEX_TRY(eex__cuda_alloc(cuda, &host->blas_workspace, EEX_CUDA_BLAS_WORKSPACE, "cuBLAS"));
    EEX_TRY(open_blas(cuda));
    EEX_TRY(eex__cuda_blas_check(cuda, libs->cublasSetStream_v2(host->blas, cuda->stream),
                                 "opening cuBLAS"));
    EEX_TRY(eex__cuda_blas_check(
        cuda,
        libs->cublasSetWorkspace_v2(host->blas, host->blas_workspace, EEX_CUDA_BLAS_WORKSPACE),
        "opening cuBLAS"));
    EEX_TRY(eex__cuda_blas_check(cuda, libs->cublasSetMathMode(host->blas, wide_sums),
                                 "opening cuBLAS"));
    EEX_TRY(open_dnn(cuda));
    return eex__cuda_dnn_check(cuda, libs->cudnnSetStream(host->dnn, cuda->stream),
                               "opening cuDNN");
}

static int open_staging(eex_cuda *cuda)
{
    struct eex_cuda_host *host = cuda->host;
    size_t bytes = (size_t)EEX_CUDA_STAGES * EEX_CUDA_STAGE_BYTES + EEX_CUDA_SMALL;
    EEX_TRY(eex__cuda_check(cuda,
                            cudaHostAlloc((void **)&host->pinned, bytes, cudaHostAllocDefault),
                            "pinned host memory"));
    cuda->base.held += bytes; /* until it closes: a GPU's memory and this are one to its limit */
    for (int i = 0; i < EEX_CUDA_STAGES; i++)
        EEX_TRY(eex__cuda_check(
            cuda, cudaEventCreateWithFlags(&host->staged[i], cudaEventDisableTiming), "events"));
    return eex__cuda_alloc(cuda, (void **)&cuda->step, sizeof *cuda->step, "the step");
}

int eex__cuda_host_open(eex_cuda *cuda)
{
    cuda->host = calloc(1, sizeof *cuda->host);
    if (!cuda->host)
        return eex_fail(EEX_ENOMEM, "out of memory opening %s", cuda->base.name);
    EEX_TRY(eex__cuda_check(cuda, cudaStreamCreateWithFlags(&cuda->stream, cudaStreamNonBlocking),
                            "making a stream"));
    EEX_TRY(open_staging(cuda));
    EEX_TRY(eex__cuda_ahead_open(cuda));
    EEX_TRY(open_libraries(cuda));
    open_energy(cuda);
    return eex__cuda_algorithms_open(cuda);
}

void eex__cuda_host_close(eex_cuda *cuda)
{
    struct eex_cuda_host *host = cuda->host;
    if (!host)
        return;
    if (cuda->stream)
        (void)cudaStreamSynchronize(cuda->stream);
    eex__cuda_ahead_close(cuda);
    eex__cuda_algorithms_close(cuda);
    if (host->dnn)
        cuda->libs->cudnnDestroy(host->dnn);
    if (host->blas)
        cuda->libs->cublasDestroy_v2(host->blas);
    eex__cuda_free(cuda, host->blas_workspace);
    eex__cuda_free(cuda, cuda->scratch);
    eex__cuda_free(cuda, cuda->step);
    for (int i = 0; i < EEX_CUDA_STAGES; i++)
        if (host->staged[i])
            (void)cudaEventDestroy(host->staged[i]);
    (void)cudaFreeHost(host->pinned);
    if (cuda->stream)
        (void)cudaStreamDestroy(cuda->stream);
    free(host->blocks);
    free(host);
    cuda->host = NULL;
}
