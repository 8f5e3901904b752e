/* Runs a test on the CPU device with each instruction set that the processor has. */
#ifndef EEX_TESTS_CPU_DEVICES_H
#define EEX_TESTS_CPU_DEVICES_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/status.h"
#include "core/backends.h"
#include "cpu/device_cpu.h"
#include "cpu/kernels/kernels.h"

static inline eex_device *open_cpu(const char *isa, int threads)
{
    eex_device *dev;
    eex_device_options options = {.threads = threads, .deterministic = true};
    setenv("EEX_CPU_ISA", isa, 1);
    cr_assert_eq(eex_cpu_open(&dev, &options), EEX_OK, "%s", eex_error());
    return dev;
}

/* With one thread and with three, which never divide the work evenly. */
static inline void on_each_cpu(void (*test)(eex_device *dev))
{
    static const char *const isas[] = {"avx512", "avx2", "generic"};
    int found = 0;
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
        if (!eex__kernels_find(isas[i]))
            continue;
        found++;
        for (int threads = 1; threads <= 3; threads += 2) {
            eex_device *dev = open_cpu(isas[i], threads);
            test(dev);
            eex_device_close(dev);
        }
    }
    cr_assert_gt(found, 0);
}

#endif
