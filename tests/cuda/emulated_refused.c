/* What becomes of a convolution that cuDNN refuses or fails at: patches and one word where the
 * device is well, an error where it is not, and where cuDNN alone is wanted. */
#include "cuda/cuda_device.h"
#include "cuda/fake_cuda.h"
#include "cuda/ones.h"
#include "support/capture.h"
#include "support/devices.h"
#include "support/folder.h"

#include <stdio.h>
#include <stdlib.h>

static const char plain[] = "cudnnConvolutionForward";
static const char fused[] = "cudnnConvolutionBiasActivationForward";
static const char patches[] = "it goes by patches";

/* A device in deterministic mode, and what is said while there is one. */
typedef struct bed {
    ones c;
    test_capture capture;
} bed;

static void bed_open(bed *b, const char *way)
{
    if (way)
        setenv("EEX_CUDA_CONV", way, 1);
    else
        unsetenv("EEX_CUDA_CONV");
    test_capture_file(&b->capture);
    ones_on(&b->c, open_device(1));
}

/* The caller frees. */
static char *bed_close(bed *b)
{
    eex_fake_cuda_heal();
    ones_close(&b->c);
    return test_capture_end(&b->capture);
}

static void finish(bed *b, void *state)
{
    b->c.dev->vtable->finish(b->c.dev, &b->c.op, state);
}

/* Not even when it would do the op by now: what refuses once is slow to ask. */
Test(refused, cudnn_is_not_asked_again)
{
    bed b;
    bed_open(&b, NULL);
    b.c.op.u.conv.w_static = false; /* nothing to fuse */
    void *state = ones_prepared(&b.c);
    eex_fake_cuda_fail(plain, 1, cudaErrorUnknown);
    OK(ones_run(&b.c, state));
    ones_expect(&b.c);
    eex_fake_cuda_fail(plain, 1, cudaErrorUnknown);
    OK(ones_run(&b.c, state));
    ones_expect(&b.c);
    cr_expect_not(eex_fake_cuda_failed(plain), "it was asked again");
    finish(&b, state);
    free(bed_close(&b));
}

/* Two plans have an op of this name: one word for both, and one more for another name. */
Test(refused, there_is_one_word_an_op)
{
    static const char *const names[] = {"first", "first", "second"};
    bed b;
    bed_open(&b, NULL);
    for (int i = 0; i < 3; i++) {
        b.c.op.name = names[i];
        b.c.op.u.conv.w_static = false;
        void *state = ones_prepared(&b.c);
        eex_fake_cuda_fail(plain, 1, cudaErrorUnknown);
        OK(ones_run(&b.c, state));
        finish(&b, state);
    }
    char *said = bed_close(&b);
    cr_expect_eq(ones_said(said, patches), 2, "%s", said);
    cr_expect_eq(ones_said(said, "first: cuDNN says CUDNN_STATUS_EXECUTION_FAILED"), 1, "%s", said);
    cr_expect_eq(ones_said(said, "second: cuDNN says"), 1, "%s", said);
    free(said);
}

/* A network of a thousand such ops says so of some, and that it stops. */
Test(refused, words_end_somewhere)
{
    enum { OPS = 50, MOST = 32 };
    bed b;
    char name[16];
    bed_open(&b, NULL);
    for (int i = 0; i < OPS; i++) {
        snprintf(name, sizeof name, "op %d", i);
        b.c.op.name = name;
        eex_fake_cuda_fail("workspace", 1, cudaErrorUnknown);
        finish(&b, ones_prepared(&b.c));
    }
    char *said = bed_close(&b);
    cr_expect_eq(ones_said(said, patches), MOST, "%s", said);
    cr_expect_eq(ones_said(said, "and no more are listed"), 1, "%s", said);
    free(said);
}

/* A device that has failed itself: the op's error, and no word of patches, which would fail too. */
static void check_sick_device(bool fuses)
{
    bed b;
    bed_open(&b, NULL);
    if (!fuses)
        b.c.op.u.conv.act = EEX_ACT_RELU6;
    void *state = ones_prepared(&b.c);
    OK(ones_run(&b.c, state)); /* the step is there from now on, cuDNN the first to be asked */
    eex_fake_cuda_fail("cudaStreamSynchronize", 1, cudaErrorIllegalAddress); /* stays */
    cr_expect_eq(b.c.dev->vtable->sync(b.c.dev), EEX_EDEVICE);
    eex_fake_cuda_fail(fuses ? fused : plain, 1, cudaErrorUnknown);
    cr_expect_eq(ones_run(&b.c, state), EEX_EDEVICE);
    cr_expect_not_null(strstr(eex_error(), "cuDNN says"), "%s", eex_error());
    eex_fake_cuda_heal();
    finish(&b, state);
    char *said = bed_close(&b);
    cr_expect_eq(ones_said(said, patches) + ones_said(said, "a pass of their own"), 0, "%s", said);
    free(said);
}

Test(refused, a_device_that_fails_is_no_refusal)
{
    check_sick_device(false);
    check_sick_device(true);
}

