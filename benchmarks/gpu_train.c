#include "gpu.h"
#include "training.h"

#include "base/status.h"

#include <stdio.h>

static int measure(const gpu_options *o, training *b, const char *name)
{
    double seconds = gpu_time(o, b->net.dev, training_step, b);
    if (seconds < 0)
        return EEX_EDEVICE;
    double rate = b->batch / seconds;
    printf("%-28s %12.1f images/s  %.2f TFLOP/s\n", name, rate, 1e-12 * rate * 3 * 2 * b->net.macs);
    fflush(stdout);
    return EEX_OK;
}

static int bench_one(const gpu_options *o, const char *title, int batch, eex_precision precision,
                     bool plain)
{
    char name[64];
    snprintf(name, sizeof name, "train/%s/%d/%s%s", title, batch,
             precision == EEX_BF16 ? "bf16" : "f32", plain ? "/plain" : "");
    if (!gpu_wanted(o, name))
        return EEX_OK;
    training b = {.plain = plain};
    int code = network_open_on(&b.net, title, o->device, 0);
    if (code == EEX_OK && !(b.net.dev->precisions & 1u << precision)) {
        printf("# %s: the device does not have this precision\n", name);
        training_close(&b);
        return EEX_OK;
    }
    if (code == EEX_OK)
        code = training_open(&b, batch, precision);
    if (code == EEX_OK)
        code = measure(o, &b, name);
    training_close(&b);
    return code;
}

int gpu_bench_train(const gpu_options *o)
{
    static const char *const networks[] = {"mobilenetv2", "resnet50"};
    static const int batches[] = {128, 512};
    static const eex_precision precisions[] = {EEX_BF16, EEX_F32};
    for (int n = 0; n < 2; n++)
        for (int b = 0; b < 2; b++)
            for (int p = 0; p < 2; p++)
                EEX_TRY(bench_one(o, networks[n], batches[b], precisions[p], false));
    for (int p = 0; p < 2; p++)
        EEX_TRY(bench_one(o, networks[0], batches[1], precisions[p], true));
    return EEX_OK;
}
