/* What only the emulated libraries can show of convolutions: sums that are as bad as they may be. */
#include <math.h>
#include <stdlib.h>

#include "cuda/cuda_device.h"
#include "cuda/fake_cuda.h"
#include "support/devices.h"
#include "support/tensor.h"

static eex_window window_of(int size, int channels, int kernel)
{
    return (eex_window){.cin = channels,
                        .hin = size,
                        .win = size,
                        .cout = channels,
                        .hout = size,
                        .wout = size,
                        .kernel = kernel,
                        .stride = 1,
                        .pad = kernel / 2,
                        .groups = 1};
}

/* ---- long sums ---- */

/* The centre's gradient: the sum of x times dy over all pixels. */
static double centre(const tensor x, const tensor dy)
{
    double sum = 0;
    for (size_t i = 0; i < x.n; i++)
        sum += (double)x.host[i] * (double)dy.host[i];
    return sum;
}

/* The relative error of a filter's centre over 2.6 million pixels, summed up in pieces of `rows`.
 */
static double error_of(eex_device *dev, int kernel, size_t rows)
{
    enum { SIZE = 256, BATCH = 40 };
    bench b;
    bench_init(&b, dev);
    size_t n = (size_t)SIZE * SIZE * BATCH, taps = (size_t)(kernel * kernel);
    tensor x = tensor_random(&b, n, 1, 0, 1), dy = tensor_random(&b, n, 2, 0, 1);
    tensor dw = tensor_poison(&b, taps);
    eex_op op = {.kind = EEX_OP_CONV_BWD_WEIGHTS, .name = "conv"};
    op.u.conv_bwd_weights.window = window_of(SIZE, 1, kernel);
    op.u.conv_bwd_weights.x = x.dev;
    op.u.conv_bwd_weights.dy = dy.dev;
    op.u.conv_bwd_weights.dw = dw.dev;
    ((eex_cuda *)dev)->sum_rows = rows;
    eex_step step = bench_step(BATCH);
    bench_run(&b, &op, BATCH, &step);
    tensor_download(&b, dw);
    double want = centre(x, dy), error = fabs(dw.host[taps / 2] - want) / want;
    bench_free(&b);
    return error;
}

static void check_long_sums(int kernel, const char *way)
{
    setenv("EEX_CUDA_CONV", way, 1);
    eex_device *dev = open_device(1);
    eex_fake_cuda_narrow_sums(true);
    double error = error_of(dev, kernel, EEX_CUDA_SUM_ROWS);
    cr_expect_leq(error, 1e-5, "%s: %g", way, error);
    double whole = error_of(dev, kernel, SIZE_MAX / 2);
    cr_expect_gt(whole, 3e-5, "%s: %g in one go, the test shows nothing", way, whole);
    eex_fake_cuda_narrow_sums(false);
    eex_device_close(dev);
}

Test(emulated_conv, long_sums_of_a_product)
{
    check_long_sums(1, "library");
}

Test(emulated_conv, long_sums_by_cudnn)
{
    check_long_sums(3, "library");
}
