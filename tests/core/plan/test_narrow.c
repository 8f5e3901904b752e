/* A network without some of its filters says what the whole one says in which these say nothing. */
#include "core/plan/narrow.h"
#include "support/devices.h"
#include "support/net.h"
#include "support/refused.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { IMAGES = 12 };

/* Zeroes the elements of a parameter that belong to channels that are gone. */
static void silence(eex_params *params, int i, const eex_filter_group *g)
{
    const size_t count = eex_param_count(eex_graph_param(params->graph, i));
    const size_t each = count / (size_t)g->channels;
    float *values = malloc(count * sizeof *values), *kept = calloc(count, sizeof *kept);
    OK(eex_params_get(params, i, values));
    for (int k = 0; k < g->count; k++)
        memcpy(kept + (size_t)g->kept[k] * each, values + (size_t)g->kept[k] * each,
               each * sizeof *kept);
    OK(eex_params_set(params, i, kept));
    free(values);
    free(kept);
}

/* Filters, biases, and scale and offset of batch norm: what comes is 0. */
static void mask(eex_params *params, const eex_filters *f)
{
    for (int i = 0; i < eex_graph_nodes(params->graph); i++) {
        const eex_node *n = eex_graph_node(params->graph, i);
        const int most = n->kind == EEX_NODE_BATCH_NORM ? 2 : n->params;
        for (int j = 0; j < most && f->group[i] >= 0; j++)
            silence(params, n->first_param + j, &f->of[f->group[i]]);
    }
}

static float *says(const net *n, const eex_graph *graph, eex_params *params, int exit)
{
    const eex_plan_options options = net_inference(IMAGES);
    eex_plan *plan;
    OK(eex_plan_new(&plan, &options, graph, params));
    net_feed(n, plan, 0, IMAGES);
    OK(eex_plan_segments(plan, 0, exit, IMAGES));
    float *logits = net_logits(plan, exit, IMAGES);
    eex_plan_free(plan);
    return logits;
}

static void compare(const net *n, const eex_graph *narrow, eex_params *params, int exit)
{
    const int count = IMAGES * NET_CLASSES;
    float *want = says(n, n->graph, n->params, exit), *got = says(n, narrow, params, exit);
    float largest = 0;
    expect_repeated("logits", got, want, (size_t)count);
    for (int i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(want[i]));
    cr_expect_gt(largest, 0);
    free(want);
    free(got);
}

static void check(net_builder build, int cut)
{
    net n = net_open(build, IMAGES, 1);
    const int last = eex_graph_exits(n.graph) - 1;
    eex_filters *f;
    eex_graph *narrow;
    eex_params *params;
    int all, gone;
    OK(eex_filters_new(&f, n.graph, cut < 0 ? last : cut));
    OK(eex_filters_choose(f, n.params, 0.4));
    eex_filters_total(f, &all, &gone);
    cr_assert_gt(gone, 0);
    OK(eex_graph_narrow(&narrow, n.graph, f));
    OK(eex_params_new_empty(&params, n.dev, narrow));
    OK(eex_params_narrow(params, n.params, f));
    mask(n.params, f);
    for (int k = 0; k <= last; k++)
        compare(&n, narrow, params, k);
    eex_params_free(params);
    eex_graph_free(narrow);
    eex_filters_free(f);
    net_close(&n);
}

/* 8x8x3, without batch norm, all pixels to the classes. */
static int net_chain(eex_graph **out, int classes)
{
    const eex_conv_options o = {.out = 20, .kernel = 3, .pad = 1, .bias = true};
    int a, b, c, d;
    OK(eex_graph_new(out, "chain", 8, 8, 3));
    OK(eex_graph_add_conv(*out, &a, 0, "a", &o));
    OK(eex_graph_add_act(*out, &b, a, "act", EEX_ACT_RELU));
    OK(eex_graph_add_conv(*out, &a, b, "b", &o));
    OK(eex_graph_add_max_pool(*out, &b, a, "pool", 2, 2, 0));
    OK(eex_graph_add_flatten(*out, &c, b, "flat", false));
    OK(eex_graph_add_linear(*out, &d, c, "fc", classes, true));
    return eex_graph_finish(*out, d);
}

Test(narrow, a_plain_chain)
{
    check(net_chain, -1);
}

Test(narrow, batch_norm_and_gates)
{
    check(net_tiny, -1);
    check(net_tiny, 0);
    check(net_strided, -1);
}

Test(narrow, residuals_and_pools)
{
    check(net_pooled, -1);
    check(net_pooled, 1);
    check(net_squeezed, -1);
    check(net_quantised, 1);
}

Test(narrow, depthwise, .timeout = 120)
{
    check(net_mobilenetv2, 1);
}

/* The filter whose weights are the smallest goes, whatever else is in the parameter. */
Test(narrow, the_smallest_norm_goes)
{
    net n = net_open(net_chain, IMAGES, 1);
    eex_filters *f;
    float w[20 * 3 * 9];
    for (size_t i = 0; i < sizeof w / sizeof *w; i++)
        w[i] = i / 27 == 7 || i / 27 == 3 ? (i % 2 ? 0.1F : -0.1F) : 1;
    OK(eex_params_set(n.params, 0, w));
    OK(eex_filters_new(&f, n.graph, 0));
    OK(eex_filters_choose(f, n.params, 0.1));
    const eex_filter_group *g = &f->of[f->group[1]];
    cr_assert_eq(g->count, 18);
    for (int i = 0; i < g->count; i++)
        cr_expect(g->kept[i] != 7 && g->kept[i] != 3);
    REFUSED(eex_filters_choose(NULL, n.params, 0.1));
    REFUSED(eex_filters_choose(f, NULL, 0.1));
    REFUSED(eex_filters_choose(f, n.params, -0.1));
    REFUSED(eex_params_narrow(NULL, n.params, f));
    REFUSED(eex_params_narrow(n.params, NULL, f));
    REFUSED(eex_params_narrow(n.params, n.params, NULL));
    eex_filters_free(f);
    net_close(&n);
}