/* Nothing is timed here, and cuDNN's first algorithm cannot be. */
Test(refused, the_first_algorithm_is_refused_with_a_word)
{
    bed b;
    bed_open(&b, NULL);
    eex_fake_cuda_fail("workspace", 1, cudaErrorUnknown);
    void *state = ones_prepared(&b.c);
    OK(ones_run(&b.c, state));
    ones_expect(&b.c);
    finish(&b, state);
    char *said = bed_close(&b);
    cr_expect_eq(ones_said(said, patches), 1, "%s", said);
    cr_expect_eq(ones_said(said, "first: cuDNN says CUDNN_STATUS_NOT_SUPPORTED"), 1, "%s", said);
    free(said);
}

Test(refused, in_library_mode_the_first_algorithm_has_to_be)
{
    bed b;
    void *state;
    bed_open(&b, "library");
    eex_fake_cuda_fail("workspace", 1, cudaErrorUnknown);
    cr_expect_eq(b.c.dev->vtable->prepare(b.c.dev, &state, &b.c.op, ONES_BATCH), EEX_EUNSUPPORTED);
    cr_expect_not_null(strstr(eex_error(), "EEX_CUDA_CONV=library: "), "%s", eex_error());
    char *said = bed_close(&b);
    cr_expect_eq(ones_said(said, patches), 0, "%s", said);
    free(said);
}

/* Where ways are timed, none of cuDNN's works. */
Test(refused, none_to_time_is_said_too)
{
    char folder[TEST_PATH_SIZE];
    ones c;
    test_capture capture;
    ones_folder(folder);
    test_capture_file(&capture);
    ones_on(&c, ones_timing_device());
    c.op.precision = EEX_TF32;    /* channels last alone */
    c.op.u.conv.w_static = false; /* one algorithm, one choice */
    eex_fake_cuda_fail("workspace", 1, cudaErrorUnknown);
    void *state = ones_prepared(&c);
    OK(ones_run(&c, state));
    ones_expect(&c);
    c.dev->vtable->finish(c.dev, &c.op, state);
    ones_close(&c);
    char *said = test_capture_end(&capture);
    cr_expect_eq(ones_said(said, patches), 1, "%s", said);
    free(said);
    test_folder_remove(folder);
}

/* ---- a batch in pieces ---- */

enum { PIECES = 3 };

/* A gradient that is added to what is there, in pieces of one sample, of which one is refused. */
static int add_gradients(bed *b, int refused, tensor dx)
{
    const eex_op_conv *conv = &b->c.op.u.conv;
    eex_op data = {.kind = EEX_OP_CONV_BWD_DATA, .name = "data"};
    const eex_step step = bench_step(PIECES);
    void *state;
    data.u.conv_bwd_data =
        (eex_op_conv_bwd_data){.window = conv->window,
                               .dy = tensor_filled(&b->c.b, PIECES * ONES, 1).dev,
                               .w = conv->w,
                               .dx = dx.dev,
                               .accumulate = true};
    OK(b->c.dev->vtable->prepare(b->c.dev, &state, &data, PIECES));
    eex_fake_cuda_fail("cudnnConvolutionBackwardData", refused, cudaErrorUnknown);
    const int code = b->c.dev->vtable->run(b->c.dev, &data, state, &step);
    b->c.dev->vtable->finish(b->c.dev, &data, state);
    return code;
}

/* Patches do all of it again, and would add the first pieces twice. */
Test(refused, what_has_begun_is_not_done_again)
{
    bed b;
    bed_open(&b, NULL);
    ((eex_cuda *)b.c.dev)->tensor_elements = ONES / ONES_BATCH;
    tensor dx = tensor_filled(&b.c.b, PIECES * ONES, 1);
    OK(add_gradients(&b, 1, dx));
    tensor_download(&b.c.b, dx);
    cr_expect_eq(dx.host[(ONES_SIZE + 1) * ONES_CHANNELS], 37);
    cr_expect_eq(add_gradients(&b, 2, dx), EEX_EDEVICE);
    cr_expect_not_null(strstr(eex_error(), "data: cuDNN says"), "%s", eex_error());
    char *said = bed_close(&b);
    cr_expect_eq(ones_said(said, patches), 1, "%s", said);
    free(said);
}

/* The larger side decides how many samples a call takes, and the pass that ends the op is a part of
 * each piece. */
Test(refused, pieces_fit_the_larger_side_and_end_as_a_whole)
{
    bed b;
    const eex_step step = bench_step(PIECES);
    void *state;
    bed_open(&b, "library");
    eex_op_conv *conv = &b.c.op.u.conv;
    conv->window.cin = 1;
    conv->x = tensor_filled(&b.c.b, PIECES * ONES, 1).dev;
    conv->residual = tensor_filled(&b.c.b, PIECES * ONES, -8).dev;
    tensor y = tensor_poison(&b.c.b, PIECES * ONES / ONES_BATCH);
    conv->y = y.dev;
    ((eex_cuda *)b.c.dev)->tensor_elements = ONES / ONES_BATCH + 10;
    eex_fake_cudnn_elements(ONES / ONES_BATCH + 10);
    OK(b.c.dev->vtable->prepare(b.c.dev, &state, &b.c.op, PIECES));
    OK(b.c.dev->vtable->run(b.c.dev, &b.c.op, state, &step));
    finish(&b, state);
    tensor_download(&b.c.b, y);
    for (int i = 0; i < PIECES; i++)
        cr_expect_eq(y.host[i * (ONES / ONES_BATCH) + (ONES_SIZE + 1) * ONES_CHANNELS], 2,
                     "sample %d", i);
    eex_fake_cudnn_elements(INT32_MAX);
    free(bed_close(&b));
}
