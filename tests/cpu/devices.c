#include "support/devices.h"

#include "cpu/device_cpu.h"
#include "cpu/devices.h"
#include "cpu/kernels/bf16/bf16.h"
#include "cpu/kernels/kernels.h"

#include <stdlib.h>

const char device_kind[] = "cpu";
static const char *const isas[] = {"avx512", "avx2", "generic"};
enum { ISAS = sizeof isas / sizeof *isas };

eex_device *open_cpu(const char *isa, int threads)
{
    eex_device *dev;
    eex_device_options options = {.threads = threads, .deterministic = true};
    setenv("EEX_CPU_ISA", isa, 1);
    cr_assert_eq(eex_cpu_open(&dev, &options), EEX_OK, "%s", eex_error());
    return dev;
}

bool device_repeats_bits(void)
{
    return true;
}

bool device_is_deterministic(void)
{
    return true;
}

int tests_are_quick(void)
{
#ifdef __SANITIZE_ADDRESS__
    return 1; /* what they allocate and touch is the same each time */
#else
    return 0;
#endif
}

int on_each_bf16_device(void (*test)(eex_device *dev))
{
    static const char *const units[] = {"amx", "avx512_bf16"};
    int found = 0;
    for (int i = 0; i < 2; i++)
        for (int threads = 1; threads <= 3 && eex__bf16_find(units[i]); threads += 2, found++) {
            setenv("EEX_CPU_BF16", units[i], 1);
            eex_device *dev = open_cpu("avx512", threads);
            test(dev);
            eex_device_close(dev);
        }
    unsetenv("EEX_CPU_BF16");
    return found;
}

eex_device *open_device(int threads)
{
    return open_cpu("", threads);
}

eex_device *open_device_like(const eex_device *dev, int threads)
{
    int i = 0;
    while (i < ISAS - 1 && !strstr(dev->name, isas[i]))
        i++;
    return open_cpu(isas[i], threads);
}

void on_each_device(void (*test)(eex_device *dev))
{
    int found = 0;
    for (int i = 0; i < ISAS; i++) {
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
