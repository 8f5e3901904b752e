/* Networks from ONNX: what PyTorch exports gives PyTorch's logits; what is not known is named, what
 * cannot be is refused. */
#include "core/exchange/onnx_import.h"
#include "core/exchange/proto.h"
#include "core/exchange/start.h"
#include "core/plan/plan.h"
#include "support/devices.h"
#include "support/fixture.h"
#include "support/folder.h"
#include "support/refused.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE];

static void setup(void)
{
    test_folder_make(folder);
}

static void teardown(void)
{
    test_folder_remove(folder);
}

TestSuite(onnx_import, .init = setup, .fini = teardown);

/* ---- what PyTorch exported ---- */

static void expect_logits(const char *name, const char *file, const char *what)
{
    char path[TEST_PATH_SIZE];
    fixture *fix = fixture_open(file);
    const uint8_t *images = fixture_find(fix, NULL, "u8", "images");
    const float *want = fixture_find(fix, NULL, "f32", "%s", what);
    eex_device *dev = open_device(1);
    eex_onnx_network *net;
    eex_params *params;
    eex_plan *plan;
    float got[40];
    snprintf(path, sizeof path, "%s/%s", EEX_FIXTURES, name);
    OK(eex_onnx_open(&net, path, "imported", 0));
    OK(eex_params_new_empty(&params, dev, eex_onnx_graph(net)));
    OK(eex_onnx_load(params, net));
    const eex_plan_options how = {.batch = 4, .augment = {.std = {1, 1, 1}}};
    OK(eex_plan_new(&plan, &how, eex_onnx_graph(net), params));
    OK(eex_plan_upload(plan, images, NULL, NULL, 4));
    OK(eex_plan_segments(plan, 0, 0, 4));
    OK(eex_plan_logits(plan, 0, got, 4));
    for (int i = 0; i < 40; i++)
        cr_expect(fabsf(got[i] - want[i]) < 1e-4f, "%s %d: %g and %g", name, i, (double)got[i],
                  (double)want[i]);
    eex_plan_free(plan);
    eex_params_free(params);
    eex_onnx_close(net);
    eex_device_close(dev);
    fixture_close(fix);
}

Test(onnx_import, of_pytorch)
{
    expect_logits("network_plain.onnx", EEX_FIXTURES "/weights.bin", "exact");
    expect_logits("network_odd.onnx", EEX_FIXTURES "/weights.bin", "odd");
}

Test(onnx_import, of_the_blocks_of_several_networks)
{
    expect_logits("network_blocks.onnx", EEX_FIXTURES "/blocks.bin", "blocks");
}

/* An adaptive pool that is a mean over windows, one that changes nothing, and linear layers on
 * maps. */
Test(onnx_import, of_a_vgg)
{
    expect_logits("network_vgg.onnx", EEX_FIXTURES "/vgg.bin", "plain");
    expect_logits("network_vgg_bn.onnx", EEX_FIXTURES "/vgg.bin", "norms");
}

Test(onnx_import, puts_no_value_together_twice)
{
    eex_onnx_network *net;
    int concats = 0, grouped = 0;
    OK(eex_onnx_open(&net, EEX_FIXTURES "/network_blocks.onnx", "blocks", 0));
    const eex_graph *g = eex_onnx_graph(net);
    for (int i = 0; i < eex_graph_nodes(g); i++) {
        const eex_node *n = eex_graph_node(g, i);
        concats += n->kind == EEX_NODE_CONCAT;
        grouped += n->kind == EEX_NODE_CONV && n->window.groups == 4;
    }
    cr_expect(concats == 3 && grouped == 1, "%d concatenations, %d grouped", concats, grouped);
    eex_onnx_close(net);
}

Test(onnx_import, scripts)
{
    eex_onnx_network *net;
    eex_buffer b = EEX_BUFFER_INIT;
    OK(eex_onnx_open(&net, EEX_FIXTURES "/network_odd.onnx", "odd", 0));
    OK(eex_start_script(&b, eex_onnx_graph(net), "cifar10", "odd.onnx"));
    const char *text = eex_buffer_text(&b);
    cr_expect(strstr(text, "v[1] = g:conv(v[0], \"stem\", { out = 8, kernel = 3, pad = 1 })"), "%s",
              text);
    cr_expect(strstr(text, "groups = 8, bias = true })"));
    cr_expect(strstr(text, "\"h-swish\")"));
    cr_expect(strstr(text, "{ out = 10 })"));
    cr_expect(strstr(text, "dataset = { name = \"cifar10\" }"));
    eex_buffer_free(&b);
    eex_onnx_close(net);
}

/* ---- files that are made here ---- */

typedef struct maker {
    eex_buffer file;
    size_t graph;
} maker;

static void put_port(maker *m, int field, const char *name, const int64_t *shape, int rank)
{
    const size_t port = eex__proto_open(&m->file, field);
    eex__proto_text(&m->file, 1, name);
    const size_t type = eex__proto_open(&m->file, 2), tensor = eex__proto_open(&m->file, 1);
    const size_t sizes = eex__proto_open(&m->file, 2);
    for (int d = 0; d < rank; d++) {
        const size_t one = eex__proto_open(&m->file, 1);
        if (shape[d] >= 0)
            eex__proto_int(&m->file, 1, shape[d]);
        eex__proto_close(&m->file, one);
    }
    eex__proto_close(&m->file, sizes);
    eex__proto_close(&m->file, tensor);
    eex__proto_close(&m->file, type);
    eex__proto_close(&m->file, port);
}

static maker begin(int64_t side)
{
    const int64_t in[4] = {-1, 3, side, side}, out[2] = {-1, 10};
    maker m = {.file = EEX_BUFFER_INIT};
    m.graph = eex__proto_open(&m.file, 7);
    put_port(&m, 11, "x", in, 4);
    put_port(&m, 12, "y", out, 2);
    return m;
}

static void put_node(maker *m, const char *op, const char *a, const char *b, const char *out)
{
    const size_t node = eex__proto_open(&m->file, 1);
    eex__proto_text(&m->file, 1, a);
    if (b)
        eex__proto_text(&m->file, 1, b);
    eex__proto_text(&m->file, 2, out);
    eex__proto_text(&m->file, 4, op);
    eex__proto_close(&m->file, node);
}

/* A node with a list of numbers, or with one (0 numbers: `list` is it). */
static void put_listed(maker *m, const char *op, const char *in, const char *w, const char *name,
                       const int64_t *list, int count, const char *out)
{
    const size_t node = eex__proto_open(&m->file, 1);
    eex__proto_text(&m->file, 1, in);
    if (w)
        eex__proto_text(&m->file, 1, w);
    eex__proto_text(&m->file, 2, out);
    eex__proto_text(&m->file, 4, op);
    const size_t attribute = eex__proto_open(&m->file, 5);
    eex__proto_text(&m->file, 1, name);
    if (count == 0)
        eex__proto_int(&m->file, 3, *list);
    for (int i = 0; i < count; i++)
        eex__proto_int(&m->file, 8, list[i]);
    eex__proto_close(&m->file, attribute);
    eex__proto_close(&m->file, node);
}

