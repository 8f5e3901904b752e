#include "core/graph/cost.h"
#include "core/graph/elastic.h"
#include "core/graph/saliency.h"
#include "support/backbones.h"
#include "support/elastic.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static void are(const eex_points *p, const eex_graph *g, const char *const *names, int count)
{
    cr_assert(p->count == count, "%d points, not %d", p->count, count);
    for (int i = 0; i < count; i++)
        cr_expect(strcmp(eex_graph_node(g, p->nodes[i])->name, names[i]) == 0, "point %d is %s", i,
                  eex_graph_node(g, p->nodes[i])->name);
}

Test(saliency, merges_of_mobilenetv2)
{
    static const int features[10] = {3, 5, 6, 8, 9, 10, 12, 13, 15, 16};
    eex_graph *g = NULL;
    eex_points p;
    OK(eex_test_mobilenetv2(&g, 10, 32));
    OK(eex_saliency_residual_merges(&p, g));
    cr_assert(p.count == 10);
    for (int i = 0; i < 10; i++) {
        char name[32];
        snprintf(name, sizeof name, "features.%d.add", features[i]);
        cr_expect(p.nodes[i] == eex_graph_find(g, name), "%s", name);
    }
    eex_graph_free(g);
}

Test(saliency, merges_of_resnet50_are_behind_the_relu)
{
    eex_graph *g = NULL;
    eex_points p;
    OK(eex_test_resnet50(&g, 10, 32));
    OK(eex_saliency_residual_merges(&p, g));
    cr_assert(p.count == 16);
    cr_expect(p.nodes[0] == eex_graph_find(g, "layer1.0.relu_2"));
    cr_expect(p.nodes[15] == eex_graph_find(g, "layer4.2.relu_2"));
    eex_graph_free(g);
}

Test(saliency, stage_ends)
{
    static const char *const resnet[] = {"maxpool", "layer1.2.relu_2", "layer2.3.relu_2",
                                         "layer3.5.relu_2"};
    static const char *const mobilenet[] = {
        "features.0.2",    "features.1.conv.2", "features.3.add",  "features.6.add",
        "features.10.add", "features.13.add",   "features.16.add", "features.17.conv.3"};
    eex_graph *g = NULL;
    eex_points p;
    OK(eex_test_resnet50(&g, 10, 32));
    OK(eex_saliency_stage_ends(&p, g));
    are(&p, g, resnet, 4);
    eex_graph_free(g);
    g = NULL;
    OK(eex_test_mobilenetv2(&g, 10, 32));
    OK(eex_saliency_stage_ends(&p, g));
    are(&p, g, mobilenet, 8);
    eex_graph_free(g);
}

Test(saliency, all_are_those_that_a_gate_can_read)
{
    eex_graph *g = NULL, *gated = NULL;
    eex_points p;
    OK(eex_test_resnet50(&g, 10, 32));
    OK(eex_saliency_all(&p, g));
    cr_expect(p.count == 175 - 3); /* not the pool, the flatten, the linear layer */
    for (int i = 0; i < p.count; i++)
        cr_expect(eex_graph_gateable(g, p.nodes[i]));
    eex_graph_free(g);
    /* gates are no trunk */
    OK(eex_test_tiny(&g, 10));
    OK(eex_test_tiny_gated(&gated, 10));
    OK(eex_saliency_all(&p, g));
    int count = p.count;
    OK(eex_saliency_all(&p, gated));
    cr_expect(p.count == count);
    OK(eex_saliency_residual_merges(&p, gated));
    cr_expect(p.count == 3);
    eex_graph_free(gated);
    eex_graph_free(g);
}

Test(saliency, too_many_points_are_refused)
{
    eex_graph *g = NULL;
    eex_points p;
    int x = 0;
    OK(eex_graph_new(&g, "long", 2, 2, 2));
    for (int i = 0; i < 300; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        OK(eex_graph_add_act(g, &x, x, name, EEX_ACT_RELU));
    }
    cr_expect(eex_saliency_all(&p, g) == EEX_EINVAL);
    cr_expect(strstr(eex_error(), "256") != NULL);
    eex_graph_free(g);
}

