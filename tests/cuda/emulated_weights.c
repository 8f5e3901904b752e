/* Which kernels a gradient for the weights in bfloat16 goes through, and what it chooses from: only
 * the emulated device can count that. */
#include "cuda/cuda_device.h"
#include "cuda/fake_cuda.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/tensor.h"

#include "base/fs.h"

#include <stdio.h>

enum { BATCH = 3, SIZE = 8, CHANNELS = 8, VALUES = BATCH * SIZE * SIZE * CHANNELS };

static const uint16_t one = 0x3f80; /* in bfloat16 */

/* Activations and gradients of ones. */
typedef struct gradient {
    eex_device *dev;
    bench b;
    eex_op op;
    tensor dw;
} gradient;

static void gradient_open(gradient *g, eex_device *dev, int kernel)
{
    uint16_t ones[VALUES];
    for (int i = 0; i < VALUES; i++)
        ones[i] = one;
    g->dev = dev;
    bench_init(&g->b, dev);
    g->dw = tensor_poison(&g->b, (size_t)(kernel * kernel * CHANNELS * CHANNELS));
    g->op = (eex_op){.kind = EEX_OP_CONV_BWD_WEIGHTS, .precision = EEX_BF16, .name = "conv"};
    eex_op_conv_bwd_weights *c = &g->op.u.conv_bwd_weights;
    c->window = (eex_window){.cin = CHANNELS,
                             .hin = SIZE,
                             .win = SIZE,
                             .cout = CHANNELS,
                             .hout = SIZE,
                             .wout = SIZE,
                             .kernel = kernel,
                             .stride = 1,
                             .pad = kernel / 2,
                             .groups = 1};
    c->x = bench_bytes(&g->b, ones, sizeof ones);
    c->dy = bench_bytes(&g->b, ones, sizeof ones);
    c->dw = g->dw.dev;
}

/* The centre's gradient is the number of pixels. */
static void gradient_close(gradient *g)
{
    tensor_download(&g->b, g->dw);
    cr_expect_eq(g->dw.host[g->dw.n / 2], BATCH * SIZE * SIZE);
    bench_free(&g->b);
    eex_device_close(g->dev);
    cr_expect_eq(eex_fake_cuda_held(), 0);
}

static void gradient_run(gradient *g)
{
    eex_step step = bench_step(BATCH);
    bench_run(&g->b, &g->op, BATCH, &step);
}

/* ---- what is widened ---- */

/* What has run. */
typedef struct tally {
    long widened, patches, own, products;
} tally;

static tally tally_now(void)
{
    return (tally){eex_fake_cuda_ran("widen"), eex_fake_cuda_ran("(im2col<T, V>)"),
                   eex_fake_cuda_ran("(weights_of_patches<K, ACROSS, true>)"),
                   eex_fake_cuda_count().wide_products};
}

/* Runs one by a way; what that added. */
static tally tally_of(const char *way, int kernel)
{
    gradient g;
    setenv("EEX_CUDA_CONV", way, 1);
    gradient_open(&g, open_device(1), kernel);
    const tally before = tally_now();
    gradient_run(&g);
    gradient_close(&g);
    const tally after = tally_now();
    return (tally){after.widened - before.widened, after.patches - before.patches,
                   after.own - before.own, after.products - before.products};
}

static void expect_tally(const char *way, int kernel, tally want)
{
    tally got = tally_of(way, kernel);
    cr_expect(got.widened == want.widened && got.patches == want.patches && got.own == want.own &&
                  got.products == want.products,
              "%s, %dx%d: %ld widened, %ld of patches, %ld of our own, %ld products of bfloat16",
              way, kernel, kernel, got.widened, got.patches, got.own, got.products);
}

/* Patches and products have factors in bfloat16 and a result in float32; cuDNN gets both
 * activations in float32. */
