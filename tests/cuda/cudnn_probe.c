/* What real libraries say without a GPU: whether cuDNN describes what convolutions ask of it, up to
 * how many elements, and what its errors are called. emulated_cudnn.sh runs this with EEX_CUDNN_DIR
 * and a library that takes the driver's place; alone it has nothing to look at. */
#include "cuda/conv_dnn.h"
#include "support/devices.h"

#include <stdlib.h>

static eex_cuda_libs libs;
static eex_cuda device;

/* A device that has nothing but its libraries. */
static eex_cuda *open_libraries(void)
{
    if (!getenv("EEX_CUDNN_REAL"))
        cr_skip_test("EEX_CUDNN_REAL is not set: no real cuDNN to look at");
    eex__cuda_libs_use(NULL, 0);
    cr_assert_eq(eex__cuda_libs_load(&libs), EEX_OK, "%s", eex_error());
    device = (eex_cuda){.libs = &libs,
                        .sum_rows = EEX_CUDA_SUM_ROWS,
                        .tensor_elements = EEX_CUDA_TENSOR_ELEMENTS,
                        .first_bytes = EEX_CUDA_FIRST_BYTES};
    return &device;
}

static eex_window window_of(int channels, int kernel, int stride, int groups)
{
    const int size = 32 / stride;
    return (eex_window){.cin = channels,
                        .hin = 32,
                        .win = 32,
                        .cout = channels,
                        .hout = size,
                        .wout = size,
                        .kernel = kernel,
                        .stride = stride,
                        .pad = kernel / 2,
                        .groups = groups};
}

static eex_op op_of(eex_op_kind kind, eex_precision precision, eex_window window)
{
    eex_op op = {.kind = kind, .precision = precision, .name = "conv"};
    if (kind == EEX_OP_CONV)
        op.u.conv.window = window;
    else if (kind == EEX_OP_CONV_BWD_DATA)
        op.u.conv_bwd_data.window = window;
    else
        op.u.conv_bwd_weights.window = window;
    return op;
}

static const eex_op_kind kinds[] = {EEX_OP_CONV, EEX_OP_CONV_BWD_DATA, EEX_OP_CONV_BWD_WEIGHTS};
static const eex_precision precisions[] = {EEX_F32, EEX_TF32, EEX_BF16};

Test(cudnn, it_describes_what_convolutions_ask_of_it)
{
    eex_cuda *cuda = open_libraries();
    const eex_window windows[] = {window_of(16, 3, 1, 1), window_of(16, 3, 2, 1),
                                  window_of(16, 5, 1, 4), window_of(3, 3, 1, 1)};
    for (int i = 0; i < 3 * 3 * 4; i++) {
        const eex_op op = op_of(kinds[i % 3], precisions[i / 3 % 3], windows[i / 9]);
        eex_cuda_conv s = {.algorithm = -1};
        cr_expect_eq(eex__cuda_dnn_open(cuda, &s, &op), EEX_OK, "%d: %s", i, eex_error());
        for (int first = 0; first < 2; first++) {
            cr_expect_eq(eex__cuda_dnn_layout(cuda, &s, &op, first), EEX_OK, "%d: %s", i,
                         eex_error());
            cr_expect_eq(eex__cuda_dnn_describe(cuda, &s, &op, 128), EEX_OK, "%d: %s", i,
                         eex_error());
        }
        eex__cuda_dnn_finish(cuda, &s);
    }
}

/* 64 channels of 32 x 32: 32,768 images are 2^31 elements. What is refused is known as a refusal,
 * and the pieces that such a batch is done in are not refused. */
Test(cudnn, descriptors_end_at_2_to_the_31)
{
    eex_cuda *cuda = open_libraries();
    for (int i = 0; i < 3; i++) {
        const eex_op op = op_of(kinds[i], EEX_F32, window_of(64, 3, 1, 1));
        eex_cuda_conv s = {.algorithm = -1};
        const int piece = eex__cuda_dnn_piece(cuda, &s, &op, 100000);
        cr_assert_eq(eex__cuda_dnn_open(cuda, &s, &op), EEX_OK, "%s", eex_error());
        cr_expect_eq(eex__cuda_dnn_describe(cuda, &s, &op, 32767), EEX_OK, "%s", eex_error());
        cr_expect_eq(eex__cuda_dnn_describe(cuda, &s, &op, 32768), EEX_EUNSUPPORTED, "%s",
                     eex_error());
        cr_expect(s.refused);
        cr_expect_not_null(strstr(eex_error(), "CUDNN_STATUS_NOT_SUPPORTED"), "%s", eex_error());
        cr_expect_lt(piece, 32768);
        cr_expect_eq(eex__cuda_dnn_describe(cuda, &s, &op, piece), EEX_OK, "%d: %s", piece,
                     eex_error());
        eex__cuda_dnn_finish(cuda, &s);
    }
}

/* By their names: memory, what is not supported, and all else. */
Test(cudnn, its_errors_are_what_they_are_taken_for)
{
    eex_cuda *cuda = open_libraries();
    int known = 0;
    for (int status = 1; status < 6000; status++) {
        const char *name = libs.cudnnGetErrorString((cudnnStatus_t)status);
        const int code = eex__cuda_dnn_check(cuda, (cudnnStatus_t)status, "test");
        if (strstr(name, "UNKNOWN"))
            continue;
        known++;
        const int wanted = strstr(name, "NOT_SUPPORTED") ? EEX_EUNSUPPORTED
                           : strstr(name, "ALLOC_FAILED") || strstr(name, "ALLOCATION")
                               ? EEX_ENOMEM
                               : EEX_EDEVICE;
        cr_expect_eq(code, wanted, "%s (%d) is taken for %d", name, status, code);
    }
    cr_expect_gt(known, 10);
}
