/* Which filters can go, and what the network without them costs. */
#include "core/graph/cost.h"
#include "core/graph/filters.h"
#include "support/refused.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static int conv(eex_graph *g, int in, const char *name, int out, int groups)
{
    const eex_conv_options o = {.out = out, .kernel = 3, .pad = 1, .groups = groups};
    int at;
    OK(eex_graph_add_conv(g, &at, in, name, &o));
    return at;
}

static int add_linear(eex_graph *g, int in, const char *name)
{
    int flat, at;
    char flatten[32];
    snprintf(flatten, sizeof flatten, "%s.flat", name);
    OK(eex_graph_add_flatten(g, &flat, in, flatten, false));
    OK(eex_graph_add_linear(g, &at, flat, name, 4, true));
    return at;
}

/* 8x8x3: a: 10 filters, relu; b: 20; all pixels to 4 classes. */
static eex_graph *chain(void)
{
    eex_graph *g;
    int act;
    OK(eex_graph_new(&g, "chain", 8, 8, 3));
    OK(eex_graph_add_act(g, &act, conv(g, 0, "a", 10, 1), "a.act", EEX_ACT_RELU));
    OK(eex_graph_finish(g, add_linear(g, conv(g, act, "b", 20, 1), "fc")));
    return g;
}

static eex_filters *filters_of(const eex_graph *g, int exit)
{
    eex_filters *f;
    OK(eex_filters_new(&f, g, exit));
    return f;
}

static int group_of(const eex_graph *g, const eex_filters *f, const char *name)
{
    return f->group[eex_graph_find(g, name)];
}

/* The filters with the smallest norms go, the others stay in their order. */
static void prune(eex_filters *f, int group, double share)
{
    double norm[64];
    for (int c = 0; c < 64; c++)
        norm[c] = c % 2 ? 1 : c / 2 + 2; /* odd ones are equal, and smaller than even ones */
    OK(eex_filters_prune(f, group, norm, share));
}

Test(filters, a_chain_costs_what_its_filters_cost)
{
    eex_graph *g = chain(), *narrow;
    eex_filters *f = filters_of(g, 0);
    cr_assert_eq(f->count, 2);
    const int a = group_of(g, f, "a"), b = group_of(g, f, "b");
    cr_expect_eq(group_of(g, f, "a.act"), a);
    cr_expect_eq(group_of(g, f, "fc.flat"), b);
    cr_expect_eq(group_of(g, f, "fc"), -1);
    cr_expect_eq(f->group[0], -1);
    cr_expect_eq(eex_cost_total(g, EEX_MACS), 64 * 9 * (3 * 10 + 10 * 20) + 64 * 20 * 4);
    prune(f, a, 0.3);
    prune(f, b, 0.25);
    const int kept[] = {0, 2, 4, 6, 7, 8, 9};
    cr_assert_eq(f->of[a].count, 7);
    for (int i = 0; i < 7; i++)
        cr_expect_eq(f->of[a].kept[i], kept[i]);
    OK(eex_graph_narrow(&narrow, g, f));
    cr_expect_eq(eex_cost_total(narrow, EEX_MACS), 64 * 9 * (3 * 7 + 7 * 15) + 64 * 15 * 4);
    int all, gone;
    eex_filters_total(f, &all, &gone);
    cr_expect(all == 30 && gone == 8);
    prune(f, a, 1);
    cr_expect_eq(f->of[a].count, 1, "one stays");
    eex_graph_free(narrow);
    eex_filters_free(f);
    eex_graph_free(g);
}

/* What is added up is one group; what is concatenated, grouped or behind the cut keeps its own. */
Test(filters, what_goes_together)
{
    eex_graph *g, *gated, *narrow;
    int sum, both;
    OK(eex_graph_new(&g, "joined", 8, 8, 3));
    const int a = conv(g, 0, "a", 8, 1), b = conv(g, a, "b", 8, 1);
    OK(eex_graph_add_add(g, &sum, a, b, "sum"));
    const int depthwise = conv(g, conv(g, sum, "c", 6, 1), "depthwise", 6, 6);
    const int grouped = conv(g, conv(g, depthwise, "d", 8, 1), "grouped", 8, 2);
    OK(eex_graph_add_concat(g, &both, grouped, conv(g, grouped, "e", 4, 1), "both"));
    OK(eex_graph_finish(g, add_linear(g, conv(g, both, "f", 12, 1), "fc")));
    eex_filters *f = filters_of(g, 0);
    cr_expect_eq(f->count, 3);
    cr_expect(group_of(g, f, "a") >= 0 && group_of(g, f, "a") == group_of(g, f, "b"));
    cr_expect(group_of(g, f, "c") >= 0 && group_of(g, f, "c") == group_of(g, f, "depthwise"));
    const char *const fixed[] = {"d", "grouped", "e", "both"};
    for (int i = 0; i < 4; i++)
        cr_expect_eq(group_of(g, f, fixed[i]), -1, "%s", fixed[i]);
    for (int i = 0; i < f->count; i++)
        prune(f, i, 0.5);
    OK(eex_graph_narrow(&narrow, g, f));
    const eex_node *n = eex_graph_node(narrow, eex_graph_find(narrow, "depthwise"));
    cr_expect(n->c == 3 && n->window.groups == 3);
    cr_expect_eq(eex_cost_total(narrow, EEX_MACS),
                 64 * 9 * (3 * 4 + 4 * 4 + 4 * 3 + 3 + 3 * 8 + 4 * 8 + 8 * 4 + 12 * 6) +
                     64 * 6 * 4);
    eex_graph_free(narrow);
    eex_filters_free(f);

    /* Behind the first exit, which reads b: a and b are added up there, c comes later. */
    const eex_gate gate = {.point = sum, .blocks = 1};
    OK(eex_graph_with_gates(&gated, g, &gate, 1, EEX_ACT_RELU));
    f = filters_of(gated, 0);
    cr_expect_eq(f->count, 2, "a with b, and the gate's");
    cr_expect_eq(group_of(gated, f, "c"), -1);
    cr_expect(group_of(gated, f, "a") >= 0);
    eex_filters_free(f);
    eex_graph_free(gated);
    eex_graph_free(g);
}

Test(filters, nonsense_is_refused)
{
    eex_graph *g = chain(), *narrow;
    const double norm[32] = {0};
    eex_filters *f;
    REFUSED(eex_filters_new(NULL, g, 0));
    REFUSED(eex_filters_new(&f, NULL, 0));
    REFUSED(eex_filters_new(&f, g, 1));
    f = filters_of(g, 0);
    REFUSED(eex_filters_prune(NULL, 0, norm, 0.5));
    REFUSED(eex_filters_prune(f, 0, NULL, 0.5));
    REFUSED(eex_filters_prune(f, 2, norm, 0.5));
    REFUSED(eex_filters_prune(f, 0, norm, 1.5));
    REFUSED(eex_graph_narrow(NULL, g, f));
    REFUSED(eex_graph_narrow(&narrow, NULL, f));
    REFUSED(eex_graph_narrow(&narrow, g, NULL));
    eex_filters_free(NULL);
    eex_filters_free(f);
    eex_graph_free(g);
}
