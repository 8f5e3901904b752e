/* Convolutions by cuDNN on copies with channels first: when they are taken, what Winograd needs,
 * and what becomes of one that fails. Their results: test_conv with EEX_CUDA_CONV=first. */
#include "cuda/conv.h"
#include "cuda/fake_cuda.h"
#include "cuda/ones.h"
#include "support/capture.h"
#include "support/devices.h"

#include "base/fs.h"

#include <stdlib.h>

static long transposes(void)
{
    return eex_fake_cuda_ran("transpose<T>");
}

/* Those of a run of what is prepared. */
static long transposes_of(ones *c, void *state)
{
    tensor_download(&c->b, c->y); /* waits for what preparing it takes */
    const long before = transposes();
    OK(ones_run(c, state));
    ones_expect(c);
    return transposes() - before;
}

/* The image there, the result back; the weights, which never change, once before. */
Test(first, copies_go_there_and_back)
{
    ones c;
    setenv("EEX_CUDA_CONV", "first", 1);
    ones_on(&c, open_device(1));
    for (int fixed = 0; fixed < 2; fixed++) {
        c.op.u.conv.w_static = fixed;
        void *state = ones_prepared(&c);
        cr_expect_eq(transposes_of(&c, state), fixed ? 2 : 4);
        c.dev->vtable->finish(c.dev, &c.op, state);
    }
    ones_close(&c);
}

/* Tensor cores read channels last, so there the way does not apply. */
Test(first, it_is_for_float32_alone)
{
    ones c;
    setenv("EEX_CUDA_CONV", "first", 1);
    ones_on(&c, open_device(1));
    c.op.precision = EEX_TF32;
    void *state = ones_prepared(&c);
    cr_expect_eq(transposes_of(&c, state), 0);
    c.dev->vtable->finish(c.dev, &c.op, state);
    ones_close(&c);
}

/* Tensors that cuDNN itself would not take where they lie. */
Test(first, copies_need_no_alignment)
{
    ones c;
    setenv("EEX_CUDA_CONV", "first", 1);
    ones_on(&c, open_device(1));
    c.op.u.conv.x = tensor_filled(&c.b, ONES + 1, 1).dev + 1;
    void *state = ones_prepared(&c);
    cr_expect_eq(transposes_of(&c, state), 2);
    c.dev->vtable->finish(c.dev, &c.op, state);
    ones_close(&c);
}

/* Three samples in three pieces, for one of two reasons. Without copies pieces of such small
 * samples would begin at multiples of four of them. */
static void check_small_pieces(size_t elements, size_t bytes)
{
    enum { SIZE = 3, BATCH = 3 };
    ones c;
    const eex_step step = bench_step(BATCH);
    setenv("EEX_CUDA_CONV", "first", 1);
    ones_on(&c, open_device(1));
    eex_op_conv *conv = &c.op.u.conv;
    eex_window *w = &conv->window;
    w->cin = w->cout = 1;
    w->hin = w->win = w->hout = w->wout = SIZE;
    conv->residual = NULL;
    conv->w_static = false;
    ((eex_cuda *)c.dev)->tensor_elements = elements;
    ((eex_cuda *)c.dev)->first_bytes = bytes;
    eex_fake_cudnn_elements(elements);
    const long before = transposes();
    bench_run(&c.b, &c.op, BATCH, &step);
    eex_fake_cudnn_elements(INT32_MAX);
    tensor_download(&c.b, c.y);
    for (int i = 0; i < BATCH; i++) {
        const float *of = c.y.host + (size_t)(i * SIZE * SIZE);
        cr_expect_eq(of[0], 4 + 1, "sample %d", i);
        cr_expect_eq(of[SIZE + 1], 9 + 1, "sample %d", i);
    }
    cr_expect_eq(transposes() - before, 2 + BATCH * 2);
    ones_close(&c);
}

Test(first, pieces_of_copies_may_have_any_length)
{
    check_small_pieces(9, EEX_CUDA_FIRST_BYTES);
    check_small_pieces(INT32_MAX, (9 + 9) * sizeof(float));
}

/* As much scratch memory as patches take is there when these win, though copies took more. */
Test(first, what_only_losers_needed_is_given_back)
{
    static const float ms[] = {1, 1, 1, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};
    size_t bytes[3];
    for (int i = 0; i < 3; i++) {
        static const char *const ways[] = {"patches", "first", "all"};
        char folder[TEST_PATH_SIZE];
        ones c;
        ones_folder(folder);
        if (i < 2)
            setenv("EEX_CUDA_CONV", ways[i], 1);
        ones_on(&c, ones_timing_device());
        eex_window *w = &c.op.u.conv.window; /* one tap, so patches are no larger than x */
        w->kernel = 1;
        w->stride = 2;
        w->pad = 0;
        w->hout = w->wout = ONES_SIZE / 2;
        c.op.u.conv.w_static = false;
        eex_fake_cuda_elapsed(ms, 16);
        void *state = ones_prepared(&c);
        eex_fake_cuda_elapsed(NULL, 0);
        bytes[i] = ((eex_cuda *)c.dev)->scratch_bytes;
        OK(ones_run(&c, state));
        c.dev->vtable->finish(c.dev, &c.op, state);
        ones_close(&c);
        unsetenv("EEX_CUDA_CONV");
        test_folder_remove(folder);
    }
    cr_expect_gt(bytes[1], bytes[0]);
    cr_expect_eq(bytes[2], bytes[0]);
}

/* ---- Winograd ---- */

