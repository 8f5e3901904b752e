/* What only the emulated libraries can show of convolutions: sums that are as bad as they may be,
 * remembered choices that do not work, and memory that runs out. */
#include "cuda/cuda_device.h"
#include "cuda/fake_cuda.h"
#include "support/capture.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/tensor.h"

#include "base/fs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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

/* ---- remembered choices ---- */

/* A folder for the file, and a convolution. */
typedef struct cache {
    char folder[TEST_PATH_SIZE];
    eex_device *dev;
    bench b;
    tensor x, y;
    eex_op op;
} cache;

static void cache_begin(cache *c)
{
    test_folder_make(c->folder);
    setenv("EEX_CACHE_DIR", c->folder, 1);
    unsetenv("EEX_CUDA_CONV");
    eex_device_close(open_device(1)); /* registers the backend */
    c->dev = NULL;
}

/* A convolution with nothing but ones. */
static void ones_open(cache *c)
{
    bench_init(&c->b, c->dev);
    c->op = (eex_op){.kind = EEX_OP_CONV, .name = "first"};
    c->op.u.conv.window = window_of(8, 4, 3);
    c->x = tensor_filled(&c->b, 2 * 8 * 8 * 4, 1);
    c->y = tensor_poison(&c->b, c->x.n);
    c->op.u.conv.x = c->x.dev;
    c->op.u.conv.w = tensor_filled(&c->b, 3 * 3 * 4 * 4, 1).dev;
    c->op.u.conv.y = c->y.dev;
}

static void ones_close(cache *c)
{
    tensor_download(&c->b, c->y);
    float inside = c->y.host[(8 + 1) * 4], corner = c->y.host[0];
    bench_free(&c->b);
    eex_device_close(c->dev);
    cr_expect_eq(inside, 36);
    cr_expect_eq(corner, 16);
    cr_expect_eq(eex_fake_cuda_held(), 0);
}

static char *cache_text(const cache *c)
{
    char *text = NULL;
    cr_assert_eq(eex_fs_read(&text, NULL, test_path(c->folder, "convolutions.txt"), 1 << 20),
                 EEX_OK, "%s", eex_error());
    return text;
}

static void cache_write(const cache *c, const char *text)
{
    cr_assert_eq(eex_fs_write(test_path(c->folder, "convolutions.txt"), text, strlen(text)),
                 EEX_OK);
}

/* The file with its one choice replaced. */
static void cache_choice(const cache *c, int choice)
{
    char *text = cache_text(c), *changed = malloc(strlen(text) + 32);
    char *tab = strchr(text, '\t');
    cr_assert_not_null(tab);
    *tab = '\0';
    sprintf(changed, "%s\t%d\t3.5\n", text, choice);
    cache_write(c, changed);
    free(changed);
    free(text);
}

static int choice_of(const char *text)
{
    const char *tab = strchr(text, '\t');
    cr_assert_not_null(tab);
    return atoi(tab + 1);
}

/* Prepares the convolution twice, as a plan does that folds its weights again, and runs it; returns
 * what was said. */
static char *cache_run(cache *c)
{
    test_capture capture;
    eex_step step = bench_step(2);
    test_capture_file(&capture);
    cr_assert_eq(eex_device_open(&c->dev, "cuda", &(eex_device_options){.deterministic = false}),
                 EEX_OK, "%s", eex_error());
    ones_open(c);
    bench_run(&c->b, &c->op, 2, &step);
    bench_run(&c->b, &c->op, 2, &step);
    ones_close(c);
    return test_capture_end(&capture);
}

