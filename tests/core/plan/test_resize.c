/* Networks of another size than the images that they are given. */
#include "support/devices.h"
#include "support/naive.h"
#include "support/net.h"
#include "support/reference_ops.h"
#include "support/tensor.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { COUNT = 5, SIDE = 8, CHANNELS = 3, MOST = 24 };
static const float ones[EEX_MAX_EXITS] = {1, 1, 1};
static uint8_t images[COUNT * MOST * MOST * CHANNELS];

static void draw_images(void)
{
    for (size_t i = 0; i < sizeof images; i++)
        images[i] = (uint8_t)eex_rng_hash(1, 2, i);
}

/* The tiny network's input, as it has to be made of images of side x side. */
static void fill_input(naive *n, int side, const eex_augment *normalise)
{
    const eex_op_resize r = {.c = CHANNELS, .hin = side, .win = side, .hout = SIDE, .wout = SIDE};
    const size_t image = (size_t)(side * side * CHANNELS);
    double *x = calloc(image, sizeof *x);
    cr_assert_not_null(x);
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < image; k++)
            x[k] = (images[i * image + k] / 255.0 - (double)normalise->mean[k % CHANNELS]) /
                   normalise->std[k % CHANNELS];
        ref_resize(n->value[0] + i * SIDE * SIDE * CHANNELS, x, &r);
    }
    free(x);
}

static eex_plan *open_plan(const net *n, eex_plan_options options, int height, int width)
{
    eex_plan *plan;
    options.augment.height = height;
    options.augment.width = width;
    OK(eex_plan_new(&plan, &options, n->graph, n->params));
    return plan;
}

static void check_inference(int side)
{
    net n = net_open(net_tiny, COUNT, 2);
    naive *reference = naive_open(n.params, COUNT);
    const eex_plan_options options = net_inference(COUNT);
    eex_plan *plan = open_plan(&n, options, side, side);
    cr_assert_eq(eex_plan_image_bytes(plan), (size_t)(side * side * CHANNELS));
    OK(eex_plan_upload(plan, images, NULL, NULL, COUNT));
    fill_input(reference, side, &options.augment);
    naive_forward(reference, 0);
    for (int k = 0; k < 3; k++) {
        const double *want = reference->value[eex_graph_exit(n.graph, k)->logits];
        OK(eex_plan_segments(plan, k, k, COUNT));
        float *logits = net_logits(plan, k, COUNT);
        expect_close("logits", logits, want, COUNT * NET_CLASSES, 1e-5);
        free(logits);
    }
    eex_plan_free(plan);
    naive_close(reference);
    net_close(&n);
}

Test(resize, inference_is_that_of_resized_images)
{
    draw_images();
    check_inference(12);
    check_inference(5);
    check_inference(24);
}

static const eex_op *op_of_kind(const eex_plan *plan, eex_op_kind kind)
{
    for (int i = 0; i < eex_plan_ops(plan); i++)
        if (eex_plan_op(plan, i)->kind == kind)
            return eex_plan_op(plan, i);
    return NULL;
}

/* Augmentation happens to the images as they come. */
static void check_ops(const eex_plan *plan, bool augments)
{
    const eex_op *first = op_of_kind(plan, EEX_OP_AUGMENT);
    const eex_op *then = op_of_kind(plan, EEX_OP_RESIZE);
    const eex_op *conv = op_of_kind(plan, EEX_OP_CONV);
    cr_assert(first && then && conv);
    cr_expect(first->u.augment.h == 12 && first->u.augment.w == 12);
    cr_expect_eq(first->u.augment.augment.enabled, augments);
    cr_expect(then->u.resize.hin == 12 && then->u.resize.win == 12);
    cr_expect(then->u.resize.hout == SIDE && then->u.resize.wout == SIDE);
    cr_expect_eq(then->u.resize.x, first->u.augment.y);
    cr_expect_eq(conv->u.conv.x, then->u.resize.y);
}