/* A tensor that claims this type and shape and has so many bytes. */
static void put_tensor(maker *m, const char *name, int type, const int64_t *shape, int rank,
                       size_t bytes)
{
    const size_t tensor = eex__proto_open(&m->file, 5);
    for (int d = 0; d < rank; d++)
        eex__proto_int(&m->file, 1, shape[d]);
    eex__proto_int(&m->file, 2, type);
    eex__proto_text(&m->file, 8, name);
    const size_t raw = eex__proto_open(&m->file, 9);
    eex_buffer_fill(&m->file, 0, bytes);
    eex__proto_close(&m->file, raw);
    eex__proto_close(&m->file, tensor);
}

static int end(maker *m, int size)
{
    const char *path = test_path(folder, "made.onnx");
    eex_onnx_network *net = NULL;
    eex__proto_close(&m->file, m->graph);
    OK(eex_fs_write(path, m->file.data, m->file.size));
    eex_buffer_free(&m->file);
    const int code = eex_onnx_open(&net, path, "made", size);
    cr_expect_eq(code == EEX_OK, net != NULL);
    eex_onnx_close(net);
    return code;
}

static void expect_says(int code, int wanted, const char *says)
{
    cr_expect_eq(code, wanted, "%d: %s", code, eex_error());
    cr_expect(strstr(eex_error(), says), "%s", eex_error());
    cr_expect(strstr(eex_error(), "made.onnx"), "%s", eex_error());
}

static const int64_t matrix[2] = {10, 192};

/* A flatten and a Gemm on 8 x 8, with something wrong. */
static maker linear(int type, const int64_t *shape, int rank, size_t bytes)
{
    maker m = begin(8);
    put_node(&m, "Flatten", "x", NULL, "f");
    put_node(&m, "MatMul", "f", "w", "y");
    put_tensor(&m, "w", type, shape, rank, bytes);
    return m;
}

Test(onnx_import, what_is_right)
{
    const int64_t shape[2] = {192, 10};
    maker m = linear(1, shape, 2, sizeof(float) * 1920);
    OK(end(&m, 0));
    m = begin(-1);
    put_node(&m, "Flatten", "x", NULL, "f");
    put_node(&m, "MatMul", "f", "w", "y");
    put_tensor(&m, "w", 1, shape, 2, sizeof(float) * 1920);
    OK(end(&m, 8));
}

Test(onnx_import, what_is_not_known)
{
    maker m = begin(8);
    put_node(&m, "Elu", "x", NULL, "y");
    expect_says(end(&m, 0), EEX_EUNSUPPORTED, "Elu \"y\": this operator is not known");
    m = begin(8);
    put_node(&m, "Softmax", "x", NULL, "z");
    put_node(&m, "Relu", "z", NULL, "y");
    expect_says(end(&m, 0), EEX_EUNSUPPORTED, "in the middle");
    m = begin(8);
    put_node(&m, "HardSigmoid", "x", NULL, "y");
    expect_says(end(&m, 0), EEX_EUNSUPPORTED, "expected 1/6 and 1/2");
    m = begin(8);
    put_node(&m, "Clip", "x", NULL, "y");
    expect_says(end(&m, 0), EEX_EUNSUPPORTED, "expected 0..6");
    m = begin(8);
    put_node(&m, "Mul", "x", "x", "y");
    expect_says(end(&m, 0), EEX_EUNSUPPORTED, "of two feature maps");
    m = begin(-1);
    put_node(&m, "Relu", "x", NULL, "y");
    expect_says(end(&m, 0), EEX_EINVAL, "--size N");
}

/* Cycles, names that are not there or twice, an escape sequence in one. */
Test(onnx_import, what_does_not_hold_together)
{
    maker m = begin(8);
    put_node(&m, "Add", "x", "z", "y");
    put_node(&m, "Relu", "y", NULL, "z");
    expect_says(end(&m, 0), EEX_EFORMAT, "reads \"z\", which nothing in front of it makes");
    m = begin(8);
    put_node(&m, "Relu", "y", NULL, "y");
    expect_says(end(&m, 0), EEX_EFORMAT, "reads \"y\"");
    m = begin(8);
    put_node(&m, "Relu", "x", NULL, "z");
    put_node(&m, "Relu", "x", NULL, "z");
    expect_says(end(&m, 0), EEX_EFORMAT, "two values are called \"z\"");
    m = linear(1, matrix, 2, sizeof(float) * 1920);
    put_tensor(&m, "w", 1, matrix, 2, sizeof(float) * 1920);
    expect_says(end(&m, 0), EEX_EFORMAT, "two values are called \"w\"");
    m = begin(8);
    put_node(&m, "Relu", "a\x1b[2J", NULL, "y");
    expect_says(end(&m, 0), EEX_EFORMAT, "reads \"a?[2J\"");
    m = begin(8);
    expect_says(end(&m, 0), EEX_EFORMAT, "reads \"y\"");
    m = begin(8);
    put_node(&m, "Relu", "x", NULL, "y"); /* no scores */
    cr_expect_lt(end(&m, 0), 0);
}