/* How often a text says something. */
static int times(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

enum {
    PATCHES = 0,
    UNSUPPORTED = 1,
    SUPPORTED = 2,
    ON_COPIES = 302,
    WINOGRAD = 308,
    UNHEARD_OF = 1000
};

/* Runs with this choice in the file; whether it was kept. What is said is said once. */
static bool keeps(cache *c, int choice)
{
    cache_choice(c, choice);
    char *said = cache_run(c), *text = cache_text(c);
    bool kept = choice_of(text) == choice && strstr(text, "\t3.5\n");
    cr_expect_eq(times(said, "measured anew"), !kept, "choice %d: %s", choice, said);
    cr_expect_eq(times(text, "\n"), 2, "%s", text);
    free(said);
    free(text);
    return kept;
}

Test(emulated_conv, a_remembered_choice_is_tried_first)
{
    cache c;
    cache_begin(&c);
    free(cache_run(&c)); /* makes the file */
    cr_expect(keeps(&c, PATCHES));
    cr_expect(keeps(&c, SUPPORTED));
    cr_expect(keeps(&c, ON_COPIES));
    cr_expect_not(keeps(&c, UNSUPPORTED));
    cr_expect_not(keeps(&c, WINOGRAD)); /* nobody has asked for it */
    cr_expect_not(keeps(&c, UNHEARD_OF));
    eex_fake_cuda_fail("cudnnConvolutionForward", 1, cudaErrorUnknown);
    cr_expect_not(keeps(&c, SUPPORTED));
    test_folder_remove(c.folder);
}

Test(emulated_conv, a_broken_file_is_ignored)
{
    static const char *const texts[] = {
        "",
        "(emulated), cudnn 90000: op 1\t2\t3.5\n", /* as they were once */
        "eex convolutions 4\nshape\t1\n",
        "eex convolutions 4\nshape\t1\t2.0",
        "eex convolutions 4\nshape\t-1\t2.0\n",
        "eex convolutions 4\nshape 1 2.0\nshape\t1\t2.0\n",
        "eex convolutions 4\nshape\t1\t2.0 or so\n",
    };
    cache c;
    cache_begin(&c);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cache_write(&c, texts[i]);
        char *said = cache_run(&c), *text = cache_text(&c);
        cr_expect_eq(times(said, "is ignored"), 1, "%zu: %s", i, said);
        cr_expect_eq(times(text, "\n"), 2, "%zu: %s", i, text);
        cr_expect_null(strstr(text, "shape"), "%zu: %s", i, text);
        free(said);
        free(text);
    }
    char *said = cache_run(&c); /* what was written is read without a word */
    cr_expect_eq(times(said, "convolution"), 0, "%s", said);
    free(said);
    test_folder_remove(c.folder);
}

/* ---- memory that is not there ---- */

static void *prepared(cache *c)
{
    void *state;
    cr_assert_eq(c->dev->vtable->prepare(c->dev, &state, &c->op, 2), EEX_OK, "%s", eex_error());
    return state;
}

static int run_prepared(cache *c, void *state)
{
    const eex_step step = bench_step(2);
    return c->dev->vtable->run(c->dev, &c->op, state, &step);
}

/* Runs the convolution of ones twice on a device where cuDNN fails so once; returns what was said.
 */
static char *run_refused(cudaError_t error)
{
    cache c;
    test_capture capture;
    test_capture_file(&capture);
    c.dev = open_device(1);
    ones_open(&c);
    eex_fake_cuda_fail("cudnnConvolutionForward", 1, error);
    void *state = prepared(&c);
    for (int i = 0; i < 2; i++)
        cr_expect_eq(run_prepared(&c, state), EEX_OK, "%s", eex_error());
    c.dev->vtable->finish(c.dev, &c.op, state);
    eex_fake_cuda_heal();
    ones_close(&c);
    return test_capture_end(&capture);
}

Test(emulated_conv, what_cudnn_refuses_goes_by_patches_with_a_word)
{
    static const cudaError_t errors[] = {cudaErrorMemoryAllocation, cudaErrorUnknown};
    static const char *const words[] = {"cuDNN says", "cuDNN says CUDNN_STATUS_EXECUTION_FAILED"};
    unsetenv("EEX_CUDA_CONV");
    for (int i = 0; i < 2; i++) {
        char *said = run_refused(errors[i]);
        cr_expect_eq(times(said, "it goes by patches"), 1, "%s", said);
        cr_expect_eq(times(said, words[i]), 1, "%s", said);
        cr_expect_eq(times(said, "first"), 1, "which op: %s", said);
        free(said);
    }
}

/* It is there to show what cuDNN does. */
Test(emulated_conv, in_library_mode_a_refusal_is_a_failure)
{
    cache c;
    setenv("EEX_CUDA_CONV", "library", 1);
    c.dev = open_device(1);
    ones_open(&c);
    void *state = prepared(&c);
    eex_fake_cuda_fail("cudnnConvolutionForward", 1, cudaErrorUnknown);
    cr_expect_eq(run_prepared(&c, state), EEX_EDEVICE);
    cr_expect_not_null(strstr(eex_error(), "EXECUTION_FAILED"), "%s", eex_error());
    cr_expect_eq(run_prepared(&c, state), EEX_OK, "%s", eex_error());
    c.dev->vtable->finish(c.dev, &c.op, state);
    eex_fake_cudnn_elements(100); /* and where it does not have such tensors at all */
    cr_expect_eq(c.dev->vtable->prepare(c.dev, &state, &c.op, 2), EEX_EUNSUPPORTED);
    cr_expect_not_null(strstr(eex_error(), "EEX_CUDA_CONV=library: "), "%s", eex_error());
    cr_expect_not_null(strstr(eex_error(), "NOT_SUPPORTED"), "%s", eex_error());
    eex_fake_cudnn_elements(INT32_MAX);
    ones_close(&c);
}

