/* Bias, residual and activation in cuDNN's own pass: when it is asked, and what becomes of what it
 * refuses. */
#include "cuda/fake_cuda.h"
#include "cuda/ones.h"
#include "support/capture.h"
#include "support/devices.h"
#include "support/folder.h"

#include "base/fs.h"

#include <stdio.h>
#include <stdlib.h>

static const char plain[] = "cudnnConvolutionForward";
static const char fused[] = "cudnnConvolutionBiasActivationForward";
enum { FUSED_PRECOMP = 102, OWN = 201 }; /* as they stand in the file */

/* Whether a function is called when the op runs: a failure of its next call would be one of the
 * op's, as nothing else is tried where cuDNN alone is wanted. */
static bool calls(ones *c, const char *function)
{
    void *state = ones_prepared(c);
    eex_fake_cuda_fail(function, 1, cudaErrorUnknown);
    const int code = ones_run(c, state);
    eex_fake_cuda_heal();
    c->dev->vtable->finish(c->dev, &c->op, state);
    return code != EEX_OK;
}

Test(fused, cudnn_is_asked_for_what_it_documents)
{
    ones c;
    setenv("EEX_CUDA_CONV", "library", 1);
    ones_on(&c, open_device(1));
    eex_op_conv *conv = &c.op.u.conv;
    cr_expect(calls(&c, fused) && !calls(&c, plain), "bias, residual, ReLU");
    conv->act = EEX_ACT_NONE;
    cr_expect(calls(&c, fused) && !calls(&c, plain), "bias, residual");
    conv->residual = NULL;
    cr_expect(calls(&c, fused) && !calls(&c, plain), "bias");
    conv->act = EEX_ACT_RELU6;
    cr_expect(!calls(&c, fused) && calls(&c, plain), "ReLU6");
    conv->act = EEX_ACT_RELU;
    conv->w_static = false;
    cr_expect(!calls(&c, fused) && calls(&c, plain), "training");
    conv->w_static = true;
    c.op.precision = EEX_TF32;
    cr_expect(calls(&c, fused) && !calls(&c, plain), "TF32");
    c.op.precision = EEX_BF16;
    cr_expect(!calls(&c, fused) && calls(&c, plain), "bfloat16");
    c.op.precision = EEX_F32;
    conv->bias = NULL;
    cr_expect(!calls(&c, fused) && calls(&c, plain), "no bias");
    ones_close(&c);
}

/* Then it is two passes, with one word, and no second try. */
Test(fused, what_is_refused_is_done_in_two_passes)
{
    ones c;
    test_capture capture;
    unsetenv("EEX_CUDA_CONV");
    test_capture_file(&capture);
    ones_on(&c, open_device(1));
    void *state = ones_prepared(&c);
    eex_fake_cuda_fail(fused, 1, cudaErrorUnknown);
    OK(ones_run(&c, state));
    ones_expect(&c);
    eex_fake_cuda_fail(fused, 1, cudaErrorUnknown);
    OK(ones_run(&c, state));
    ones_expect(&c);
    eex_fake_cuda_heal();
    c.dev->vtable->finish(c.dev, &c.op, state);
    ones_close(&c);
    char *said = test_capture_end(&capture);
    cr_expect_eq(ones_said(said, "bias and activation get a pass of their own"), 1, "%s", said);
    cr_expect_eq(ones_said(said, "patches"), 0, "%s", said);
    free(said);
}

/* And where two passes are refused as well, by patches. */
Test(fused, what_is_refused_altogether_goes_by_patches)
{
    ones c;
    test_capture capture;
    unsetenv("EEX_CUDA_CONV");
    test_capture_file(&capture);
    ones_on(&c, open_device(1));
    void *state = ones_prepared(&c);
    eex_fake_cuda_fail(fused, 1, cudaErrorUnknown);
    eex_fake_cuda_fail(plain, 1, cudaErrorUnknown);
    OK(ones_run(&c, state));
    ones_expect(&c);
    eex_fake_cuda_heal();
    c.dev->vtable->finish(c.dev, &c.op, state);
    ones_close(&c);
    char *said = test_capture_end(&capture);
    cr_expect_eq(ones_said(said, "it goes by patches"), 1, "%s", said);
    free(said);
}

/* In library mode a refusal is a failure. */
Test(fused, in_library_mode_a_refusal_is_a_failure)
{
    ones c;
    setenv("EEX_CUDA_CONV", "library", 1);
    ones_on(&c, open_device(1));
    void *state = ones_prepared(&c);
    eex_fake_cuda_fail(fused, 1, cudaErrorUnknown);
    cr_expect_eq(ones_run(&c, state), EEX_EDEVICE);
    cr_expect_not_null(strstr(eex_error(), "first: cuDNN says"), "%s", eex_error());
    OK(ones_run(&c, state));
    ones_expect(&c);
    c.dev->vtable->finish(c.dev, &c.op, state);
    ones_close(&c);
}

/* ---- choosing by time ---- */

static char folder[TEST_PATH_SIZE];