Test(onnx_import, shapes_that_cannot_be)
{
    static const int64_t huge[4] = {1LL << 32, 1LL << 32, 1LL << 32, 4}, below[2] = {-1, -4};
    static const int64_t many[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    maker m = linear(1, huge, 4, 16);
    expect_says(end(&m, 0), EEX_EFORMAT, "a shape that cannot be");
    m = linear(1, below, 2, 16);
    expect_says(end(&m, 0), EEX_EFORMAT, "a shape that cannot be");
    m = linear(1, many, 9, 4);
    expect_says(end(&m, 0), EEX_EFORMAT, "more than 8 dimensions");
    m = linear(1, matrix, 2, 17);
    expect_says(end(&m, 0), EEX_EFORMAT, "a shape of 7680 bytes and 17 bytes");
    m = linear(22, matrix, 2, 960); /* INT4 */
    expect_says(end(&m, 0), EEX_EUNSUPPORTED, "weights are expected as float32");
    m = linear(1, matrix, 2, sizeof(float) * 1920); /* (out, in) */
    expect_says(end(&m, 0), EEX_EUNSUPPORTED, "no matrix for 192 numbers");
    m = begin(1 << 19);
    put_node(&m, "Relu", "x", NULL, "y");
    cr_expect_lt(end(&m, 0), 0);
}

/* A dimension of 0 and bytes all the same: whoever reads the numbers has room for two or eight. */
Test(onnx_import, bytes_that_no_shape_speaks_of)
{
    static const char *const readers[] = {"Reshape", "Pad", "ReduceMean"};
    static const int64_t none[2] = {0, 4};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        for (int rank = 1; rank <= 2; rank++) {
            maker m = begin(8);
            put_node(&m, readers[i], "x", "w", "y");
            put_tensor(&m, "w", 7, none, rank, 4096);
            expect_says(end(&m, 0), EEX_EFORMAT, "a shape of 0 bytes and 4096 bytes");
        }
    maker m = linear(22, none, 2, 4096);
    expect_says(end(&m, 0), EEX_EUNSUPPORTED, "no known size");
}

/* What a list of int64_data holds is what its shape says. */
Test(onnx_import, lists_that_are_not_their_shape)
{
    static const int64_t sizes[] = {1, 3};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        maker m = begin(8);
        put_node(&m, "Reshape", "x", "w", "y");
        const size_t tensor = eex__proto_open(&m.file, 5);
        eex__proto_int(&m.file, 1, sizes[i]);
        eex__proto_int(&m.file, 2, 7);
        eex__proto_text(&m.file, 8, "w");
        eex__proto_bytes(&m.file, 7, "\x01\x02", 2);
        eex__proto_close(&m.file, tensor);
        expect_says(end(&m, 0), EEX_EUNSUPPORTED,
                    "to what cannot be told from it: expected N x 192");
    }
}

/* Weights for more channels than a number can be: only a tensor without its numbers claims so. */
Test(onnx_import, groups_beyond_all_numbers)
{
    const int64_t shape[4] = {1, (1LL << 62) + 3, 1, 1}, groups = 4, channels = 1;
    maker m = begin(8);
    put_listed(&m, "Concat", "x", "x", "axis", &channels, 0, "six");
    put_listed(&m, "Concat", "six", "six", "axis", &channels, 0, "twelve");
    put_listed(&m, "Conv", "twelve", "w", "group", &groups, 0, "y");
    const size_t tensor = eex__proto_open(&m.file, 5);
    for (int d = 0; d < 4; d++)
        eex__proto_int(&m.file, 1, shape[d]);
    eex__proto_int(&m.file, 2, 2);
    eex__proto_text(&m.file, 8, "w");
    eex__proto_close(&m.file, tensor);
    expect_says(end(&m, 0), EEX_EUNSUPPORTED, "in 4 groups, of 12");
}

