/* Devices, memory, errors, and launches on their way to the emulator. */
#include "cuda/fake_runtime.h"

#include "cuda/emulate.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>

extern "C" void eex_fake_libs_install(void); /* fake_libs.c */

std::recursive_mutex fake::mutex;
bool fake::late = !getenv("EEX_EMULATE_EAGER");
eex_fake_cuda_counts fake::counts;

namespace {

struct failure {
    long countdown;
    cudaError_t error;
};

/* EEX_EMULATE_FAIL="kernel 500". */
std::map<std::string, failure> failures_ordered_from_outside()
{
    char function[64];
    int nth;
    const char *text = getenv("EEX_EMULATE_FAIL");
    if (!text || sscanf(text, "%63s %d", function, &nth) != 2)
        return {};
    return {{function, {nth, cudaErrorIllegalAddress}}};
}

std::map<std::string, failure> failures = failures_ordered_from_outside();
std::string lost_function;
int lost_in; /* calls until one is lost; 0: none is any more */
cudaError_t sticky = cudaSuccess, last = cudaSuccess;
std::map<uintptr_t, size_t> device_blocks, pinned_blocks;
std::map<const void *, size_t> shared_limits;
std::set<const void *> loaded;
size_t held, total_memory = (size_t)16 << 30;
int capability[2] = {8, 0};

/* Before main: the libraries' places are taken, and what the environment asks for is done. */
__attribute__((constructor)) void install()
{
    eex_fake_libs_install();
    const char *text = getenv("EEX_EMULATE_CAPABILITY");
    if (text && sscanf(text, "%d.%d", &capability[0], &capability[1]) != 2)
        fprintf(stderr, "EEX_EMULATE_CAPABILITY is \"%s\", expected something like 6.1\n", text);
    const char *seed = getenv("EEX_EMULATE_SEED");
    if (seed)
        emulate::seed(strtoull(seed, nullptr, 10));
}

__attribute__((destructor)) void write_counts()
{
    const eex_fake_cuda_counts c = fake::counts;
    const char *path = getenv("EEX_EMULATE_COUNTS");
    FILE *f = path ? fopen(path, "w") : nullptr;
    if (!f)
        return;
    fprintf(f, "kernels %ld\ngraphs %ld\nwaits %ld\nwithin %ld\n", c.kernels, c.graphs, c.waits,
            c.within);
    fclose(f);
}

bool stays(cudaError_t error)
{
    return error == cudaErrorIllegalAddress || error == cudaErrorLaunchFailure ||
           error == cudaErrorMisalignedAddress || error == cudaErrorHardwareStackError ||
           error == cudaErrorIllegalInstruction || error == cudaErrorAssert ||
           error == cudaErrorLaunchTimeout || error == cudaErrorECCUncorrectable;
}

/* The error ordered for this call, if it comes now. */
cudaError_t ordered(const char *function)
{
    auto found = failures.find(function);
    if (found == failures.end() || --found->second.countdown > 0)
        return cudaSuccess;
    cudaError_t error = found->second.error;
    failures.erase(found);
    if (stays(error))
        sticky = error;
    return error;
}

/* Only the ends of what is very large, or filling it would be most of a test's time. */
void poison(void *memory, size_t bytes)
{
    const size_t most = 16 << 20, edge = 2 << 20;
    char *at = static_cast<char *>(memory);
    if (bytes <= most) {
        memset(at, 0xff, bytes);
    } else {
        memset(at, 0xff, edge);
        memset(at + bytes - edge, 0xff, edge);
    }
}

bool within(const std::map<uintptr_t, size_t> &blocks, const void *at, size_t bytes)
{
    auto next = blocks.upper_bound((uintptr_t)at);
    if (next == blocks.begin())
        return false;
    --next;
    return (uintptr_t)at + bytes <= next->first + next->second;
}

cudaError_t take(std::map<uintptr_t, size_t> &blocks, void *memory)
{
    auto found = blocks.find((uintptr_t)memory);
    if (found == blocks.end())
        return fake::failed(cudaErrorInvalidValue);
    if (&blocks == &device_blocks)
        held -= found->second;
    blocks.erase(found);
    free(memory);
    return cudaSuccess;
}

cudaError_t check_launch(const emulate::kernel &k)
{
    size_t threads = (size_t)k.block.x * k.block.y * k.block.z;
    bool fits = threads >= 1 && threads <= 1024 && k.block.z <= 64 && k.grid.x >= 1 &&
                k.grid.x <= 0x7fffffffu && k.grid.y >= 1 && k.grid.y <= 65535 && k.grid.z >= 1 &&
                k.grid.z <= 65535 && k.shared <= fake::shared_limit(k.function);
    return fits ? cudaSuccess : cudaErrorInvalidConfiguration;
}

std::map<std::string, long> ran; /* by kernel */

void run_kernel(const emulate::kernel &k)
{
    if (cudaError_t error = ordered("kernel")) {
        sticky = error;
        return;
    }
    fake::counts.kernels++;
    ran[k.name]++;
    emulate::run(k);
}

} // namespace