/* Prepares and runs an op on a device of its own; what the file then says, and what was said. */
static int choice_after(bool with_bias, char **said)
{
    ones c;
    test_capture capture;
    char *text = NULL;
    test_capture_file(&capture);
    ones_on(&c, ones_timing_device());
    if (!with_bias)
        c.op.u.conv.bias = NULL;
    void *state = ones_prepared(&c);
    OK(ones_run(&c, state));
    if (with_bias)
        ones_expect(&c);
    c.dev->vtable->finish(c.dev, &c.op, state);
    ones_close(&c);
    *said = test_capture_end(&capture);
    OK(eex_fs_read(&text, NULL, test_path(folder, "convolutions.txt"), 1 << 20));
    const char *tab = strchr(text, '\t');
    const int choice = tab ? atoi(tab + 1) : -1;
    free(text);
    return choice;
}

/* The file with its one choice replaced. */
static void write_choice(int choice)
{
    char *text = NULL, changed[512];
    OK(eex_fs_read(&text, NULL, test_path(folder, "convolutions.txt"), 1 << 20));
    snprintf(changed, sizeof changed, "%.*s\t%d\t3.5\n", (int)strcspn(text, "\t"), text, choice);
    OK(eex_fs_write(test_path(folder, "convolutions.txt"), changed, strlen(changed)));
    free(text);
}

/* What the file says is kept where there is such a choice, and measured anew where not. */
static void expect_kept(bool with_bias, int choice, bool kept)
{
    char *said;
    write_choice(choice);
    const int now = choice_after(with_bias, &said);
    cr_expect_eq(ones_said(said, "measured anew"), !kept, "%d: %s", choice, said);
    if (kept)
        cr_expect_eq(now, choice);
    free(said);
}

Test(fused, choices_are_remembered_with_what_ends_the_op)
{
    char *said;
    ones_folder(folder);
    choice_after(true, &said); /* makes the file */
    free(said);
    expect_kept(true, FUSED_PRECOMP, true);
    expect_kept(true, OWN, true);
    OK(eex_fs_remove_file(test_path(folder, "convolutions.txt")));
    choice_after(false, &said);
    free(said);
    expect_kept(false, OWN, true);
    expect_kept(false, FUSED_PRECOMP, false);
    test_folder_remove(folder);
}

/* The same convolution with and without a bias are two lines, and neither makes the other stale. */
Test(fused, an_op_that_ends_otherwise_is_another_one)
{
    char *text = NULL, *said;
    ones_folder(folder);
    for (int i = 0; i < 4; i++) {
        choice_after(i % 2, &said);
        cr_expect_eq(ones_said(said, "measured anew"), 0, "%d: %s", i, said);
        free(said);
    }
    OK(eex_fs_read(&text, NULL, test_path(folder, "convolutions.txt"), 1 << 20));
    cr_expect_eq(ones_said(text, "\n"), 1 + 2, "%s", text);
    free(text);
    test_folder_remove(folder);
}

/* A choice of the file that cuDNN refuses to fuse is measured anew, and another one. */
Test(fused, a_refusal_is_no_choice)
{
    char *said;
    ones_folder(folder);
    choice_after(true, &said);
    free(said);
    write_choice(FUSED_PRECOMP);
    eex_fake_cuda_fail(fused, 1, cudaErrorUnknown);
    choice_after(true, &said);
    eex_fake_cuda_heal();
    cr_expect_eq(ones_said(said, "measured anew"), 1, "%s", said);
    cr_expect_eq(ones_said(said, "get a pass of their own"), 1, "%s", said);
    free(said);
    test_folder_remove(folder);
}

enum { KERNELS = 60 }; /* those of one timing, about */

/* A matrix product beside our own kernel: 4 + 1 - 2, whoever of them was timed last. Timing reads
 * the op's own residual, so it has to hold the largest batch that is prepared. */
static void product_on(ones *c)
{
    ones_on(c, ones_timing_device());
    eex_op_conv *conv = &c->op.u.conv;
    conv->window.kernel = 1;
    conv->window.pad = 0;
    conv->residual = tensor_filled(&c->b, ONES / ONES_BATCH * (ONES_BATCH + KERNELS), -2).dev;
}

/* Each kernel of the timing fails in turn, the last of them those of our own; choice -1: the op
 * could not be prepared. */
static int product_without(int nth)
{
    ones c;
    char *text = NULL;
    void *state;
    product_on(&c);
    eex_fake_cuda_fail("kernel", nth, cudaErrorUnknown);
    const int code = c.dev->vtable->prepare(c.dev, &state, &c.op, ONES_BATCH + nth); /* not known */
    eex_fake_cuda_heal();
    if (code == EEX_OK) {
        OK(ones_run(&c, state));
        tensor_download(&c.b, c.y);
        cr_expect_eq(c.y.host[0], 3, "without kernel %d: %g", nth, (double)c.y.host[0]);
        c.dev->vtable->finish(c.dev, &c.op, state);
    }
    ones_close(&c);
    if (code == EEX_OK) {
        OK(eex_fs_read(&text, NULL, test_path(folder, "convolutions.txt"), 1 << 20));
        OK(eex_fs_remove_file(test_path(folder, "convolutions.txt")));
    }
    const char *tab = text ? strchr(text, '\t') : NULL;
    const int choice = tab ? atoi(tab + 1) : -1;
    free(text);
    return choice;
}

Test(fused, a_way_that_loses_leaves_the_rest_of_the_op_to_be_done)
{
    int lost = 0;
    ones_folder(folder);
    for (int nth = 1; nth <= KERNELS; nth++) {
        const int choice = product_without(nth);
        lost += choice >= 0 && choice != OWN;
    }
    cr_expect_gt(lost, 0, "our own kernel never lost");
    test_folder_remove(folder);
}
