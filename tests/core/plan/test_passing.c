/* A network that is cut at an exit: what passes it goes to the host and into another plan, which
 * finishes as the first one would have. */
#include "core/plan/passing.h"
#include "core/plan/quantise.h"
#include "support/devices.h"
#include "support/net.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static eex_plan *open_plan(const net *n, int batch)
{
    const eex_plan_options options = net_inference(batch);
    eex_plan *plan;
    OK(eex_plan_new(&plan, &options, n->graph, n->params));
    return plan;
}

/* Rows of everything that passes exit k; 0 for the last exit, else at least one value. */
static int carry_over(eex_plan *to, const eex_plan *from, const net *n, int k, int rows)
{
    const eex_passing *values, *same;
    const int count = eex_plan_passing(from, k, &values);
    cr_assert_eq(eex_plan_passing(to, k, &same), count);
    for (int i = 0; i < count; i++) {
        const eex_node *node = eex_graph_node(n->graph, values[i].node);
        void *host = malloc((size_t)rows * values[i].row_bytes);
        cr_assert(values[i].h == node->h && values[i].w == node->w && values[i].c == node->c);
        cr_assert_eq(values[i].row_bytes,
                     sizeof(float) * (size_t)(node->h * node->w) * (size_t)node->c);
        cr_assert_eq(same[i].node, values[i].node);
        OK(eex_plan_passing_get(from, k, i, host, rows));
        OK(eex_plan_passing_put(to, k, i, host, rows));
        free(host);
    }
    return count;
}

static void compare_scores(const net *n, const eex_plan *got, const eex_plan *want, int exit,
                           int rows)
{
    eex_scores a, b;
    OK(eex_plan_scores(got, exit, &a));
    OK(eex_plan_scores(want, exit, &b));
    const float *of_got[] = {a.confidence, a.margin, a.entropy};
    const float *of_want[] = {b.confidence, b.margin, b.entropy};
    for (int i = 0; i < 3; i++) {
        float *x = fetch_floats(n->dev, of_got[i], (size_t)rows);
        float *y = fetch_floats(n->dev, of_want[i], (size_t)rows);
        expect_repeated("scores behind a cut", x, y, (size_t)rows);
        free(x);
        free(y);
    }
}

/* The segments behind exit k in both plans, on rows that are the same. */
static void finish(const net *n, eex_plan *got, eex_plan *want, int k, int rows)
{
    for (int j = k + 1; j < eex_graph_exits(n->graph); j++) {
        OK(eex_plan_segments(got, j, j, rows));
        OK(eex_plan_segments(want, j, j, rows));
        compare_scores(n, got, want, j, rows);
    }
}

/* Every second one leaves; returns how many stay. */
static int leave(eex_plan *plan, int k, int rows)
{
    uint8_t *decision = malloc((size_t)rows);
    int stay;
    for (int i = 0; i < rows; i++)
        decision[i] = i % 2 ? EEX_GO_ON : EEX_ACCEPT;
    OK(eex_plan_set_decisions(plan, decision, rows));
    OK(eex_plan_leave(plan, k, rows, &stay));
    cr_assert_eq(stay, rows / 2);
    free(decision);
    return stay;
}

/* The second plan is for another batch, so that nothing is where it was. */
static void cut(net_builder build, int count, bool leaves)
{
    net n = net_open(build, count, 2);
    const int exits = eex_graph_exits(n.graph);
    eex_plan *whole = open_plan(&n, count), *rest = open_plan(&n, count + 3);
    for (int k = 0; k < exits; k++) {
        net_feed(&n, whole, 0, count);
        OK(eex_plan_gather(whole, count));
        OK(eex_plan_segments(whole, 0, k, count));
        const int rows = leaves && k < exits - 1 ? leave(whole, k, count) : count;
        const int values = carry_over(rest, whole, &n, k, rows);
        cr_expect(k == exits - 1 ? values == 0 : values > 0, "%d values pass exit %d", values, k);
        finish(&n, rest, whole, k, rows);
    }
    eex_plan_free(whole);
    eex_plan_free(rest);
    net_close(&n);
}

Test(passing, any_exit_can_be_a_cut)
{
    cut(net_tiny, 6, false);
    cut(net_squeezed, 6, false);
    cut(net_pooled, 6, false);
    cut(net_strided, 6, false);
    cut(net_quantised, 6, false);
    cut(net_mobilenetv2, 5, false);
    cut(net_resnet50, 2, false);
}

