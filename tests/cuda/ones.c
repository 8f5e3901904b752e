#include "cuda/ones.h"

#include "cuda/fake_cuda.h"
#include "support/devices.h"

#include <stdlib.h>

void ones_on(ones *c, eex_device *dev)
{
    c->dev = dev;
    bench_init(&c->b, dev);
    c->op = (eex_op){.kind = EEX_OP_CONV, .name = "first"};
    c->y = tensor_poison(&c->b, ONES);
    c->op.u.conv =
        (eex_op_conv){.window = {.cin = ONES_CHANNELS,
                                 .hin = ONES_SIZE,
                                 .win = ONES_SIZE,
                                 .cout = ONES_CHANNELS,
                                 .hout = ONES_SIZE,
                                 .wout = ONES_SIZE,
                                 .kernel = 3,
                                 .stride = 1,
                                 .pad = 1,
                                 .groups = 1},
                      .x = tensor_filled(&c->b, ONES, 1).dev,
                      .w = tensor_filled(&c->b, 9 * ONES_CHANNELS * ONES_CHANNELS, 1).dev,
                      .bias = tensor_filled(&c->b, ONES_CHANNELS, 1).dev,
                      .residual = tensor_filled(&c->b, ONES, -30).dev,
                      .y = c->y.dev,
                      .act = EEX_ACT_RELU,
                      .w_static = true};
}

void ones_close(ones *c)
{
    bench_free(&c->b);
    eex_device_close(c->dev);
    cr_expect_eq(eex_fake_cuda_held(), 0);
}

void *ones_prepared(ones *c)
{
    void *state;
    OK(c->dev->vtable->prepare(c->dev, &state, &c->op, ONES_BATCH));
    return state;
}

int ones_run(ones *c, void *state)
{
    const eex_step step = bench_step(ONES_BATCH);
    return c->dev->vtable->run(c->dev, &c->op, state, &step);
}

void ones_expect(ones *c)
{
    tensor_download(&c->b, c->y);
    cr_expect_eq(c->y.host[(ONES_SIZE + 1) * ONES_CHANNELS], 7);
    cr_expect_eq(c->y.host[0], 0);
}

void ones_folder(char folder[TEST_PATH_SIZE])
{
    test_folder_make(folder);
    setenv("EEX_CACHE_DIR", folder, 1);
    unsetenv("EEX_CUDA_CONV");
    eex_device_close(open_device(1)); /* registers the backend */
}

eex_device *ones_timing_device(void)
{
    eex_device *dev;
    OK(eex_device_open(&dev, "cuda", &(eex_device_options){.deterministic = false}));
    return dev;
}

int ones_said(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}
