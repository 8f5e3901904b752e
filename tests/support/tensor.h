/* Arrays for op tests: a host copy and a device copy, the latter followed by a guard that shows
 * writes past the end. A bench owns them all and knows the device; it uses nothing but the device
 * interface, so the same test can run on every backend. */
#ifndef EEX_TESTS_TENSOR_H
#define EEX_TESTS_TENSOR_H

#include "device/device.h"

typedef struct tensor {
    size_t n;
    float *host;
    float *dev;
} tensor;

typedef struct bench {
    eex_device *dev;
    void *device_memory[96];
    void *host_memory[96];
    int device_count, host_count;
} bench;

void bench_init(bench *b, eex_device *dev);
void bench_free(bench *b); /* and everything that was made with it */

/* Uniform in low..high, the same for the same seed. */
tensor tensor_random(bench *b, size_t n, uint64_t seed, double low, double high);
tensor tensor_filled(bench *b, size_t n, float value);
tensor tensor_poison(bench *b, size_t n); /* NaN: for outputs */
tensor tensor_from(bench *b, const float *values, size_t n);

/* Any bytes on the device, with no host copy. */
void *bench_bytes(bench *b, const void *from, size_t bytes);

/* As doubles, for the references; belongs to the bench. */
double *tensor_doubles(bench *b, tensor t);

/* Zeros on the host; belong to the bench. */
double *bench_doubles(bench *b, size_t n);

void tensor_upload(bench *b, tensor t);   /* host to device */
void tensor_download(bench *b, tensor t); /* device to host; fails when the guard was touched */

/* Prepares, runs once and finishes; any failure fails the test. */
void bench_run(bench *b, const eex_op *op, int max_batch, const eex_step *step);

/* A step of `batch` samples: seed 7, epoch 2, step 3, lr 0.1. */
eex_step bench_step(int batch);

/* Fails the test unless |got - want| <= tolerance * (1 + |want|) everywhere; NaN never passes. */
void expect_close(const char *what, const float *got, const double *want, size_t n,
                  double tolerance);
void expect_equal_bits(const char *what, const float *got, const float *want, size_t n);

#endif
