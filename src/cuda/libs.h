/* The libraries that eex does not link: cuBLAS and cuDNN (both needed to open a device) and NVML
 * (energy; missed without complaint). They are loaded when the first device opens, so that one
 * program starts on machines with and without them, and finds whichever major version is there:
 *
 *   cuDNN   $EEX_CUDNN_DIR/libcudnn.so.9 or .8, then the system's
 *   cuBLAS  $EEX_CUBLAS_DIR/libcublas.so.13, .12 or .11, then the system's
 *
 * The major that this build's headers have goes first, for the runtime is of the same age; then the
 * newest. A chip may be older than what a library still has: then opening its handle fails, and the
 * device goes on to the next one (host.c).
 *
 * cuDNN is many files, which it loads itself as they are needed, and ends the process where one
 * cannot be loaded. So all that convolutions need are loaded here first, where a failure is a
 * message. No function of cuDNN is called on a machine without a driver.
 *
 * A table is also how the tests put their own implementations in place (eex__cuda_libs_use). */
#ifndef EEX_CUDA_LIBS_H
#define EEX_CUDA_LIBS_H

#include <stdbool.h>
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
    X(cudnnSetConvolutionGroupCount)                  \
    X(cudnnSetConvolutionMathType)                    \
    X(cudnnDestroyConvolutionDescriptor)              \
    X(cudnnGetConvolutionForwardWorkspaceSize)        \
    X(cudnnGetConvolutionBackwardDataWorkspaceSize)   \
    X(cudnnGetConvolutionBackwardFilterWorkspaceSize) \
    X(cudnnCreateActivationDescriptor)                \
    X(cudnnSetActivationDescriptor)                   \
    X(cudnnDestroyActivationDescriptor)               \
    X(cudnnConvolutionForward)                        \
    X(cudnnConvolutionBiasActivationForward)          \
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
    int cublas_at, cudnn_at;                /* which of the places that is */
};
typedef struct eex_cuda_libs eex_cuda_libs;

/* Fills the table with the first libraries that can be loaded; they stay loaded as long as the
 * process. EEX_ENOTFOUND says which one is missing, where it was looked for, what the loader says
 * and what would help. Not synchronised: devices open from one thread. */
int eex__cuda_libs_load(eex_cuda_libs *out);

/* In which order majors, newest first, are looked for: that of this build's headers, whose
 * functions are known to fit, then the newest. `order` (count) gets their indices. */
void eex__cuda_libs_order(int *order, const int *majors, int count, int built_for);

/* In place of a library that does not work with this chip, the one that is looked for next.
 * EEX_ENOTFOUND: there is none; the table stays as it is. */
int eex__cuda_libs_next_cublas(eex_cuda_libs *libs);
int eex__cuda_libs_next_cudnn(eex_cuda_libs *libs);

/* From now on these are the places that are looked into, borrowed; NULL: the real ones again. */
void eex__cuda_libs_use(const eex_cuda_libs *tables, int count);

/* The version numbers of a table's libraries as text: "13.0.2" and "9.19.0"; without `driver` only
 * the major that is in cuDNN's name, "9". */
void eex__cuda_libs_versions(const eex_cuda_libs *libs, char *cublas, char *cudnn, size_t size,
                             bool driver);

#ifdef __cplusplus
}
#endif
#pragma GCC diagnostic pop
#endif
