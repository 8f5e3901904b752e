/* What the CUDA backend is for, measured on a GPU: training throughput, the fused exit head and the
 * statistics per class, adaptive inference. peer_torch_cuda.py does the same in PyTorch,
 * compare_cuda.sh both in turn with a table of ratios.
 *
 *     bench_cuda [--device cuda:N] [--windows N] [--seconds S] [TEXT]
 *
 * TEXT: only what has it in its name ("train/mobilenetv2", "head", "adaptive"). Without a GPU it
 * says why and ends with 77. */
#include "cuda/cuda_register.h"
#include "cuda/inventory.h"
#include "gpu.h"
#include "networks.h"

#include "base/status.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_WINDOWS = 99, SKIPPED = 77 };

bool gpu_wanted(const gpu_options *o, const char *name)
{
    return !o->only || strstr(name, o->only);
}

double gpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double calls(eex_device *dev, int (*submit)(void *ctx), void *ctx, int count)
{
    double begin = gpu_now();
    for (int i = 0; i < count; i++)
        if (submit(ctx) < 0)
            return -1;
    if (dev->vtable->sync(dev) < 0)
        return -1;
    return gpu_now() - begin;
}

double gpu_time(const gpu_options *o, eex_device *dev, int (*submit)(void *ctx), void *ctx)
{
    enum { WARM_UP = 10 };
    double each[MAX_WINDOWS];
    if (calls(dev, submit, ctx, WARM_UP) < 0)
        return -1;
    double first = calls(dev, submit, ctx, WARM_UP);
    if (first < 0)
        return -1;
    int count = 1 + (int)(o->seconds * WARM_UP / first);
    for (int i = 0; i < o->windows; i++) {
        double passed = calls(dev, submit, ctx, count);
        if (passed < 0)
            return -1;
        each[i] = passed / count;
    }
    return median(each, o->windows);
}

static const char *or_none(const char *text)
{
    return *text ? text : "none";
}

/* The machine, for whoever reads the figures later; false: there is nothing to measure on. */
static bool describe(void)
{
    static eex_cuda_inventory cuda;
    eex_cuda_take_inventory(&cuda);
    for (int i = 0; i < cuda.gpus; i++)
        printf("# cuda:%d %s, compute capability %d.%d, %d multiprocessors at up to %d MHz\n", i,
               cuda.gpu[i].name, cuda.gpu[i].major, cuda.gpu[i].minor, cuda.gpu[i].processors,
               cuda.gpu[i].clock_mhz);
    printf("# driver %s (CUDA %s), runtime %s, cuBLAS %s, cuDNN %s\n", or_none(cuda.driver),
           or_none(cuda.driver_cuda), cuda.runtime, or_none(cuda.cublas), or_none(cuda.cudnn));
    if (*cuda.no_gpu || *cuda.no_library)
        printf("no GPU to measure on: %s\n", *cuda.no_gpu ? cuda.no_gpu : cuda.no_library);
    return !*cuda.no_gpu && !*cuda.no_library;
}

static bool parse(gpu_options *o, int argc, char **argv)
{
    static const struct option known[] = {{"device", required_argument, NULL, 'd'},
                                          {"windows", required_argument, NULL, 'w'},
                                          {"seconds", required_argument, NULL, 's'},
                                          {0}};
    *o = (gpu_options){.device = "cuda", .windows = 5, .seconds = 1};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (c == 'd')
            o->device = optarg;
        else if (c == 'w')
            o->windows = atoi(optarg);
        else if (c == 's')
            o->seconds = atof(optarg);
        else
            return false;
    }
    o->only = optind < argc ? argv[optind] : NULL;
    return o->windows > 0 && o->windows <= MAX_WINDOWS && o->seconds > 0;
}

int main(int argc, char **argv)
{
    gpu_options o;
    if (!parse(&o, argc, argv)) {
        fprintf(stderr, "usage: bench_cuda [--device cuda:N] [--windows N] [--seconds S] [TEXT]\n");
        return 2;
    }
    if (eex_cuda_register() < 0 || !describe())
        return SKIPPED;
    if (gpu_bench_ops(&o) < 0 || gpu_bench_infer(&o) < 0 || gpu_bench_train(&o) < 0) {
        fprintf(stderr, "bench_cuda: %s\n", eex_error());
        return 1;
    }
    return 0;
}