namespace fake {

cudaError_t enter(const char *function)
{
    if (cudaError_t error = ordered(function))
        return failed(error);
    return sticky ? failed(sticky) : cudaSuccess;
}

cudaError_t fails(const char *function)
{
    return ordered(function);
}

bool loses(const char *function)
{
    return lost_in > 0 && lost_function == function && --lost_in == 0;
}

cudaError_t failed(cudaError_t error)
{
    if (error != cudaSuccess && error != cudaErrorNotReady)
        last = error;
    return error;
}

void stick(cudaError_t error)
{
    sticky = error;
}

cudaError_t stuck()
{
    return sticky;
}

bool is_device(const void *at, size_t bytes)
{
    return within(device_blocks, at, bytes);
}

bool is_pinned(const void *at, size_t bytes)
{
    return within(pinned_blocks, at, bytes);
}

void need_device(const char *who, const void *at, size_t bytes)
{
    if (is_device(at, bytes))
        return;
    fprintf(stderr, "%s: %zu bytes from %p on are not within an allocation on the device\n", who,
            bytes, at);
    abort();
}

bool is_loaded(const void *function)
{
    return loaded.count(function) > 0;
}

void load(const void *function)
{
    loaded.insert(function);
}

size_t shared_limit(const void *function)
{
    auto found = shared_limits.find(function);
    return found == shared_limits.end() ? 48 << 10 : found->second;
}

uint64_t random_below(uint64_t n)
{
    static uint64_t state = 88172645463325252ull;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % n;
}

} // namespace fake

void emulate::submit(kernel &&k, cudaStream_t stream)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    if (fake::enter("launch"))
        return;
    if (cudaError_t error = check_launch(k)) {
        fprintf(stderr,
                "emulated kernel %s: a launch of (%u, %u, %u) blocks of (%u, %u, %u) threads with "
                "%zu bytes of shared memory is refused\n",
                k.name, k.grid.x, k.grid.y, k.grid.z, k.block.x, k.block.y, k.block.z, k.shared);
        fake::failed(error);
        return;
    }
    if (fake::captures(stream) && !fake::is_loaded(k.function)) {
        fprintf(stderr, "emulated kernel %s: captured before the driver has loaded it\n", k.name);
        fake::forbidden_in_capture();
        return;
    }
    fake::load(k.function);
    fake::enqueue(stream, [k = std::move(k)] { run_kernel(k); });
}

/* ---- what tests ask for ---- */

void eex_fake_cuda_fail(const char *function, int nth, cudaError_t error)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    failures[function] = {nth, error};
}

bool eex_fake_cuda_failed(const char *function)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    return failures.count(function) == 0;
}

void eex_fake_cuda_lose(const char *function, int nth)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    lost_function = function;
    lost_in = nth;
}

bool eex_fake_cuda_lost(void)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    return lost_in == 0;
}

void eex_fake_cuda_heal(void)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    failures.clear();
    lost_in = 0;
    sticky = last = cudaSuccess;
}

void eex_fake_cuda_late(bool late)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    fake::flush_all();
    fake::late = late;
}