/* Lists of sides, groups and axes that no operator has. */
Test(onnx_import, attributes_that_cannot_be)
{
    static const int64_t weights[4] = {4, 3, 3, 3};
    static const struct {
        const char *op, *name;
        int64_t list[8];
        int count;
        const char *says;
    } wrong[] = {
        {"Conv", "strides", {0, 0}, 2, "strides of 0: expected 1 to"},
        {"Conv", "strides", {-2, -2}, 2, "strides of -2: expected 1 to"},
        {"Conv", "strides", {1, 2}, 2, "strides differ between the sides"},
        {"Conv", "dilations", {0, 0}, 2, "dilations of 0: expected 1 to"},
        {"Conv", "kernel_shape", {1LL << 33, 3}, 2, "kernel_shape of 8589934592"},
        {"Conv", "pads", {-1, -1, -1, -1}, 4, "pads of -1: expected 0 to"},
        {"Conv", "pads", {1, 1, 1}, 3, "3 pads instead of 4"},
        {"Conv", "group", {0}, 0, "in 0 groups"},
        {"Conv", "group", {-1}, 0, "in -1 groups"},
        {"Conv", "group", {1LL << 40}, 0, "in 1099511627776 groups"},
        {"Pad", "pads", {0, 0, -1, -1, 0, 0, -1, -1}, 8, "pads of -1: expected 0 to 64"},
        {"Pad", "pads", {0, 0, 1LL << 62, 0, 0, 0, 0, 0}, 8, "pads of 4611686018427387904"},
        {"Pad", "pads", {0, 4, 0, 0, 0, 4, 0, 0}, 8, "pads of the batch or the channels"},
        {"Pad", "pads", {0, 0, 0, 0, 0, 0, 1, 1}, 8, "pads differ between the sides"},
        {"Concat", "axis", {2}, 0, "along another axis than the channels"},
        {"Concat", "axis", {-4}, 0, "along another axis than the channels"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        maker m = begin(8);
        put_listed(&m, wrong[i].op, "x", wrong[i].op[1] == 'o' ? "w" : NULL, wrong[i].name,
                   wrong[i].list, wrong[i].count, "y");
        put_tensor(&m, "w", 1, weights, 4, sizeof(float) * 108);
        expect_says(end(&m, 0), EEX_EUNSUPPORTED, wrong[i].says);
    }
}

/* A node of one attribute, which is a float, an int, a list, or text, and says of which type it is
 * (0: nothing). */
static void put_typed(maker *m, const char *op, const char *name, int type, int value, float number)
{
    const size_t node = eex__proto_open(&m->file, 1);
    eex__proto_text(&m->file, 1, "x");
    eex__proto_text(&m->file, 1, "w");
    eex__proto_text(&m->file, 2, "y");
    eex__proto_text(&m->file, 4, op);
    const size_t attribute = eex__proto_open(&m->file, 5);
    eex__proto_text(&m->file, 1, name);
    if (value == 1)
        eex__proto_float(&m->file, 2, number);
    else if (value == 2 || value == 7)
        eex__proto_int(&m->file, value == 2 ? 3 : 8, (int64_t)number);
    else if (value == 3)
        eex__proto_text(&m->file, 4, "NOTSET");
    if (type)
        eex__proto_int(&m->file, 20, type);
    eex__proto_close(&m->file, attribute);
    eex__proto_close(&m->file, node);
}

static int of_typed(const char *op, const char *name, int type, int value, float number)
{
    static const int64_t shape[4] = {10, 3, 8, 8};
    maker m = begin(8);
    put_typed(&m, op, name, type, value, number);
    put_tensor(&m, "w", 1, shape, 4, sizeof(float) * 1920);
    return end(&m, 0);
}

/* What is said and what is there are of one type, or what is there would read as 0. */
Test(onnx_import, attributes_of_another_type)
{
    static const struct {
        const char *op, *name;
        int type, value;
        const char *says;
    } wrong[] = {
        {"Conv", "group", 1, 1, "attribute group is of float: expected int"},
        {"Conv", "group", 0, 1, "attribute group is of float: expected int"},
        {"Conv", "group", 2, 1, "attribute group is of float: expected int"},
        {"Conv", "group", 7, 7, "attribute group is of ints: expected int"},
        {"Conv", "group", 99, 0, "attribute group is of no known type: expected int"},
        {"Conv", "group", 0, 0, "attribute group is of no known type: expected int"},
        {"Conv", "strides", 2, 2, "attribute strides is of int: expected ints"},
        {"Conv", "auto_pad", 2, 2, "attribute auto_pad is of int: expected string"},
        {"Pad", "pads", 3, 3, "attribute pads is of string: expected ints"},
        {"Pad", "mode", 2, 2, "attribute mode is of int: expected string"},
        {"MaxPool", "ceil_mode", 1, 1, "attribute ceil_mode is of float: expected int"},
        {"Flatten", "axis", 1, 1, "attribute axis is of float: expected int"},
        {"Concat", "axis", 7, 7, "attribute axis is of ints: expected int"},
        {"ReduceMean", "axes", 2, 2, "attribute axes is of int: expected ints"},
        {"HardSigmoid", "alpha", 2, 2, "attribute alpha is of int: expected float"},
        {"Constant", "value", 2, 2, "attribute value is of int: expected tensor"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_says(of_typed(wrong[i].op, wrong[i].name, wrong[i].type, wrong[i].value, 1),
                    EEX_EUNSUPPORTED, wrong[i].says);
    OK(of_typed("Conv", "group", 2, 2, 1));
    OK(of_typed("Conv", "group", 0, 2, 1)); /* as old files say it */
    OK(of_typed("Conv", "auto_pad", 3, 3, 0));
}

/* A matrix of as many rows as columns fits both ways: which is meant, transB says. */
Test(onnx_import, transB_as_a_float)
{
    const int64_t shape[2] = {3, 3};
    maker m = begin(1);
    put_typed(&m, "Gemm", "transB", 1, 1, 1);
    put_tensor(&m, "w", 1, shape, 2, sizeof(float) * 9);
    expect_says(end(&m, 0), EEX_EUNSUPPORTED, "attribute transB is of float: expected int");
}

/* Numbers that make neither a bound nor a slope. */
Test(onnx_import, attributes_that_are_no_number)
{
    expect_says(of_typed("HardSigmoid", "alpha", 1, 1, NAN), EEX_EUNSUPPORTED, "expected 1/6");
    maker m = begin(8);
    const size_t node = eex__proto_open(&m.file, 1);
    eex__proto_text(&m.file, 1, "x");
    eex__proto_text(&m.file, 2, "y");
    eex__proto_text(&m.file, 4, "Clip");
    static const char *const names[] = {"min", "max"};
    for (int i = 0; i < 2; i++) {
        const size_t attribute = eex__proto_open(&m.file, 5);
        eex__proto_text(&m.file, 1, names[i]);
        eex__proto_float(&m.file, 2, i ? NAN : 0);
        eex__proto_close(&m.file, attribute);
    }
    eex__proto_close(&m.file, node);
    expect_says(end(&m, 0), EEX_EUNSUPPORTED, "expected 0..6");
}

/* Nine numbers are not the first eight of them. */
Test(onnx_import, lists_that_are_too_long)
{
    static const int64_t pads[9] = {0, 0, 1, 1, 0, 0, 1, 1, 7};
    maker m = begin(8);
    put_listed(&m, "Pad", "x", NULL, "pads", pads, 9, "y");
    expect_says(end(&m, 0), EEX_EUNSUPPORTED, "attribute pads has 9 numbers: expected 8 at most");
}

/* Rows and columns in either order, from either side, and no others: however large they are,
 * nothing is added up, which a sanitizer would see. */
Test(onnx_import, axes_of_a_mean)
{
    static const int64_t fine[][2] = {{2, 3}, {3, 2}, {-1, -2}, {2, -1}};
    static const int64_t wrong[][2] = {
        {INT64_MAX, INT64_MAX}, {INT64_MIN, INT64_MIN}, {2, 2}, {2, -2}, {1, 2}, {6, -1}};
    const int64_t shape[2] = {3, 10};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        maker m = begin(8);
        put_listed(&m, "ReduceMean", "x", NULL, "axes", fine[i], 2, "p");
        put_node(&m, "Flatten", "p", NULL, "f");
        put_node(&m, "MatMul", "f", "w", "y");
        put_tensor(&m, "w", 1, shape, 2, sizeof(float) * 30);
        OK(end(&m, 0));
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        maker m = begin(8);
        put_listed(&m, "ReduceMean", "x", NULL, "axes", wrong[i], 2, "y");
        expect_says(end(&m, 0), EEX_EUNSUPPORTED, "over other axes than rows and columns");
    }
}

/* ---- weights ---- */

static void put_floats(maker *m, const char *name, const int64_t *shape, int rank,
                       const float *values, size_t count)
{
    const size_t tensor = eex__proto_open(&m->file, 5);
    for (int d = 0; d < rank; d++)
        eex__proto_int(&m->file, 1, shape[d]);
    eex__proto_int(&m->file, 2, 1);
    eex__proto_text(&m->file, 8, name);
    eex__proto_bytes(&m->file, 9, values, count * sizeof *values);
    eex__proto_close(&m->file, tensor);
}

/* Opens what was made, and loads its weights. */
static int load(maker *m)
{
    const char *path = test_path(folder, "made.onnx");
    eex_device *dev = open_device(1);
    eex_onnx_network *net;
    eex_params *params;
    eex__proto_close(&m->file, m->graph);
    OK(eex_fs_write(path, m->file.data, m->file.size));
    eex_buffer_free(&m->file);
    int code = eex_onnx_open(&net, path, "made", 0);
    if (code == EEX_OK) {
        OK(eex_params_new_empty(&params, dev, eex_onnx_graph(net)));
        code = eex_onnx_load(params, net);
        eex_params_free(params);
        eex_onnx_close(net);
    }
    eex_device_close(dev);
    return code;
}

static int of_variance(float variance, float epsilon)
{
    static const char *const inputs[] = {"x", "scale", "bias", "mean", "variance"};
    static const int64_t channels = 3, shape[2] = {192, 10};
    const float ones[3] = {1, 1, 1}, variances[3] = {1, variance, 1};
    maker m = begin(8);
    const size_t node = eex__proto_open(&m.file, 1);
    for (int i = 0; i < 5; i++)
        eex__proto_text(&m.file, 1, inputs[i]);
    eex__proto_text(&m.file, 2, "n");
    eex__proto_text(&m.file, 4, "BatchNormalization");
    const size_t attribute = eex__proto_open(&m.file, 5);
    eex__proto_text(&m.file, 1, "epsilon");
    eex__proto_float(&m.file, 2, epsilon);
    eex__proto_close(&m.file, attribute);
    eex__proto_close(&m.file, node);
    put_node(&m, "Flatten", "n", NULL, "f");
    put_node(&m, "MatMul", "f", "w", "y");
    put_tensor(&m, "w", 1, shape, 2, sizeof(float) * 1920);
    for (int i = 1; i < 5; i++)
        put_floats(&m, inputs[i], &channels, 1, i < 4 ? ones : variances, 3);
    return load(&m);
}

/* Nothing that the root of which is no number, or is divided by though it is 0. */
Test(onnx_import, variances_and_epsilons)
{
    static const float wrong[] = {NAN, INFINITY, -INFINITY, -1, -1e-7f};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        expect_says(of_variance(1, wrong[i]), EEX_EUNSUPPORTED, "expected a number not below 0");
        cr_expect(strstr(eex_error(), "BatchNormalization \"n\": epsilon of "), "%s", eex_error());
    }
    for (size_t i = 3; i < sizeof wrong / sizeof *wrong; i++)
        expect_says(of_variance(wrong[i], 1e-5f), EEX_EFORMAT,
                    "tensor \"variance\": element 1, a variance, is -1");
    expect_says(of_variance(0, 0), EEX_EFORMAT, "a variance, is 0");
    expect_says(of_variance(3e38f, 3e38f), EEX_EFORMAT, "a variance, is 3e+38, and inf");
    OK(of_variance(0, 1e-6f)); /* less than ours add */
    OK(of_variance(0, 1e-3f));
    OK(of_variance(1, 0));
}

/* Each says which file and which tensor. */
Test(onnx_import, weights_that_are_no_numbers)
{
    static const int64_t shape[2] = {192, 10};
    static float values[1920];
    values[7] = NAN;
    maker m = begin(8);
    put_node(&m, "Flatten", "x", NULL, "f");
    put_node(&m, "MatMul", "f", "w", "y");
    put_floats(&m, "w", shape, 2, values, 1920);
    expect_says(load(&m), EEX_EFORMAT, "tensor \"w\": element 7 is nan");
    m = linear(10, shape, 2, 2 * 1920); /* float16 */
    expect_says(load(&m), EEX_EUNSUPPORTED, "tensor \"w\" is of type 10: expected 1, float32");
    m = linear(7, shape, 2, 8 * 1920);
    OK(load(&m));
}

Test(onnx_import, weights_without_their_numbers)
{
    static const int types[] = {1, 7, 11};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        maker m = begin(8);
        put_node(&m, "Flatten", "x", NULL, "f");
        put_node(&m, "MatMul", "f", "w", "y");
        const size_t tensor = eex__proto_open(&m.file, 5);
        eex__proto_int(&m.file, 1, 192);
        eex__proto_int(&m.file, 1, 10);
        eex__proto_int(&m.file, 2, types[i]);
        eex__proto_text(&m.file, 8, "w");
        eex__proto_close(&m.file, tensor);
        expect_says(load(&m), EEX_EFORMAT,
                    "tensor \"w\" has a shape of 1920 numbers and none of them");
    }
}

