#include "cuda/inventory.h"

#include "cuda/chain.h"
#include "cuda/chips.h"
#include "cuda/libs.h"

#include "base/status.h"

#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* Of NVML, by its documented ABI, what is asked here alone; 0 is success. */
typedef struct nvml {
    int (*init)(void);
    int (*driver)(char *version, unsigned length);
    int (*version)(char *version, unsigned length);
    int (*handle)(const char *bus, eex_nvml_device *out);
    int (*memory)(eex_nvml_device device, unsigned long long total_free_used[3]);
    int (*energy)(eex_nvml_device device, unsigned long long *millijoules);
} nvml;

/* ISO C has no cast from an object pointer to a function's; POSIX promises that this works. */
static bool find(void *handle, const char *name, void *function)
{
    void *symbol = dlsym(handle, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool nvml_open(nvml *out)
{
    void *handle = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    return handle && find(handle, "nvmlInit_v2", &out->init) &&
           find(handle, "nvmlSystemGetDriverVersion", &out->driver) &&
           find(handle, "nvmlSystemGetNVMLVersion", &out->version) &&
           find(handle, "nvmlDeviceGetHandleByPciBusId_v2", &out->handle) &&
           find(handle, "nvmlDeviceGetMemoryInfo", &out->memory) &&
           find(handle, "nvmlDeviceGetTotalEnergyConsumption", &out->energy) && out->init() == 0;
}

static void ask_nvml(eex_cuda_gpu *gpu, const nvml *n, int ordinal)
{
    char bus[32];
    eex_nvml_device device;
    unsigned long long memory[3], millijoules = 0;
    if (cudaDeviceGetPCIBusId(bus, sizeof bus, ordinal) != cudaSuccess ||
        n->handle(bus, &device) != 0)
        return;
    gpu->free_known = n->memory(device, memory) == 0;
    gpu->free_bytes = gpu->free_known ? (size_t)memory[1] : 0;
    gpu->energy = n->energy(device, &millijoules) == 0 && millijoules > 0;
}

static void describe(eex_cuda_gpu *gpu, int ordinal)
{
    struct cudaDeviceProp properties;
    int khz = 0;
    *gpu = (eex_cuda_gpu){.name = "?"};
    if (cudaGetDeviceProperties(&properties, ordinal) != cudaSuccess)
        return;
    snprintf(gpu->name, sizeof gpu->name, "%.127s", properties.name);
    gpu->major = properties.major;
    gpu->minor = properties.minor;
    gpu->kernels = eex_cuda_chips_have(eex_cuda_chips(), gpu->major, gpu->minor);
    gpu->processors = properties.multiProcessorCount;
    gpu->bytes = properties.totalGlobalMem;
    gpu->bf16 = gpu->tf32 = gpu->major >= 8;
    if (cudaDeviceGetAttribute(&khz, cudaDevAttrClockRate, ordinal) == cudaSuccess)
        gpu->clock_mhz = khz / 1000;
}

/* 13000 is 13.0, 12040 is 12.4; 0: there is none. */
static void version_text(char *out, size_t size, int version)
{
    if (version > 0)
        snprintf(out, size, "%d.%d", version / 1000, version % 1000 / 10);
}

/* The newest CUDA that the driver knows, and the runtime of this build; 0 without a driver. */
static void ask_versions(int *driver, int *runtime)
{
    *driver = *runtime = 0;
    (void)cudaDriverGetVersion(driver);
    (void)cudaRuntimeGetVersion(runtime);
}

static void say_why(char *why, size_t size, cudaError_t error)
{
    int driver, runtime;
    char driver_text[16] = "", runtime_text[16] = "";
    ask_versions(&driver, &runtime);
    version_text(driver_text, sizeof driver_text, driver);
    version_text(runtime_text, sizeof runtime_text, runtime);
    if (driver == 0)
        snprintf(why, size, "there is no NVIDIA driver here");
    else if (error == cudaErrorInsufficientDriver)
        snprintf(why, size,
                 "the NVIDIA driver here is for CUDA %s, older than the runtime of this build (%s)",
                 driver_text, runtime_text);
    else
        snprintf(why, size,
                 "no GPU is visible (%s; driver for CUDA %s, runtime %s); look at nvidia-smi and "
                 "CUDA_VISIBLE_DEVICES",
                 error == cudaSuccess ? "the driver lists none" : cudaGetErrorString(error),
                 driver_text, runtime_text);
}

int eex_cuda_count(char *why, size_t size)
{
    int count = 0;
    cudaError_t error = cudaGetDeviceCount(&count);
    *why = '\0';
    if (error != cudaSuccess || count < 1) {
        say_why(why, size, error);
        count = 0;
    }
    (void)cudaGetLastError(); /* nothing of this is an error of what comes next */
    return count;
}

static void ask_runtime(eex_cuda_inventory *out)
{
    int driver, runtime;
    ask_versions(&driver, &runtime);
    version_text(out->driver_cuda, sizeof out->driver_cuda, driver);
    version_text(out->runtime, sizeof out->runtime, runtime);
    out->gpus = eex_cuda_count(out->no_gpu, sizeof out->no_gpu);
    if (out->gpus > EEX_CUDA_MOST_GPUS)
        out->gpus = EEX_CUDA_MOST_GPUS;
    for (int i = 0; i < out->gpus; i++)
        describe(&out->gpu[i], i);
}

static void ask_libraries(eex_cuda_inventory *out)
{
    static eex_cuda_libs libs;
    int driver, runtime;
    ask_versions(&driver, &runtime);
    if (eex__cuda_libs_load(&libs) < 0) {
        snprintf(out->no_library, sizeof out->no_library, "%s", eex_error());
        return;
    }
    eex__cuda_libs_versions(&libs, out->cublas, out->cudnn, sizeof out->cublas, driver > 0);
    snprintf(out->cublas_path, sizeof out->cublas_path, "%s", libs.cublas_path);
    snprintf(out->cudnn_path, sizeof out->cudnn_path, "%s", libs.cudnn_path);
}

void eex_cuda_take_inventory(eex_cuda_inventory *out)
{
    nvml n = {0};
    *out = (eex_cuda_inventory){.graphs = true, .conditional = eex__cuda_has_chain()};
    eex_cuda_chips_text(eex_cuda_chips(), out->chips, sizeof out->chips);
    ask_runtime(out);
    ask_libraries(out);
    if (nvml_open(&n)) {
        n.driver(out->driver, sizeof out->driver);
        n.version(out->nvml, sizeof out->nvml);
        for (int i = 0; i < out->gpus; i++)
            ask_nvml(&out->gpu[i], &n, i);
    }
    (void)cudaGetLastError(); /* nothing of this is an error of what comes next */
}
