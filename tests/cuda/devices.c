#include "support/devices.h"

#include "cuda/cuda_register.h"

#include <stdlib.h>

const char device_kind[] = "cuda";

/* The emulator's libraries calculate each row for itself. */
#ifdef EEX_CUDA_EMULATED
bool device_repeats_bits(void)
{
    return true;
}
#else
bool device_repeats_bits(void)
{
    return false;
}
#endif

bool device_is_deterministic(void)
{
    return !getenv("EEX_TESTS_FAST");
}

int tests_are_quick(void)
{
    const char *level = getenv("EEX_TESTS_QUICK");
    return level ? atoi(level) : 0;
}

eex_device *open_device(int threads)
{
    const eex_device_options options = {.deterministic = device_is_deterministic()};
    eex_device *dev;
    int code = eex_cuda_register();
    cr_assert_eq(code, EEX_OK, "%s", eex_error());
    code = eex_device_open(&dev, "cuda", &options);
    if (code == EEX_ENOTFOUND)
        cr_skip_test("%s", eex_error());
    cr_assert_eq(code, EEX_OK, "%s", eex_error());
    return dev;
}

eex_device *open_device_like(const eex_device *dev, int threads)
{
    return open_device(threads);
}

void on_each_device(void (*test)(eex_device *dev))
{
    eex_device *dev = open_device(1);
    test(dev);
    eex_device_close(dev);
}

int on_each_bf16_device(void (*test)(eex_device *dev))
{
    (void)test;
    return 0; /* GPUs have bfloat16 in memory too, which is another precision */
}