/* Patches, channels last, our own kernel where there is one, Winograd, channels first: Winograd in
 * a tenth of the time of all others, where it is there. The file's one line. */
static char *choose(const char *folder, int kernel, int stride, int groups)
{
    static const float ms[] = {9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 1, 1, 1, 1, 9, 9, 9, 9};
    ones c;
    char *text = NULL;
    ones_on(&c, ones_timing_device());
    eex_window *w = &c.op.u.conv.window;
    w->kernel = kernel;
    w->pad = kernel / 2;
    w->stride = stride;
    w->groups = groups;
    w->hout = w->wout = ONES_SIZE / stride;
    c.op.u.conv.w = tensor_filled(&c.b, 25 * ONES_CHANNELS * ONES_CHANNELS, 1).dev;
    c.op.u.conv.w_static = false;
    eex_fake_cuda_elapsed(ms, 20);
    void *state = ones_prepared(&c);
    eex_fake_cuda_elapsed(NULL, 0);
    if (kernel == 3 && stride == 1 && groups == 1)
        cr_expect_eq(transposes_of(&c, state), 4);
    c.dev->vtable->finish(c.dev, &c.op, state);
    ones_close(&c);
    OK(eex_fs_read(&text, NULL, test_path(folder, "convolutions.txt"), 1 << 20));
    OK(eex_fs_remove_file(test_path(folder, "convolutions.txt")));
    return text;
}

static void expect_choice(const char *folder, int kernel, int stride, int groups, bool named,
                          const char *end)
{
    char *text = choose(folder, kernel, stride, groups);
    cr_expect_eq(strstr(text, " winograd, ") != NULL, named, "%s", text);
    cr_expect_not_null(strstr(text, end), "%s", text);
    free(text);
}

/* What is remembered with it is not what is remembered without, for it is less exact. */
Test(first, winograd_is_for_those_who_ask)
{
    char folder[TEST_PATH_SIZE];
    ones_folder(folder);
    unsetenv("EEX_CUDA_WINOGRAD");
    expect_choice(folder, 3, 1, 1, false, "\t302\t100.0\n");
    setenv("EEX_CUDA_WINOGRAD", "0", 1);
    expect_choice(folder, 3, 1, 1, false, "\t302\t100.0\n");
    setenv("EEX_CUDA_WINOGRAD", "1", 1);
    expect_choice(folder, 3, 1, 1, true, "\t308\t100.0\n");
    expect_choice(folder, 3, 2, 1, false, "\t302\t100.0\n");
    expect_choice(folder, 3, 1, 2, false, "\t302\t900.0\n"); /* the last of equals */
    unsetenv("EEX_CUDA_WINOGRAD");
    test_folder_remove(folder);
}

/* cuDNN has it for few shapes; where it has not, another one with channels first is taken. */
Test(first, without_winograd_another_one_is_taken)
{
    char folder[TEST_PATH_SIZE];
    ones_folder(folder);
    setenv("EEX_CUDA_WINOGRAD", "1", 1);
    expect_choice(folder, 5, 1, 1, true, "\t302\t900.0\n");
    unsetenv("EEX_CUDA_WINOGRAD");
    test_folder_remove(folder);
}

/* ---- where it goes wrong ---- */

/* In deterministic mode there is one of them, which is no Winograd. */
Test(first, what_cudnn_does_not_have_is_an_error_where_nothing_else_is_wanted)
{
    ones c;
    void *state;
    setenv("EEX_CUDA_CONV", "first", 1);
    setenv("EEX_CUDA_WINOGRAD", "1", 1);
    ones_on(&c, open_device(1));
    eex_fake_cuda_fail("workspace", 1, cudaErrorUnknown);
    cr_expect_eq(c.dev->vtable->prepare(c.dev, &state, &c.op, ONES_BATCH), EEX_EUNSUPPORTED);
    cr_expect_not_null(strstr(eex_error(), "EEX_CUDA_CONV=first: cuda:0"), "%s", eex_error());
    state = ones_prepared(&c);
    cr_expect_eq(((eex_cuda_conv *)state)->algorithm,
                 CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM);
    eex_fake_cuda_fail("cudnnConvolutionForward", 1, cudaErrorUnknown);
    cr_expect_eq(ones_run(&c, state), EEX_EDEVICE);
    OK(ones_run(&c, state));
    ones_expect(&c);
    c.dev->vtable->finish(c.dev, &c.op, state);
    unsetenv("EEX_CUDA_WINOGRAD");
    ones_close(&c);
}

/* Chosen by time, then refused: patches, with a word. */
Test(first, what_cudnn_refuses_when_it_runs_goes_by_patches)
{
    static const float ms[] = {9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 1, 1, 1, 1};
    char folder[TEST_PATH_SIZE];
    ones c;
    test_capture capture;
    ones_folder(folder);
    test_capture_file(&capture);
    ones_on(&c, ones_timing_device());
    c.op.u.conv.w_static = false;
    eex_fake_cuda_elapsed(ms, 16);
    void *state = ones_prepared(&c);
    cr_expect_eq(transposes_of(&c, state), 4);
    eex_fake_cuda_fail("cudnnConvolutionForward", 1, cudaErrorUnknown);
    transposes_of(&c, state); /* the result is right */
    cr_expect_eq(transposes_of(&c, state), 0);
    c.dev->vtable->finish(c.dev, &c.op, state);
    ones_close(&c);
    char *said = test_capture_end(&capture);
    cr_expect_eq(ones_said(said, "it goes by patches"), 1, "%s", said);
    free(said);
    test_folder_remove(folder);
}