/* A file of a few bytes that claims a large layer is refused before anybody makes room for it. */
Test(onnx_import, weights_of_another_type_without_numbers)
{
    static const int64_t shape[2] = {192, 65536};
    for (int type = 2; type <= 16; type++) {
        maker m = begin(8);
        put_node(&m, "Flatten", "x", NULL, "f");
        put_node(&m, "MatMul", "f", "w", "y");
        const size_t tensor = eex__proto_open(&m.file, 5);
        eex__proto_int(&m.file, 1, shape[0]);
        eex__proto_int(&m.file, 1, shape[1]);
        eex__proto_int(&m.file, 2, type);
        eex__proto_text(&m.file, 8, "w");
        if (type == 7)
            eex__proto_bytes(&m.file, 7, "\1", 1);
        eex__proto_close(&m.file, tensor);
        expect_says(end(&m, 0), type == 11 ? EEX_EFORMAT : EEX_EUNSUPPORTED, "tensor \"w\"");
    }
}

/* ---- shapes ---- */

static void put_ints(maker *m, const char *name, const int64_t *values, int64_t count, bool scalar)
{
    const size_t tensor = eex__proto_open(&m->file, 5);
    if (!scalar)
        eex__proto_int(&m->file, 1, count);
    eex__proto_int(&m->file, 2, 7);
    eex__proto_text(&m->file, 8, name);
    eex__proto_bytes(&m->file, 9, values, (size_t)count * sizeof *values);
    eex__proto_close(&m->file, tensor);
}

/* Of images of 8 x 8 to these sizes, and a matrix behind it. */
static int of_reshape(int64_t batch, const int64_t *sizes, int count, bool calculated)
{
    const int64_t in[4] = {batch, 3, 8, 8}, out[2] = {batch, 10}, shape[2] = {192, 10}, zero = 0;
    maker m = {.file = EEX_BUFFER_INIT};
    m.graph = eex__proto_open(&m.file, 7);
    put_port(&m, 11, "x", in, 4);
    put_port(&m, 12, "y", out, 2);
    if (calculated) { /* the batch, and then the last of the sizes */
        put_node(&m, "Shape", "x", NULL, "shape");
        put_node(&m, "Gather", "shape", "zero", "batch");
        put_node(&m, "Unsqueeze", "batch", "zero", "one");
        put_node(&m, "Unsqueeze", "sizes", "zero", "two");
        put_listed(&m, "Concat", "one", "two", "axis", &zero, 0, "both");
        put_listed(&m, "Cast", "both", NULL, "to", (const int64_t[]){7}, 0, "told");
        put_ints(&m, "zero", &zero, 1, false);
    }
    put_node(&m, "Reshape", "x", calculated ? "told" : "sizes", "f");
    put_node(&m, "MatMul", "f", "w", "y");
    put_tensor(&m, "w", 1, shape, 2, sizeof(float) * 1920);
    put_ints(&m, "sizes", sizes, count, calculated);
    return end(&m, 0);
}

