/* Which of the ways of a convolution is taken when they are timed. */
#include "cuda/fake_cuda.h"
#include "cuda/ones.h"
#include "support/devices.h"

#include "base/fs.h"

#include <stdlib.h>

/* What the file says of its one op. */
static void expect_line(const char *folder, const char *wanted)
{
    char *text = NULL;
    OK(eex_fs_read(&text, NULL, test_path(folder, "convolutions.txt"), 1 << 20));
    const char *tab = strchr(text, '\t');
    cr_assert_not_null(tab);
    cr_expect_str_eq(tab, wanted, "%s", text);
    free(text);
}

/* By patches, by the one algorithm that the emulated cuDNN has, by our own kernel, by that
 * algorithm with channels first; each has four replays of ten runs, the first of which is not
 * counted, and the least of the others decides. */
Test(choice, the_fastest_way_is_taken)
{
    static const struct {
        float ms[16];
        const char *line;
    } rows[] = {
        {{9, 9, 9, 9, 1, 8, 5, 7, 1, 6, 6, 6, 1, 7, 7, 7}, "\t2\t500.0\n"},
        {{1, 4, 9, 9, 1, 8, 5, 7, 1, 6, 6, 6, 1, 7, 7, 7}, "\t0\t400.0\n"},
        {{9, 9, 9, 9, 9, 8, 5, 7, 1, 6, 3, 6, 1, 7, 7, 7}, "\t201\t300.0\n"},
        {{9, 9, 9, 9, 9, 8, 5, 7, 1, 6, 3, 6, 1, 2, 7, 7}, "\t302\t200.0\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char folder[TEST_PATH_SIZE];
        ones c;
        ones_folder(folder);
        ones_on(&c, ones_timing_device());
        c.op.u.conv.w_static = false; /* nothing to fuse */
        eex_fake_cuda_elapsed(rows[i].ms, 16);
        void *state = ones_prepared(&c);
        OK(ones_run(&c, state));
        ones_expect(&c);
        c.dev->vtable->finish(c.dev, &c.op, state);
        ones_close(&c);
        expect_line(folder, rows[i].line);
        test_folder_remove(folder);
    }
}

/* Kernels that timing its ways takes. */
static long timed(ones *c)
{
    const long before = eex_fake_cuda_count().kernels;
    c->dev->vtable->finish(c->dev, &c->op, ones_prepared(c));
    return eex_fake_cuda_count().kernels - before;
}

/* Patches and cuDNN's algorithms, with channels last or first, leave the end of an op to a pass of
 * its own, which is timed with them; our own kernel does not. */
Test(choice, what_a_way_leaves_to_do_is_timed_with_it)
{
    enum { RUNS = 1 + 4 * 10, WAYS = 3 };
    char folder[TEST_PATH_SIZE];
    ones c;
    ones_folder(folder);
    ones_on(&c, ones_timing_device());
    eex_op_conv *conv = &c.op.u.conv;
    conv->w_static = false;
    const long whole = timed(&c);
    conv->bias = NULL;
    conv->residual = NULL;
    conv->act = EEX_ACT_NONE;
    cr_expect_eq(whole - timed(&c), RUNS * WAYS);
    ones_close(&c);
    test_folder_remove(folder);
}

/* Weights that never change are put into cuDNN's order once an algorithm, not once a run: one
 * kernel with channels last, two with channels first. */
Test(choice, the_order_of_static_weights_is_not_timed)
{
    enum { RUNS = 1 + 4 * 10, ORDERS = 1 + 2 };
    static const float ms[] = {1, 1, 1, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};
    long kernels[2];
    for (int fixed = 0; fixed < 2; fixed++) {
        char folder[TEST_PATH_SIZE];
        ones c;
        ones_folder(folder);
        ones_on(&c, ones_timing_device());
        c.op.u.conv.w_static = fixed;
        c.op.u.conv.bias = NULL; /* nothing to fuse */
        eex_fake_cuda_elapsed(ms, 16);
        kernels[fixed] = timed(&c);
        eex_fake_cuda_elapsed(NULL, 0);
        ones_close(&c);
        test_folder_remove(folder);
    }
    cr_expect_eq(kernels[0] - kernels[1], (RUNS - 1) * ORDERS);
}

/* Ours is for small images; a file that says otherwise is not believed. */
Test(choice, our_own_kernel_is_for_small_images)
{
    char folder[TEST_PATH_SIZE];
    ones_folder(folder);
    for (int size = 32; size <= 33; size++) {
        ones c;
        const float ms[] = {9, 9, 9, 9, 8, 8, 8, 8, 1, 1, 1, 1, 9, 9, 9, 9};
        ones_on(&c, ones_timing_device());
        const size_t n = (size_t)ONES_BATCH * (size_t)(size * size) * ONES_CHANNELS;
        eex_op_conv *conv = &c.op.u.conv;
        conv->window.hin = conv->window.win = conv->window.hout = conv->window.wout = size;
        conv->x = tensor_filled(&c.b, n, 1).dev;
        conv->y = tensor_filled(&c.b, n, 1).dev;
        conv->bias = NULL;
        conv->residual = NULL;
        eex_fake_cuda_elapsed(ms, 16);
        c.dev->vtable->finish(c.dev, &c.op, ones_prepared(&c));
        ones_close(&c);
        expect_line(folder, size == 32 ? "\t201\t100.0\n" : "\t302\t100.0\n");
        OK(eex_fs_remove_file(test_path(folder, "convolutions.txt")));
    }
    test_folder_remove(folder);
}

/* Tiles of 64 pixels would end beyond what an int counts. */
Test(choice, more_pixels_than_can_be_counted_are_refused)
{
    ones c;
    void *state;
    ones_on(&c, open_device(1));
    c.op.u.conv.window = (eex_window){.cin = 1,
                                      .hin = 1,
                                      .win = 1,
                                      .cout = 1,
                                      .hout = 1,
                                      .wout = 1,
                                      .kernel = 1,
                                      .stride = 1,
                                      .groups = 1};
    for (int beyond = 0; beyond < 2; beyond++) {
        const int batch = INT32_MAX - 63 + beyond;
        const int code = c.dev->vtable->prepare(c.dev, &state, &c.op, batch);
        cr_expect_eq(code, beyond ? EEX_EUNSUPPORTED : EEX_OK, "%d: %s", batch, eex_error());
        if (code == EEX_OK)
            c.dev->vtable->finish(c.dev, &c.op, state);
    }
    cr_expect_not_null(strstr(eex_error(), "\"first\": 2147483585 pixels"), "%s", eex_error());
    ones_close(&c);
}
