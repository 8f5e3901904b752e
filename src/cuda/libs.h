/* The libraries that eex does not link: cuBLAS and cuDNN (both needed to open a device) and NVML
 * (energy; missed without complaint). They are loaded when the first device opens, so that one
 * program starts on machines with and without them, and finds whichever major version is there:
 *
 *   cuDNN   $EEX_CUDNN_DIR/libcudnn.so.9 or .8, then the system's
 *   cuBLAS  $EEX_CUBLAS_DIR/libcublas.so.13, .12 or .11, then the system's
 *
 * A table is also how the tests put their own implementations in place (eex__cuda_libs_use). */
#ifndef EEX_CUDA_LIBS_H
#define EEX_CUDA_LIBS_H

#include <stddef.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <cublas_v2.h>
#include <cudnn.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EEX_CUBLAS_FUNCTIONS(X) \
    X(cublasCreate_v2)          \
    X(cublasDestroy_v2)         \
    X(cublasSetStream_v2)       \
    X(cublasSetWorkspace_v2)    \
    X(cublasSetMathMode)        \
    X(cublasGetProperty)        \
    X(cublasGetStatusString)    \
    X(cublasGemmEx)

#define EEX_CUDNN_FUNCTIONS(X)                        \
    X(cudnnCreate)                                    \
    X(cudnnDestroy)                                   \
    X(cudnnSetStream)                                 \
    X(cudnnGetVersion)                                \
    X(cudnnGetErrorString)                            \
    X(cudnnCreateTensorDescriptor)                    \
    X(cudnnSetTensor4dDescriptor)                     \
    X(cudnnDestroyTensorDescriptor)                   \
    X(cudnnCreateFilterDescriptor)                    \
    X(cudnnSetFilter4dDescriptor)                     \
    X(cudnnDestroyFilterDescriptor)                   \
    X(cudnnCreateConvolutionDescriptor)               \
    X(cudnnSetConvolution2dDescriptor)                \
    X(cudnnSetConvolutionMathType)                    \
    X(cudnnDestroyConvolutionDescriptor)              \
    X(cudnnGetConvolutionForwardWorkspaceSize)        \
    X(cudnnGetConvolutionBackwardDataWorkspaceSize)   \
    X(cudnnGetConvolutionBackwardFilterWorkspaceSize) \
    X(cudnnConvolutionForward)                        \
    X(cudnnConvolutionBackwardData)                   \
    X(cudnnConvolutionBackwardFilter)

/* Of NVML, by its documented ABI: its header is not always beside the toolkit. */
typedef struct eex_nvml_device *eex_nvml_device;

#define EEX_CUDA_LIBRARY_ENTRY(name) \
    __typeof__(&name) name; /* NOLINT(bugprone-macro-parentheses): a field */

struct eex_cuda_libs {
    EEX_CUBLAS_FUNCTIONS(EEX_CUDA_LIBRARY_ENTRY)
    EEX_CUDNN_FUNCTIONS(EEX_CUDA_LIBRARY_ENTRY)
    /* NULL without NVML */
    int (*nvmlDeviceGetHandleByPciBusId_v2)(const char *bus, eex_nvml_device *out);
    int (*nvmlDeviceGetTotalEnergyConsumption)(eex_nvml_device device, unsigned long long *mj);
    int (*nvmlSystemGetDriverVersion)(char *version, unsigned length);
    char cublas_path[256], cudnn_path[256]; /* where they were found */
};
typedef struct eex_cuda_libs eex_cuda_libs;

/* The table, loaded once in a process; borrowed. EEX_ENOTFOUND says which library is missing, where
 * it was looked for and what would help. Not synchronised: devices open from one thread. */
int eex__cuda_libs_load(const eex_cuda_libs **out);

/* From now on load returns this table; NULL: the real libraries again. */
void eex__cuda_libs_use(const eex_cuda_libs *table);

/* The version numbers of a table's libraries as text: "13.0.2" and "9.19.0". */
void eex__cuda_libs_versions(const eex_cuda_libs *libs, char *cublas, char *cudnn, size_t size);

#ifdef __cplusplus
}
#endif
#pragma GCC diagnostic pop
#endif