/* A row of numbers an image, however that is said, and nothing else. */
Test(onnx_import, reshapes)
{
    static const struct {
        int64_t batch, sizes[3];
        int count;
        const char *says; /* NULL: it is fine */
    } cases[] = {
        {-1, {-1, 192}, 2, NULL},
        {-1, {0, 192}, 2, NULL},
        {-1, {0, -1}, 2, NULL},
        {4, {4, -1}, 2, NULL},
        {4, {4, 192}, 2, NULL},
        {1, {1, 192}, 2, NULL},
        {-1,
         {-1, 3, 8},
         3,
         "to -1 x 3 x 8: expected N x 192, a row of numbers an image, or "
         "N x 3 x 8 x 8 as it is"},
        {-1, {-1, 96}, 2, "Reshape \"f\": to -1 x 96: expected N x 192"},
        {-1, {-1, 2}, 2, "to -1 x 2"},
        {-1, {-1, -1}, 2, "to -1 x -1"},
        {-1, {-2, -1}, 2, "to -2 x -1"},
        {-1, {0, -2}, 2, "to 0 x -2"},
        {-1, {2, -1}, 2, "to 2 x -1"},
        {-1, {0, 0}, 2, "to 0 x 0"},
        {4, {1, -1}, 2, "to 1 x -1: expected 4 x 192"},
        {4, {2, 384}, 2, "to 2 x 384"},
        {-1, {-1}, 1, "to -1"},
        {-1, {0, 3, 64}, 3, "to 0 x 3 x 64"},
        {-1, {INT64_MAX, -1}, 2, "to 9223372036854775807 x -1"},
        {-1, {INT64_MIN, -1}, 2, "to -9223372036854775808 x -1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int code = of_reshape(cases[i].batch, cases[i].sizes, cases[i].count, false);
        if (cases[i].says)
            expect_says(code, EEX_EUNSUPPORTED, cases[i].says);
        else
            cr_expect_eq(code, EEX_OK, "%zu: %s", i, eex_error());
    }
}

/* Where the batch is looked up, the other size is still a constant. */
Test(onnx_import, reshapes_that_are_calculated)
{
    OK(of_reshape(-1, (const int64_t[]){-1}, 1, true));
    OK(of_reshape(-1, (const int64_t[]){192}, 1, true));
    expect_says(of_reshape(-1, (const int64_t[]){96}, 1, true), EEX_EUNSUPPORTED, "to N x 96");
}

/* ---- shapes that are calculated ---- */

/* A step to the shape "told": a node of this operator with these inputs and one attribute; "%" in
 * front of a list is a constant of its numbers. */
typedef struct step {
    const char *op, *in[5], *attribute;
    int64_t value;
    const char *out;
} step;

static void put_constant(maker *m, const char *name, int type)
{
    int64_t values[9];
    int32_t narrow[9];
    int count = 0;
    const char *at = name + 1 + (type == 6);
    for (char *stop; *at; at = *stop == ',' ? stop + 1 : stop, count++)
        narrow[count] = (int32_t)(values[count] = strtoll(at, &stop, 10));
    const size_t tensor = eex__proto_open(&m->file, 5);
    eex__proto_int(&m->file, 1, count);
    eex__proto_int(&m->file, 2, type);
    eex__proto_text(&m->file, 8, name);
    eex__proto_bytes(&m->file, 9, type == 6 ? (void *)narrow : (void *)values,
                     (size_t)count * (type == 6 ? 4 : 8));
    eex__proto_close(&m->file, tensor);
}

/* Constants of int32 are "%%". */
static void put_constants(maker *m, const step *steps, int count, const char *names[], int *used)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < 5 && steps[i].in[k]; k++) {
            bool there = steps[i].in[k][0] != '%';
            const int type = steps[i].in[k][1] == '%' ? 6 : 7;
            for (int j = 0; j < *used; j++)
                there = there || strcmp(names[j], steps[i].in[k]) == 0;
            if (there)
                continue;
            names[(*used)++] = steps[i].in[k];
            put_constant(m, steps[i].in[k], type);
        }
}

static void put_step(maker *m, const step *s)
{
    const size_t node = eex__proto_open(&m->file, 1);
    for (int k = 0; k < 5 && s->in[k]; k++)
        eex__proto_text(&m->file, 1, s->in[k]);
    eex__proto_text(&m->file, 2, s->out);
    eex__proto_text(&m->file, 4, s->op);
    if (s->attribute) {
        const size_t attribute = eex__proto_open(&m->file, 5);
        eex__proto_text(&m->file, 1, s->attribute);
        eex__proto_int(&m->file, 3, s->value);
        eex__proto_close(&m->file, attribute);
    }
    eex__proto_close(&m->file, node);
}

enum { STEPS = 8 };

/* Of images "x" of 8 x 8 and, where one reads them, means "p" of these, what the steps say; their
 * last output, "f", goes into a matrix for so many numbers. */
static int of_steps(int64_t batch, const step steps[STEPS], int64_t numbers)
{
    const int64_t in[4] = {batch, 3, 8, 8}, out[2] = {batch, 10}, shape[2] = {numbers, 10};
    const char *names[5 * STEPS];
    int used = 0, count = 0;
    bool pooled = false;
    maker m = {.file = EEX_BUFFER_INIT};
    m.graph = eex__proto_open(&m.file, 7);
    put_port(&m, 11, "x", in, 4);
    put_port(&m, 12, "y", out, 2);
    for (int i = 0; !pooled && i < STEPS && steps[i].op; i++)
        pooled = strcmp(steps[i].in[0], "p") == 0;
    if (pooled)
        put_node(&m, "GlobalAveragePool", "x", NULL, "p");
    for (; count < STEPS && steps[count].op; count++)
        put_step(&m, &steps[count]);
    put_constants(&m, steps, count, names, &used);
    put_node(&m, "MatMul", "f", "w", "y");
    put_tensor(&m, "w", 1, shape, 2, sizeof(float) * (size_t)(10 * numbers));
    return end(&m, 0);
}

