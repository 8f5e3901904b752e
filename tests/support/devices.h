/* The devices that a test program runs on: those of one kind, chosen when it is linked. With
 * tests/cpu/devices.c the CPU with each instruction set that the processor has; with
 * tests/cuda/devices.c the first GPU, or the emulator in its place (a test is skipped with its
 * reason where there is neither). */
#ifndef EEX_TESTS_SUPPORT_DEVICES_H
#define EEX_TESTS_SUPPORT_DEVICES_H

#include "device/backends.h"
#include "device/device.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* On the CPU with one thread and with three, which never divide the work evenly. */
void on_each_device(void (*test)(eex_device *dev));

/* On every unit that multiplies in bfloat16 (EEX_BF16_PRODUCTS), with one thread and with three;
 * returns how many devices that were. */
int on_each_bf16_device(void (*test)(eex_device *dev));

/* The best one; its bits repeat. Any failure fails the test. `threads` is for the CPU. */
eex_device *open_device(int threads);

/* Another of the same kind (instruction set, GPU), so that both must give the same bits. */
eex_device *open_device_like(const eex_device *dev, int threads);

/* Whether this program runs on a "cpu" or a "cuda". */
extern const char device_kind[];

static inline bool on_cpu(void)
{
    return strcmp(device_kind, "cpu") == 0;
}

/* Whether a sample's bits are the same whatever batch it is in: not on a real GPU, where cuBLAS and
 * cuDNN choose their kernels by the batch. */
bool device_repeats_bits(void);

/* Whether the same op gives the same bits twice: a GPU does when it is asked to (the default here);
 * EEX_TESTS_FAST=1 lets it choose as it likes. */
bool device_is_deterministic(void);

/* Fails unless `got` is `want`: bit for bit where the device repeats bits, else within what
 * rounding may do to float32 (norm of the difference over the norm). */
void expect_repeated(const char *what, const float *got, const float *want, size_t n);

/* A copy of device memory, for the caller to free. */
static inline float *fetch_floats(eex_device *dev, const float *from, size_t count)
{
    float *to = malloc(count * sizeof *to + 1);
    cr_assert_not_null(to);
    int code = dev->vtable->download(dev, to, from, count * sizeof *to);
    cr_assert_eq(code, EEX_OK, "%s", eex_error());
    return to;
}

/* Whether both hold the same bits. */
static inline bool same_floats(eex_device *dev, const float *a, const float *b, size_t count)
{
    float *x = fetch_floats(dev, a, count), *y = fetch_floats(dev, b, count);
    bool same = memcmp(x, y, count * sizeof *x) == 0;
    free(x);
    free(y);
    return same;
}

/* What is to be left out because it takes minutes: nothing (0), on an emulated device or the CPU
 * with sanitizers (1), on an emulated device with them (2). */
int tests_are_quick(void);

#endif