Test(emulated_weights, only_cudnn_has_activations_widened)
{
    expect_tally("patches", 3, (tally){.patches = 1, .products = 1});
    expect_tally("patches", 1, (tally){.products = 1});
    expect_tally("library", 1, (tally){.products = 1});
    expect_tally("library", 3, (tally){.widened = 2});
    expect_tally("own", 3, (tally){.own = 1});
    expect_tally("own", 1, (tally){.own = 1});
}

/* ---- what is chosen from ---- */

static eex_device *open_choosing(void)
{
    eex_device *dev;
    eex_device_close(open_device(1)); /* registers the backend */
    cr_assert_eq(eex_device_open(&dev, "cuda", &(eex_device_options){.deterministic = false}),
                 EEX_OK, "%s", eex_error());
    return dev;
}

/* Prepares and runs once on a device that chooses; how many ways were timed. */
static long ways_timed(int kernel, eex_precision precision)
{
    gradient g;
    gradient_open(&g, open_choosing(), kernel);
    g.op.precision = precision;
    const long before = eex_fake_cuda_count().graphs;
    gradient_run(&g);
    const long graphs = eex_fake_cuda_count().graphs - before;
    g.op.precision = EEX_BF16;
    gradient_run(&g);
    gradient_close(&g);
    return graphs / 4; /* replays */
}

/* The file of choices with this one in each line. */
static void choose(const char *folder, int choice)
{
    char *text, *changed;
    const char *file = test_path(folder, "convolutions.txt");
    size_t bytes = 0;
    cr_assert_eq(eex_fs_read(&text, NULL, file, 1 << 20), EEX_OK, "%s", eex_error());
    changed = malloc(2 * strlen(text) + 64);
    for (char *line = text, *next; *line; line = next) {
        next = strchr(line, '\n') + 1;
        const char *tab = memchr(line, '\t', (size_t)(next - line));
        int key = (int)((tab ? tab : next - 1) - line);
        bytes +=
            (size_t)sprintf(changed + bytes, tab ? "%.*s\t%d\t3.5\n" : "%.*s\n", key, line, choice);
    }
    cr_assert_eq(eex_fs_write(file, changed, bytes), EEX_OK, "%s", eex_error());
    free(changed);
    free(text);
}

Test(emulated_weights, our_own_kernel_is_one_of_the_choices)
{
    char folder[TEST_PATH_SIZE];
    test_folder_make(folder);
    setenv("EEX_CACHE_DIR", folder, 1);
    unsetenv("EEX_CUDA_CONV");
    cr_expect_eq(ways_timed(3, EEX_BF16), 3, "patches, one of cuDNN's, our own");
    cr_expect_eq(ways_timed(1, EEX_BF16), 2, "a product, our own");
    choose(folder, 201);
    for (int kernel = 1; kernel <= 3; kernel += 2) {
        const tally before = tally_now();
        cr_expect_eq(ways_timed(kernel, EEX_BF16), 0, "what the file says is taken");
        const tally after = tally_now();
        cr_expect_eq(after.own - before.own, 1 + 2, "tried, and run twice");
        cr_expect_eq(after.products + after.widened, before.products + before.widened);
    }
    test_folder_remove(folder);
}

/* ---- memory that is not there ---- */

Test(emulated_weights, without_memory_for_slices)
{
    gradient g;
    void *state = NULL;
    setenv("EEX_CUDA_CONV", "own", 1);
    gradient_open(&g, open_choosing(), 1);
    eex_fake_cuda_memory(eex_fake_cuda_held());
    cr_expect_eq(g.dev->vtable->prepare(g.dev, &state, &g.op, BATCH), EEX_ENOMEM);
    cr_expect_not_null(strstr(eex_error(), "EEX_CUDA_CONV=own: "), "%s", eex_error());
    cr_expect_null(state);
    unsetenv("EEX_CUDA_CONV"); /* then another way is taken */
    const tally before = tally_now();
    gradient_run(&g);
    cr_expect_eq(tally_now().products, before.products + 1);
    cr_expect_eq(tally_now().own, before.own);
    gradient_close(&g);
}