/* As exporters say "a row of numbers an image", and what comes to it. */
Test(onnx_import, shapes_that_come_to_a_row)
{
    static const struct {
        int64_t batch, numbers;
        step steps[STEPS];
    } cases[] = {
        /* x.view(x.size(0), -1), by a scalar and by a list, of int32 too */
        {-1,
         192,
         {{"Shape", {"x"}, .out = "s"},
          {"Gather", {"s", "%0"}, .out = "g"},
          {"Concat", {"g", "%-1"}, "axis", 0, "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        {4,
         192,
         {{"Shape", {"x"}, .out = "s"},
          {"Gather", {"s", "%%-4"}, .out = "g"},
          {"Unsqueeze", {"g", "%0"}, .out = "u"},
          {"Concat", {"u", "%192"}, "axis", 0, "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        /* torch.flatten of the newer exporter, by ONNX's start and end */
        {-1,
         192,
         {{"Shape", {"x"}, "end", 1, "s"},
          {"Concat", {"s", "%-1"}, "axis", 0, "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        /* keras: int32 in between, and the product of the sides */
        {-1,
         192,
         {{"Shape", {"x"}, .out = "s"},
          {"Cast", {"s"}, "to", 6, "i"},
          {"Slice", {"i", "%%0", "%%1", "%%0"}, .out = "n"},
          {"Slice", {"i", "%1", "%2", "%0", "%1"}, .out = "c"},
          {"Mul", {"c", "%%64"}, .out = "all"},
          {"Concat", {"n", "all"}, "axis", 0, "j"},
          {"Cast", {"j"}, "to", 7, "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        /* both sizes from the shape, in one piece */
        {-1,
         3,
         {{"Shape", {"p"}, .out = "s"},
          {"Slice", {"s", "%0", "%2"}, .out = "told"},
          {"Reshape", {"p", "told"}, .out = "f"}}},
        {-1,
         3,
         {{"Shape", {"p"}, .out = "s"},
          {"Gather", {"s", "%0,-3"}, .out = "g"},
          {"Identity", {"g"}, .out = "told"},
          {"Reshape", {"p", "told"}, .out = "f"}}},
        /* the shape of another one that is a row, and of its own */
        {-1,
         3,
         {{"Flatten", {"p"}, .out = "r"},
          {"Shape", {"r"}, .out = "told"},
          {"Reshape", {"p", "told"}, .out = "f"}}},
        {-1,
         192,
         {{"Shape", {"x"}, .out = "s"},
          {"Relu", {"x"}, .out = "r"},
          {"Reshape", {"r", "s"}, .out = "same"},
          {"Flatten", {"same"}, .out = "f"}}},
        /* numbers that are calculated */
        {-1,
         192,
         {{"Shape", {"x"}, .out = "s"},
          {"Div", {"s", "%1,1,2,2"}, .out = "d"},
          {"Sub", {"d", "%0,0,4,4"}, .out = "told0"},
          {"Add", {"told0", "%0,189,0,0"}, .out = "t"},
          {"Slice", {"t", "%-4", "%-2", "%-1"}, .out = "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        /* of constants alone */
        {-1,
         192,
         {{"Mul", {"%3", "%32"}, .out = "m"},
          {"Add", {"m", "%96"}, .out = "a"},
          {"Concat", {"%-1", "a"}, "axis", 0, "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        {-1,
         192,
         {{"Squeeze", {"%192", "%0"}, .out = "q"},
          {"Div", {"q", "%1"}, .out = "d"},
          {"Sub", {"d", "%0"}, .out = "m"},
          {"Concat", {"%-1", "m"}, "axis", 0, "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        /* of rows and of three dimensions the channels, from behind */
        {-1, 6, {{"Squeeze", {"p"}, .out = "q"}, {"Concat", {"q", "q"}, "axis", -1, "f"}}},
        {-1,
         6,
         {{"Squeeze", {"p", "%3"}, .out = "q"},
          {"Concat", {"q", "q"}, "axis", -2, "c"},
          {"Flatten", {"c"}, .out = "f"}}},
        /* means and their sides */
        {-1, 3, {{"ReduceMean", {"x", "%2,3"}, "keepdims", 0, "f"}}},
        {-1, 3, {{"Squeeze", {"p", "%-1"}, .out = "q"}, {"Squeeze", {"q", "%2"}, .out = "f"}}},
        {-1,
         3,
         {{"Squeeze", {"p"}, .out = "q"},
          {"Reshape", {"q", "%0,0,1,1"}, .out = "u"},
          {"Flatten", {"u"}, .out = "f"}}},
        {-1,
         192,
         {{"Squeeze", {"p"}, .out = "q"},
          {"Reshape", {"q", "%-1,3,1,1"}, .out = "u"},
          {"Mul", {"u", "x"}, .out = "m"},
          {"Flatten", {"m"}, .out = "f"}}},
        {-1,
         3,
         {{"Squeeze", {"p", "%2,3"}, .out = "q"},
          {"Shape", {"q"}, .out = "told"},
          {"Reshape", {"q", "told"}, .out = "f"}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(of_steps(cases[i].batch, cases[i].steps, cases[i].numbers), EEX_OK, "%zu: %s",
                     i, eex_error());
}

/* What comes to anything else is refused, whatever it is calculated by. */
Test(onnx_import, shapes_that_do_not)
{
    static const struct {
        int64_t batch;
        const char *says;
        step steps[STEPS];
    } cases[] = {
        {-1,
         "Reshape \"f\": to N: expected N x 192, a row",
         {{"Shape", {"x"}, .out = "s"},
          {"Slice", {"s", "%0", "%1"}, .out = "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        {-1,
         "to N x 8: expected",
         {{"Shape", {"x"}, .out = "s"},
          {"Gather", {"s", "%0,3"}, .out = "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        {-1,
         "to N x 3 x 1 x 1: expected",
         {{"Shape", {"p"}, .out = "told"}, {"Reshape", {"x", "told"}, .out = "f"}}},
        {4,
         "to 4 x 3: expected 4 x 192, a row of numbers an image, or 4 x 3 x 8 x 8 as it is",
         {{"Squeeze", {"p", "%2,3"}, .out = "q"},
          {"Shape", {"q"}, .out = "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        {-1,
         "to 3 x N: expected",
         {{"Shape", {"p"}, .out = "s"},
          {"Gather", {"s", "%1,0"}, .out = "told"},
          {"Reshape", {"p", "told"}, .out = "f"}}},
        {-1,
         "to 2 N x -1: expected",
         {{"Shape", {"x"}, "end", 1, "n"},
          {"Mul", {"n", "%2"}, .out = "m"},
          {"Concat", {"m", "%-1"}, "axis", 0, "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        {-1,
         "to 64 x 3 N: expected",
         {{"Shape", {"x"}, .out = "s"},
          {"Gather", {"s", "%0"}, .out = "n"},
          {"Mul", {"n", "%3"}, .out = "m"},
          {"Concat", {"%64", "m"}, "axis", 0, "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        {-1,
         "to what cannot be told from it: expected",
         {{"Shape", {"x"}, "end", 1, "n"},
          {"Add", {"n", "%1"}, .out = "m"},
          {"Concat", {"m", "%-1"}, "axis", 0, "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        {-1,
         "to what cannot be told from it: expected",
         {{"Shape", {"x"}, .out = "s"},
          {"Div", {"s", "%5"}, .out = "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        {-1,
         "to what cannot be told from it: expected",
         {{"Shape", {"x"}, .out = "s"},
          {"Slice", {"s", "%3", "%0", "%0", "%-1"}, .out = "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        {-1,
         "to what cannot be told from it: expected",
         {{"Shape", {"x"}, "end", 2, "s"},
          {"Cast", {"s"}, "to", 9, "told"},
          {"Reshape", {"p", "told"}, .out = "f"}}},
        {-1,
         "Gather \"told\": element 4 of 4",
         {{"Shape", {"x"}, .out = "s"},
          {"Gather", {"s", "%4"}, .out = "told"},
          {"Reshape", {"x", "told"}, .out = "f"}}},
        {-1,
         "Squeeze \"f\": axis 0 of 4: expected rows and columns",
         {{"Squeeze", {"p", "%0"}, .out = "f"}}},
        {-1, "axis -3 of 4", {{"Squeeze", {"p", "%-3"}, .out = "f"}}},
        {-1, "axis 2 of 2", {{"Squeeze", {"p"}, .out = "q"}, {"Squeeze", {"q", "%2"}, .out = "f"}}},
        {-1, "of an image of 8 x 8", {{"Squeeze", {"x", "%2"}, .out = "f"}}},
        {-1,
         "Mul \"m\": of values of 4 and 2 dimensions: expected the same number",
         {{"Squeeze", {"p"}, .out = "q"},
          {"Mul", {"x", "q"}, .out = "m"},
          {"Flatten", {"m"}, .out = "f"}}},
        {-1,
         "Add \"f\": of values of 2 and 4",
         {{"Squeeze", {"p"}, .out = "q"}, {"Add", {"q", "p"}, .out = "f"}}},
        {-1,
         "Concat \"f\": along another axis than the channels",
         {{"Squeeze", {"p"}, .out = "q"}, {"Concat", {"q", "q"}, "axis", -3, "f"}}},
        {-1,
         "Concat \"f\": along another axis than the channels",
         {{"Concat", {"p", "p"}, "axis", -1, "f"}}},
        {-1,
         "MatMul \"y\": of a value of 4 dimensions: expected 2, a row of numbers",
         {{"Relu", {"p"}, .out = "f"}}},
        {-1, "of a value of 3 dimensions: expected 2", {{"Squeeze", {"p", "%2"}, .out = "f"}}},
        {-1, "Add \"f\": input 2 is a constant", {{"Add", {"x", "%2"}, .out = "f"}}},
        {-1, "Mul \"f\": input 1 is a constant", {{"Mul", {"%2", "x"}, .out = "f"}}},
        {-1, "Div \"f\": of something else than a shape", {{"Div", {"p", "%2"}, .out = "f"}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_says(of_steps(cases[i].batch, cases[i].steps, 192), EEX_EUNSUPPORTED, cases[i].says);
}

/* Over the classes, from the front or from behind. */
Test(onnx_import, axes_of_a_softmax)
{
    static const int64_t axes[] = {1, -1, 0, 2, -2};
    const int64_t shape[2] = {192, 10};
    for (int i = 0; i < 10; i++) {
        maker m = begin(8);
        put_node(&m, "Flatten", "x", NULL, "f");
        put_node(&m, "MatMul", "f", "w", "z");
        put_listed(&m, i < 5 ? "Softmax" : "LogSoftmax", "z", NULL, "axis", &axes[i % 5], 0, "y");
        put_tensor(&m, "w", 1, shape, 2, sizeof(float) * 1920);
        if (i % 5 < 2)
            OK(end(&m, 0));
        else
            expect_says(end(&m, 0), EEX_EUNSUPPORTED, "expected the classes, 1 or -1");
    }
}

/* Of four dimensions the channels are the third from behind. */
Test(onnx_import, channels_from_behind)
{
    const int64_t axis = -3, shape[2] = {384, 10};
    maker m = begin(8);
    put_node(&m, "Relu", "x", NULL, "r");
    put_listed(&m, "Concat", "x", "r", "axis", &axis, 0, "c");
    put_node(&m, "Flatten", "c", NULL, "f");
    put_node(&m, "MatMul", "f", "w", "y");
    put_tensor(&m, "w", 1, shape, 2, sizeof(float) * 3840);
    OK(end(&m, 0));
}

enum { NAMES = 32000, NAME_TABLE = 1 << 17 };

/* The next name after *number that FNV-1a, as it is known to everybody, puts into the first
 * thirty-second of a table. */
static void next_crowded(char out[24], int *number)
{
    uint64_t hash;
    do {
        hash = 14695981039346656037ULL;
        snprintf(out, 24, "name%08d", (*number)++);
        for (const char *at = out; *at; at++)
            hash = (hash ^ (uint8_t)*at) * 1099511628211ULL;
    } while (((hash ^ hash >> 32) & (NAME_TABLE - 1)) >= NAME_TABLE / 32);
}

static void put_concat(maker *m, const char (*names)[24], int call)
{
    char out[24];
    const size_t node = eex__proto_open(&m->file, 1);
    for (int i = 0; i < 64; i++)
        eex__proto_text(&m->file, 1, names[NAMES - 1 - (64 * call + i) % 2000]);
    snprintf(out, sizeof out, "of%d", call);
    eex__proto_text(&m->file, 2, out);
    eex__proto_text(&m->file, 4, "Concat");
    eex__proto_close(&m->file, node);
}

/* Names that somebody has chosen so that a table of hashes would have them all in a row: their
 * values are looked for some hundred thousand times. */
Test(onnx_import, names_that_crowd, .timeout = 20)
{
    const int64_t shape[2] = {192, 10}, one[1] = {1};
    char(*names)[24] = calloc(NAMES, sizeof *names);
    int number = 0;
    cr_assert(names);
    maker m = linear(1, shape, 2, sizeof(float) * 1920);
    for (int i = 0; i < NAMES; i++) {
        next_crowded(names[i], &number);
        put_tensor(&m, names[i], 1, one, 1, sizeof(float));
    }
    for (int call = 0; call < 6000; call++)
        put_concat(&m, (const char(*)[24])names, call);
    OK(end(&m, 0));
    free(names);
}

Test(onnx_import, bytes_that_are_no_model)
{
    static const char *const files[] = {"",
                                        "x",
                                        "\x3a",
                                        "\x3a\xff\xff\xff\xff\x0f",
                                        "\x3a\x02\x0a\x05",
                                        "\x3a\x04\x0a\x02\x0a\x7f",
                                        "\x0b\x01",
                                        "PK\x03\x04"};
    const char *path = test_path(folder, "made.onnx");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        eex_onnx_network *net = NULL;
        OK(eex_fs_write(path, files[i], strlen(files[i])));
        cr_expect_eq(eex_onnx_open(&net, path, "made", 8), EEX_EFORMAT, "%zu: %s", i, eex_error());
        cr_expect_null(net);
    }
}

Test(onnx_import, refused)
{
    eex_onnx_network *net;
    REFUSED(eex_onnx_open(NULL, "x", "x", 0));
    REFUSED(eex_onnx_open(&net, NULL, "x", 0));
    REFUSED(eex_onnx_open(&net, "x", NULL, 0));
    REFUSED(eex_onnx_load(NULL, NULL));
    REFUSED(eex_start_script(NULL, NULL, NULL, NULL));
    cr_expect_null(eex_onnx_graph(NULL));
    eex_onnx_close(NULL);
}
