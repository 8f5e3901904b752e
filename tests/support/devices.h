/* The devices that a test program runs on: those of one kind, chosen when it is linked. With
 * tests/cpu/devices.c the CPU with each instruction set that the processor has; with
 * tests/cuda/devices.c the first GPU, or the emulator in its place (a test is skipped with its
 * reason where there is neither). */
#ifndef EEX_TESTS_SUPPORT_DEVICES_H
#define EEX_TESTS_SUPPORT_DEVICES_H

#include <criterion/criterion.h>
#include <string.h>

#include "base/status.h"
#include "core/backends.h"
#include "core/device.h"

/* On the CPU with one thread and with three, which never divide the work evenly. */
void on_each_device(void (*test)(eex_device *dev));

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

#endif