/* Every mode that reads images. */
Test(resize, augmentation_comes_before)
{
    static const eex_plan_mode modes[] = {EEX_PLAN_TRAIN, EEX_PLAN_TRAIN_GATES,
                                          EEX_PLAN_STATISTICS};
    net n = net_open(net_tiny, COUNT, 1);
    eex_plan_options options = net_training(COUNT, ones, 3);
    eex_plan *plan = open_plan(&n, net_inference(COUNT), 12, 12);
    const eex_step step = {.batch = COUNT, .lr = 0.1f, .seed = 1, .step = 1};
    check_ops(plan, false);
    eex_plan_free(plan);
    draw_images();
    OK(eex_optimizer_state_new(&options.state, n.params, &options.optimizer));
    options.augment.enabled = options.augment.flip = true;
    options.augment.crop_pad = 2;
    for (int i = 0; i < 3; i++) {
        options.mode = modes[i];
        plan = open_plan(&n, options, 12, 12);
        check_ops(plan, true);
        OK(eex_plan_upload(plan, images, n.labels, n.samples, COUNT));
        OK(eex_plan_step(plan, &step));
        eex_plan_free(plan);
    }
    eex_optimizer_state_free(options.state);
    net_close(&n);
}

/* Its own size may be said, and changes nothing. */
Test(resize, the_same_size_is_not_resized)
{
    net n = net_open(net_tiny, COUNT, 1);
    eex_plan *plans[] = {open_plan(&n, net_inference(COUNT), 0, 0),
                         open_plan(&n, net_inference(COUNT), SIDE, SIDE)};
    float *logits[2];
    for (int i = 0; i < 2; i++) {
        cr_expect_null(op_of_kind(plans[i], EEX_OP_RESIZE));
        cr_expect_eq(eex_plan_bytes(plans[i]), eex_plan_bytes(plans[0]));
        net_feed(&n, plans[i], 0, COUNT);
        OK(eex_plan_segments(plans[i], 0, 2, COUNT));
        logits[i] = net_logits(plans[i], 2, COUNT);
    }
    expect_equal_bits("logits", logits[1], logits[0], COUNT * NET_CLASSES);
    for (int i = 0; i < 2; i++) {
        free(logits[i]);
        eex_plan_free(plans[i]);
    }
    net_close(&n);
}

static int wide(eex_graph **out, int classes)
{
    eex_graph *g;
    int x;
    OK(eex_graph_new(&g, "wide", 6, 8, 1));
    OK(eex_graph_add_global_pool(g, &x, 0, "pool", false));
    OK(eex_graph_add_flatten(g, &x, x, "flatten", false));
    OK(eex_graph_add_linear(g, &x, x, "fc", classes, true));
    OK(eex_graph_finish(g, x));
    *out = g;
    return EEX_OK;
}

static void refused(const net *n, int height, int width, const char *text)
{
    eex_plan_options options = net_inference(1);
    eex_plan *plan = NULL;
    cr_expect_eq(eex_plan_reads(n->graph, height, width), EEX_EINVAL, "%d x %d", height, width);
    cr_expect(strstr(eex_error(), text), "\"%s\" says nothing of \"%s\"", eex_error(), text);
    options.augment.height = height;
    options.augment.width = width;
    cr_expect_eq(eex_plan_new(&plan, &options, n->graph, n->params), EEX_EINVAL);
    cr_expect(strstr(eex_error(), text), "\"%s\" says nothing of \"%s\"", eex_error(), text);
    cr_expect_null(plan);
}

Test(resize, other_shapes_are_refused)
{
    net n = net_open(wide, 1, 1);
    OK(eex_plan_reads(n.graph, 0, 0));
    OK(eex_plan_reads(n.graph, 6, 8));
    OK(eex_plan_reads(n.graph, 3, 4));
    OK(eex_plan_reads(n.graph, 300, 400));
    refused(&n, 8, 6, "stretched");
    refused(&n, 8, 8, "6x8x1 (height, width, channels)");
    refused(&n, 6, 9, "stretched");
    refused(&n, -6, -8, "expected sides of 1");
    refused(&n, 0, 8, "expected sides of 1");
    refused(&n, 3, 0, "expected sides of 1");
    refused(&n, 15000, 20000, "16384");
    refused(&n, 12000, 16000, "at most");
    net_close(&n);
}