void eex_fake_cuda_capability(int major, int minor)
{
    capability[0] = major;
    capability[1] = minor;
}

void eex_fake_cuda_memory(size_t bytes)
{
    total_memory = bytes;
}

size_t eex_fake_cuda_held(void)
{
    return held;
}

eex_fake_cuda_counts eex_fake_cuda_count(void)
{
    return fake::counts;
}

long eex_fake_cuda_ran(const char *kernel)
{
    auto found = ran.find(kernel);
    return found == ran.end() ? 0 : found->second;
}

void eex_fake_cuda_seed(uint64_t seed)
{
    emulate::seed(seed);
}

/* ---- devices ---- */

cudaError_t cudaGetDeviceCount(int *count)
{
    FAKE_ENTER();
    *count = capability[0] > 0;
    return *count ? cudaSuccess : fake::failed(cudaErrorNoDevice);
}

cudaError_t cudaSetDevice(int device)
{
    FAKE_ENTER();
    return device == 0 && capability[0] > 0 ? cudaSuccess : fake::failed(cudaErrorInvalidDevice);
}

cudaError_t cudaGetDevice(int *device)
{
    FAKE_ENTER();
    *device = 0;
    return cudaSuccess;
}

/* Few processors, so that grids sized by them are small and loops over the grid are met. */
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int device)
{
    FAKE_ENTER();
    if (device != 0)
        return fake::failed(cudaErrorInvalidDevice);
    memset(p, 0, sizeof *p);
    strcpy(p->name, "emulated");
    p->major = capability[0];
    p->minor = capability[1];
    p->totalGlobalMem = total_memory;
    p->multiProcessorCount = 3;
    p->warpSize = 32;
    p->maxThreadsPerBlock = 1024;
    p->maxThreadsPerMultiProcessor = 2048;
    p->maxBlocksPerMultiProcessor = 32;
    p->sharedMemPerBlock = 48 << 10;
    p->sharedMemPerBlockOptin = capability[0] >= 8 ? 163 << 10 : 48 << 10;
    p->sharedMemPerMultiprocessor = 164 << 10;
    p->regsPerBlock = p->regsPerMultiprocessor = 65536;
    p->l2CacheSize = 4 << 20;
    p->memoryBusWidth = 256;
    p->unifiedAddressing = p->concurrentKernels = 1;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int device)
{
    struct cudaDeviceProp p;
    if (cudaError_t error = cudaGetDeviceProperties(&p, device))
        return error;
    FAKE_ENTER();
    switch ((int)attribute) {
    case cudaDevAttrMultiProcessorCount:
        *value = p.multiProcessorCount;
        return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
        *value = p.major;
        return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
        *value = p.minor;
        return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlock:
        *value = (int)p.sharedMemPerBlock;
        return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        *value = (int)p.sharedMemPerBlockOptin;
        return cudaSuccess;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
        *value = p.maxThreadsPerMultiProcessor;
        return cudaSuccess;
    case cudaDevAttrL2CacheSize:
        *value = p.l2CacheSize;
        return cudaSuccess;
    case cudaDevAttrClockRate:
    case cudaDevAttrMemoryClockRate:
        *value = 1000000;
        return cudaSuccess;
    default:
        return fake::failed(cudaErrorInvalidValue);
    }
}

cudaError_t cudaDeviceGetPCIBusId(char *text, int length, int)
{
    FAKE_ENTER();
    snprintf(text, (size_t)length, "0000:00:00.0");
    return cudaSuccess;
}