/* ---- more than a descriptor holds ---- */

enum { LARGE = 7, SAMPLE = 8 * 8 * 4 };

static void expect_ones(tensor y, float centre)
{
    for (int n = 0; n < LARGE; n++)
        cr_expect_eq(y.host[n * SAMPLE + (8 + 1) * 4], centre, "sample %d: %g, not %g", n,
                     (double)y.host[n * SAMPLE + (8 + 1) * 4], (double)centre);
}

static void check_pieces(const char *way)
{
    bench b;
    eex_step step = bench_step(LARGE);
    setenv("EEX_CUDA_CONV", way, 1);
    eex_device *dev = open_device(1);
    const size_t most = 2 * SAMPLE + 100;
    ((eex_cuda *)dev)->tensor_elements = most;
    eex_fake_cudnn_elements(most);
    bench_init(&b, dev);
    tensor x = tensor_filled(&b, LARGE * SAMPLE, 1), w = tensor_filled(&b, 3 * 3 * 4 * 4, 1);
    tensor y = tensor_poison(&b, LARGE * SAMPLE), dx = tensor_filled(&b, LARGE * SAMPLE, 1);
    eex_op forward = {.kind = EEX_OP_CONV, .name = "forward"};
    forward.u.conv.window = window_of(8, 4, 3);
    forward.u.conv.x = x.dev;
    forward.u.conv.w = w.dev;
    forward.u.conv.y = y.dev;
    bench_run(&b, &forward, LARGE, &step);
    tensor_download(&b, y);
    expect_ones(y, 36);
    eex_op data = {.kind = EEX_OP_CONV_BWD_DATA, .name = "data"};
    data.u.conv_bwd_data.window = window_of(8, 4, 3);
    data.u.conv_bwd_data.dy = x.dev;
    data.u.conv_bwd_data.w = w.dev;
    data.u.conv_bwd_data.dx = dx.dev;
    data.u.conv_bwd_data.accumulate = true;
    bench_run(&b, &data, LARGE, &step);
    tensor_download(&b, dx);
    expect_ones(dx, 37);
    eex_fake_cudnn_elements(INT32_MAX);
    bench_free(&b);
    eex_device_close(dev);
}

/* A batch of which cuDNN takes two samples at once, and a last one; in modes where what cuDNN
 * refuses would fail. */
Test(emulated_conv, a_batch_beyond_a_descriptor_is_done_in_pieces)
{
    check_pieces("library");
    check_pieces("first");
}

/* ---- timing ---- */

/* Ways are timed as they will be run: ten to a recording, replayed four times. */
Test(emulated_conv, ways_are_timed_in_recordings)
{
    cache c;
    cache_begin(&c);
    cr_assert_eq(eex_device_open(&c.dev, "cuda", &(eex_device_options){.deterministic = false}),
                 EEX_OK, "%s", eex_error());
    ones_open(&c);
    const eex_fake_cuda_counts before = eex_fake_cuda_count();
    c.dev->vtable->finish(c.dev, &c.op, prepared(&c));
    const eex_fake_cuda_counts after = eex_fake_cuda_count();
    cr_expect_eq(after.graphs - before.graphs, 4 * 4,
                 "patches, one of cuDNN's algorithms, our own kernel, that algorithm on copies");
    cr_expect_geq(after.kernels - before.kernels, (2 * 2 + 1 + 5) * (1 + 4 * 10));
    eex_step step = bench_step(2);
    bench_run(&c.b, &c.op, 2, &step);
    ones_close(&c);
    test_folder_remove(c.folder);
}

/* A second one, when the scratch memory is there, finds no room for weights of its own. */
static void check_static_weights(const char *way)
{
    cache c;
    setenv("EEX_CUDA_CONV", way, 1);
    c.dev = open_device(1);
    ones_open(&c);
    c.op.u.conv.w_static = true;
    eex_step step = bench_step(2);
    bench_run(&c.b, &c.op, 2, &step);
    eex_fake_cuda_memory(eex_fake_cuda_held());
    bench_run(&c.b, &c.op, 2, &step);
    ones_close(&c);
}

Test(emulated_conv, static_weights_are_transposed_each_time_without_memory)
{
    check_static_weights("library");
    check_static_weights("first");
}
