#include "cuda/libs.h"

#include "base/status.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static eex_cuda_libs loaded;
static bool is_loaded;
static const eex_cuda_libs *replacement;

typedef struct library {
    const char *title, *variable, *remedy;
    const char *names[4]; /* newest first; ends with NULL */
} library;

static const library cublas = {
    "cuBLAS",
    "EEX_CUBLAS_DIR",
    "it comes with the CUDA toolkit, or as the Python package nvidia-cublas",
    {"libcublas.so.13", "libcublas.so.12", "libcublas.so.11", NULL},
};
static const library cudnn = {
    "cuDNN",
    "EEX_CUDNN_DIR",
    "NVIDIA's site has it, or the Python package nvidia-cudnn-cu13",
    {"libcudnn.so.9", "libcudnn.so.8", NULL},
};

/* First the folder that the variable names, then wherever the system looks. */
static void *open_library(const library *of, char *path, size_t size)
{
    const char *folder = getenv(of->variable);
    for (int i = 0; folder && *folder && of->names[i]; i++) {
        snprintf(path, size, "%s/%s", folder, of->names[i]);
        void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (handle)
            return handle;
    }
    for (int i = 0; of->names[i]; i++) {
        snprintf(path, size, "%s", of->names[i]);
        void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (handle)
            return handle;
    }
    return NULL;
}

static int missing_library(const library *of)
{
    const char *folder = getenv(of->variable);
    return eex_fail(
        EEX_ENOTFOUND,
        "device \"cuda\" needs %s, and %s is neither in the system's library path nor in "
        "%s (%s): %s; then set %s to the folder that holds %s",
        of->title, of->names[0], of->variable, folder && *folder ? folder : "which is not set",
        of->remedy, of->variable, of->names[0]);
}

static int missing_function(const char *path, const char *function)
{
    return eex_fail(
        EEX_EUNSUPPORTED,
        "%s has no function %s: too old or too new for this eex, which knows cuBLAS 11.8 "
        "to 13 and cuDNN 8.9 to 9",
        path, function);
}

/* ISO C has no cast from an object pointer to a function's; POSIX promises that this works. */
static bool find(void *handle, const char *name, void *field)
{
    void *symbol = dlsym(handle, name);
    memcpy(field, &symbol, sizeof symbol);
    return symbol != NULL;
}

static int load_cublas(eex_cuda_libs *libs)
{
    void *handle = open_library(&cublas, libs->cublas_path, sizeof libs->cublas_path);
    if (!handle)
        return missing_library(&cublas);
#define FIND(name)                         \
    if (!find(handle, #name, &libs->name)) \
        return missing_function(libs->cublas_path, #name);
    EEX_CUBLAS_FUNCTIONS(FIND)
#undef FIND
    return EEX_OK;
}

static int load_cudnn(eex_cuda_libs *libs)
{
    void *handle = open_library(&cudnn, libs->cudnn_path, sizeof libs->cudnn_path);
    if (!handle)
        return missing_library(&cudnn);
#define FIND(name)                         \
    if (!find(handle, #name, &libs->name)) \
        return missing_function(libs->cudnn_path, #name);
    EEX_CUDNN_FUNCTIONS(FIND)
#undef FIND
    return EEX_OK;
}

static void load_nvml(eex_cuda_libs *libs)
{
    int (*init)(void);
    void *handle = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!handle || !find(handle, "nvmlInit_v2", &init) || init() != 0)
        return;
    find(handle, "nvmlDeviceGetHandleByPciBusId_v2", &libs->nvmlDeviceGetHandleByPciBusId_v2);
    find(handle, "nvmlDeviceGetTotalEnergyConsumption", &libs->nvmlDeviceGetTotalEnergyConsumption);
    find(handle, "nvmlSystemGetDriverVersion", &libs->nvmlSystemGetDriverVersion);
}

int eex__cuda_libs_load(const eex_cuda_libs **out)
{
    *out = replacement ? replacement : &loaded;
    if (replacement || is_loaded)
        return EEX_OK;
    EEX_TRY(load_cublas(&loaded));
    EEX_TRY(load_cudnn(&loaded));
    load_nvml(&loaded);
    is_loaded = true;
    return EEX_OK;
}

void eex__cuda_libs_use(const eex_cuda_libs *table)
{
    replacement = table;
}

void eex__cuda_libs_versions(const eex_cuda_libs *libs, char *blas, char *dnn, size_t size)
{
    int part[3] = {0};
    for (int i = 0; i < 3; i++)
        libs->cublasGetProperty((libraryPropertyType)i, &part[i]);
    snprintf(blas, size, "%d.%d.%d", part[0], part[1], part[2]);
    size_t v = libs->cudnnGetVersion(); /* 8907 is 8.9.7, 91900 is 9.19.0 */
    if (v >= 90000)
        snprintf(dnn, size, "%zu.%zu.%zu", v / 10000, v / 100 % 100, v % 100);
    else
        snprintf(dnn, size, "%zu.%zu.%zu", v / 1000, v / 100 % 10, v % 100);
}
