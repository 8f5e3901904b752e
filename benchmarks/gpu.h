/* What is measured on a GPU: the parts of bench_cuda. Each prints lines
 *
 *     NAME VALUE UNIT [note]
 *
 * with the names that peer_torch_cuda.py uses too, so that compare_cuda.sh can put them side by
 * side. */
#ifndef EEX_BENCHMARKS_GPU_H
#define EEX_BENCHMARKS_GPU_H

#include "device/device.h"

typedef struct gpu_options {
    const char *device; /* "cuda" or "cuda:N" */
    const char *only;   /* names that contain it; NULL: everything */
    int windows;        /* every figure is the median of so many windows... */
    double seconds;     /* ...of this length */
} gpu_options;

bool gpu_wanted(const gpu_options *o, const char *name);
double gpu_now(void); /* seconds */

/* Seconds of one call, which only submits work: median of the windows, each a number of calls and
 * one wait for the device. Negative when something fails; the message is set. */
double gpu_time(const gpu_options *o, eex_device *dev, int (*submit)(void *ctx), void *ctx);

/* Training throughput: train/NETWORK/BATCH/PRECISION in images/s; with /plain behind that, where
 * images do not go up beside the step before. */
int gpu_bench_train(const gpu_options *o);

/* Exit heads head/CLASSES and statistics stats/CLASSES/N in us, with the part of the copy bandwidth
 * that they reach. */
int gpu_bench_ops(const gpu_options *o);

/* Adaptive inference: adaptive/BATCH, the part of the speed-up in MACs that is a speed-up in time,
 * and single/mobilenetv2, milliseconds of one image. */
int gpu_bench_infer(const gpu_options *o);

#endif