Test(passing, those_that_stay_pass)
{
    cut(net_tiny, 7, true);
    cut(net_squeezed, 7, true);
    cut(net_pooled, 7, true);
    cut(net_strided, 7, true);
    cut(net_quantised, 7, true);
    cut(net_mobilenetv2, 5, true);
    cut(net_resnet50, 2, true);
}

/* What the encoder has made of a value, in levels, passes the last early exit, and nothing else. */
static void encoded(net_builder build, const char *name)
{
    net n = net_open(build, 5, 2);
    eex_plan *plan = open_plan(&n, 5);
    const int k = eex_graph_exits(n.graph) - 2;
    const eex_node *point = eex_graph_node(n.graph, eex_graph_exit(n.graph, k)->point);
    const eex_passing *values;
    cr_assert_eq(eex_plan_passing(plan, k, &values), 1);
    cr_assert_str_eq(eex_graph_node(n.graph, values->node)->name, name);
    cr_assert_eq(values->h, point->h / 2);
    cr_assert_eq(values->w, point->w / 2);
    cr_assert_eq(values->c, point->c / 4);
    cr_assert_eq(values->row_bytes, sizeof(float) * (size_t)(point->h * point->w * point->c / 16));
    eex_plan_free(plan);
    net_close(&n);
}

Test(passing, a_bottleneck_is_what_passes)
{
    encoded(net_bottled, "bottleneck.encoder.act");
    encoded(net_quantised, "bottleneck.quantise");
}

/* What was quantised is sent in its codes without losing a bit. */
Test(passing, codes_are_all_that_need_be_sent)
{
    enum { ROWS = 5 };
    net n = net_open(net_quantised, ROWS, 2);
    eex_plan *plan = open_plan(&n, ROWS);
    const int k = eex_graph_exits(n.graph) - 2;
    const eex_passing *values;
    net_feed(&n, plan, 0, ROWS);
    OK(eex_plan_segments(plan, 0, k, ROWS));
    OK(eex_plan_passing(plan, k, &values) == 1 ? EEX_OK : -1);
    const size_t count = ROWS * values->row_bytes / sizeof(float);
    float *rows = malloc(count * sizeof *rows), *again = malloc(count * sizeof *again);
    unsigned char *codes = malloc(eex_quantised_bytes(count, 8));
    OK(eex_plan_passing_get(plan, k, 0, rows, ROWS));
    eex_quantise(codes, rows, count, 8, 0, 1);
    eex_dequantise(again, codes, count, 8, 0, 1);
    cr_expect_arr_eq(rows, again, count * sizeof *rows);
    free(rows);
    free(again);
    free(codes);
    eex_plan_free(plan);
    net_close(&n);
}

Test(passing, nonsense_is_refused)
{
    static const float ones[EEX_MAX_EXITS] = {1, 1, 1};
    net n = net_open(net_tiny, 4, 1);
    eex_plan *plan = open_plan(&n, 4);
    const eex_passing *values;
    float rows[8];
    cr_expect_eq(eex_plan_passing(plan, -1, &values), EEX_EINVAL);
    cr_expect_eq(eex_plan_passing(plan, 3, &values), EEX_EINVAL);
    const int count = eex_plan_passing(plan, 0, &values);
    cr_assert_gt(count, 0);
    cr_expect_eq(eex_plan_passing_get(plan, 3, 0, rows, 1), EEX_EINVAL);
    cr_expect_eq(eex_plan_passing_get(plan, 0, count, rows, 1), EEX_EINVAL);
    cr_expect_eq(eex_plan_passing_get(plan, 0, -1, rows, 1), EEX_EINVAL);
    cr_expect_eq(eex_plan_passing_get(plan, 0, 0, rows, 5), EEX_EINVAL);
    cr_expect_eq(eex_plan_passing_put(plan, 0, 0, rows, 0), EEX_EINVAL);
    cr_expect_eq(eex_plan_passing_put(plan, 2, 0, rows, 1), EEX_EINVAL, "the end");
    eex_plan_free(plan);
    eex_plan_options options = net_training(4, ones, 3);
    OK(eex_optimizer_state_new(&options.state, n.params, &options.optimizer));
    OK(eex_plan_new(&plan, &options, n.graph, n.params));
    cr_expect_eq(eex_plan_passing(plan, 0, &values), EEX_EINVAL, "a plan that trains");
    eex_plan_free(plan);
    eex_optimizer_state_free(options.state);
    net_close(&n);
}
