/* The library's front: the one place that knows which backends are built in. */
#include "eex/eex.h"

#include "cpu/cpu_register.h"
#include "device/backends.h"
#include "eex/gpus.h"

#if EEX_HAVE_CUDA
#include "cuda/cuda_register.h"

void (*const eex_gpus)(eex_cuda_inventory *out) = eex_cuda_take_inventory;

static int register_cuda(void)
{
    return eex_cuda_register();
}
#else
void (*const eex_gpus)(eex_cuda_inventory *out) = NULL;

static int without_cuda(eex_device **out, const char *argument, const eex_device_options *options)
{
    *out = NULL;
    return eex_fail(EEX_ENOTFOUND,
                    "device \"cuda\": this build of eex has none; build it where the CUDA toolkit "
                    "(11.8 or newer) and cuDNN are installed, with -DEEX_CUDA=ON");
}

static int register_cuda(void)
{
    return eex_device_register("cuda", without_cuda);
}
#endif

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int registered;

static void register_all(void)
{
    registered = eex_cpu_register();
    if (registered == EEX_OK)
        registered = register_cuda();
}

int eex_init(void)
{
    pthread_once(&once, register_all);
    return registered < 0 ? eex_fail(registered, "the devices of eex cannot be registered")
                          : EEX_OK;
}

const char *eex_version(void)
{
    return EEX_VERSION;
}