Test(saliency, top_takes_the_best_and_keeps_their_order)
{
    eex_graph *g = NULL;
    eex_points from, p;
    OK(eex_test_mobilenetv2(&g, 10, 32));
    OK(eex_saliency_residual_merges(&from, g));
    const double score[10] = {1, 5, 2, 5, 5, 0, 9, 3, 3, 3};
    OK(eex_saliency_top(&p, g, &from, score, 3));
    cr_assert(p.count == 3);
    cr_expect(p.nodes[0] == from.nodes[1] && p.nodes[1] == from.nodes[3]); /* the earlier of ties */
    cr_expect(p.nodes[2] == from.nodes[6]);
    OK(eex_saliency_top(&p, g, &from, score, 0));
    cr_expect(p.count == 7); /* floor(log2(152)) */
    OK(eex_saliency_top(&p, g, &from, score, 50));
    cr_expect(p.count == 10);
    OK(eex_saliency_top(&from, g, &from, score, 1));
    cr_expect(from.count == 1 && from.nodes[0] == p.nodes[6]);
    cr_expect(eex_saliency_top(&p, g, &p, score, -1) == EEX_EINVAL);
    const double bad[10] = {0, NAN};
    cr_expect(eex_saliency_top(&p, g, &p, bad, 2) == EEX_EINVAL);
    eex_graph_free(g);
}

Test(saliency, spacing_prefers_equal_steps)
{
    eex_graph *g = NULL;
    eex_points from, p;
    double score[256];
    OK(eex_test_resnet50(&g, 10, 32));
    OK(eex_saliency_all(&from, g));
    OK(eex_saliency_spacing(score, g, &from, 4));
    OK(eex_saliency_top(&p, g, &from, score, 4));
    cr_assert(p.count == 4);
    double whole = (double)eex_cost_total(g, EEX_MACS);
    for (int i = 0; i < 4; i++) {
        double wanted = (i + 1) / 5.0, best = 1;
        double share = (double)eex_cost_trunk(g, p.nodes[i], EEX_MACS) / whole;
        for (int j = 0; j < from.count; j++)
            best = fmin(best,
                        fabs((double)eex_cost_trunk(g, from.nodes[j], EEX_MACS) / whole - wanted));
        cr_expect(fabs(share - wanted) == best, "point %d at %g, wanted %g", i, share, wanted);
    }
    eex_graph_free(g);
}

Test(saliency, size_of_the_space)
{
    cr_expect(eex_space_log2(152, 1) == 152); /* gate or no gate: Fig. 3 */
    cr_expect(eex_space_log2(10, 1) == 10);
    cr_expect(fabs(eex_space_log2(10, 3) - 20) < 1e-12);
    cr_expect(eex_space_log2(0, 3) == 0);
}

/* ---- elastic graphs ---- */

/* No two points are one place in the smallest network, and a gate fits on each in every network. */
static void expect_places(const eex_graph *g, const eex_points *points)
{
    eex_gate gates[EEX_MAX_EXITS];
    int genome[EEX_GENES], value[128];
    eex_graph *gated, *smallest;
    cr_assert(points->count > 0 && points->count < EEX_MAX_EXITS);
    cr_assert_leq((size_t)eex_graph_nodes(g), sizeof value / sizeof *value);
    for (int p = 0; p < points->count; p++)
        gates[p] = (eex_gate){.point = points->nodes[p], .blocks = 1};
    cr_assert_eq(eex_graph_with_gates(&gated, g, gates, points->count, EEX_ACT_RELU), EEX_OK);
    eex_genome_smallest(gated, genome);
    cr_assert_eq(eex_graph_derive(&smallest, NULL, gated, genome), EEX_OK, "%s", eex_error());
    cr_expect_eq(eex_graph_exits(smallest), points->count + 1);
    eex_graph_free(smallest);
    cr_assert_eq(eex_graph_derive(&smallest, value, g, genome), EEX_OK);
    for (int p = 1; p < points->count; p++)
        cr_expect_gt(value[points->nodes[p]], value[points->nodes[p - 1]]);
    eex_graph_free(smallest);
    eex_graph_free(gated);
}

Test(saliency, elastic_networks_keep_one_point_a_place)
{
    eex_graph *g;
    eex_points points;
    cr_assert_eq(eex_test_elastic(&g, 4), EEX_OK);
    cr_assert_eq(eex_saliency_residual_merges(&points, g), EEX_OK);
    expect_places(g, &points);
    cr_assert_eq(eex_saliency_all(&points, g), EEX_OK);
    expect_places(g, &points);
    eex_graph_free(g);
}