/* EEX_EMULATE_DRIVER=0: there is none. */
cudaError_t cudaDriverGetVersion(int *version)
{
    FAKE_ENTER();
    const char *driver = getenv("EEX_EMULATE_DRIVER");
    *version = driver && *driver == '0' ? 0 : CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    FAKE_ENTER();
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void *function, enum cudaFuncAttribute attribute, int value)
{
    FAKE_ENTER();
    size_t most = capability[0] >= 8 ? 163 << 10 : 48 << 10;
    if (attribute == cudaFuncAttributeMaxDynamicSharedMemorySize) {
        if (value < 0 || (size_t)value > most)
            return fake::failed(cudaErrorInvalidValue);
        shared_limits[function] = (size_t)value;
    }
    return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *out, const void *function)
{
    FAKE_ENTER();
    if (fake::any_capture() && !fake::is_loaded(function))
        return fake::forbidden_in_capture();
    fake::load(function);
    *out = {};
    out->maxThreadsPerBlock = 1024;
    out->binaryVersion = capability[0] * 10 + capability[1];
    return cudaSuccess;
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, const void *, int threads,
                                                          size_t shared)
{
    FAKE_ENTER();
    if (threads < 1 || threads > 1024)
        return fake::failed(cudaErrorInvalidValue);
    int by_threads = 2048 / threads, by_shared = shared ? (int)((164u << 10) / shared) : 32;
    *blocks = by_threads < by_shared ? by_threads : by_shared;
    return cudaSuccess;
}

/* ---- memory ---- */

cudaError_t cudaMemGetInfo(size_t *available, size_t *total)
{
    FAKE_ENTER();
    *available = total_memory - held;
    *total = total_memory;
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **out, size_t bytes)
{
    FAKE_ENTER();
    *out = nullptr;
    if (fake::any_capture())
        return fake::forbidden_in_capture();
    if (bytes == 0)
        return cudaSuccess;
    if (bytes > total_memory || held > total_memory - bytes || posix_memalign(out, 256, bytes))
        return fake::failed(cudaErrorMemoryAllocation);
    poison(*out, bytes);
    device_blocks[(uintptr_t)*out] = bytes;
    held += bytes;
    return cudaSuccess;
}

cudaError_t cudaFree(void *memory)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    cudaError_t error = fake::enter(__func__);
    if (!memory)
        return error;
    if (fake::any_capture())
        return fake::forbidden_in_capture();
    fake::flush_all();
    cudaError_t taken = take(device_blocks, memory); /* also on a GPU that is lost */
    return error ? error : taken;
}

cudaError_t cudaHostAlloc(void **out, size_t bytes, unsigned int)
{
    FAKE_ENTER();
    *out = nullptr;
    if (fake::any_capture())
        return fake::forbidden_in_capture();
    if (posix_memalign(out, 4096, bytes ? bytes : 1))
        return fake::failed(cudaErrorMemoryAllocation);
    pinned_blocks[(uintptr_t)*out] = bytes;
    return cudaSuccess;
}

cudaError_t cudaMallocHost(void **out, size_t bytes)
{
    return cudaHostAlloc(out, bytes, 0);
}

cudaError_t cudaFreeHost(void *memory)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    cudaError_t error = fake::enter(__func__);
    if (!memory)
        return error;
    if (fake::any_capture())
        return fake::forbidden_in_capture();
    fake::flush_all();
    cudaError_t taken = take(pinned_blocks, memory); /* also on a GPU that is lost */
    return error ? error : taken;
}

/* ---- errors ---- */

cudaError_t cudaGetLastError(void)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    cudaError_t error = last;
    last = sticky;
    return error;
}

cudaError_t cudaPeekAtLastError(void)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    return last;
}

namespace {

const struct {
    cudaError_t error;
    const char *name, *text;
} errors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration",
     "invalid configuration argument"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver",
     "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorIllegalAddress, "cudaErrorIllegalAddress",
     "an illegal memory access was encountered"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
    {cudaErrorECCUncorrectable, "cudaErrorECCUncorrectable", "uncorrectable ECC error encountered"},
    {cudaErrorNoKernelImageForDevice, "cudaErrorNoKernelImageForDevice",
     "no kernel image is available for execution on the device"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
};

} // namespace

const char *cudaGetErrorName(cudaError_t error)
{
    for (const auto &e : errors)
        if (e.error == error)
            return e.name;
    return "cudaErrorUnknown";
}

const char *cudaGetErrorString(cudaError_t error)
{
    for (const auto &e : errors)
        if (e.error == error)
            return e.text;
    return "unknown error";
}
