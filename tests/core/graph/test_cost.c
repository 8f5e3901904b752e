#include "core/graph/cost.h"
#include "support/backbones.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())
#define IS(expression, wanted)                                                                    \
    do {                                                                                          \
        int64_t is_value = (expression);                                                          \
        cr_expect(is_value == (wanted), "%s is %" PRId64 ", not %" PRId64, #expression, is_value, \
                  (int64_t)(wanted));                                                             \
    } while (0)

static eex_graph *mobilenetv2(void)
{
    eex_graph *g = NULL;
    OK(eex_test_mobilenetv2(&g, 10, 32));
    return g;
}

static int feature(const eex_graph *g, int i)
{
    char name[32];
    snprintf(name, sizeof name, "features.%d.add", i);
    if (eex_graph_find(g, name) < 0) /* no shortcut: the block's last batch norm */
        snprintf(name, sizeof name, "features.%d.conv.3", i);
    cr_assert(eex_graph_find(g, name) > 0);
    return eex_graph_find(g, name);
}

Test(cost, whole_backbones)
{
    eex_graph *m = mobilenetv2(), *r = NULL;
    OK(eex_test_resnet50(&r, 10, 32));
    IS(eex_cost_total(m, EEX_MACS), 6124928);
    IS(eex_cost_total(m, EEX_THOP), 6397504);
    IS(eex_cost_total(m, EEX_TORCHPROFILE), 6124928 + 2 * 1280); /* mean over 1 x 1 pixels */
    IS(eex_cost_total(r, EEX_MACS), 83431424);
    IS(eex_cost_total(r, EEX_THOP), 83885056);
    IS(eex_graph_layers(m), 152);
    IS(eex_graph_layers(r), 175);
    IS(eex_cost_cumulative(r, 0, EEX_THOP), 83885056);
    IS(eex_cost_gate(r, 0, EEX_THOP), 0);
    eex_graph_free(m);
    eex_graph_free(r);
}

/* Table III of NASEREX, M MACs in thop's convention: after features[i], k blocks. */
static const struct {
    int feature, c, h, k;
    int64_t trunk, gate, cumulative;
} rows[7] = {
    {3, 24, 8, 2, 1692672, 669936, 2362608},   {5, 32, 4, 2, 2269952, 297280, 3237168},
    {6, 32, 4, 2, 2507520, 297280, 3772016},   {8, 64, 2, 3, 2887168, 444544, 4596208},
    {13, 96, 2, 4, 4534016, 1331136, 7574192}, {15, 160, 1, 3, 5178624, 693760, 8912560},
    {16, 160, 1, 3, 5498624, 693760, 9926320},
};

static eex_graph *table_iii(const eex_graph *m)
{
    eex_gate gates[7];
    eex_graph *g = NULL;
    for (int i = 0; i < 7; i++)
        gates[i] = (eex_gate){.point = feature(m, rows[i].feature), .blocks = rows[i].k};
    OK(eex_graph_with_gates(&g, m, gates, 7, EEX_ACT_RELU6));
    return g;
}

Test(cost, table_iii_of_nasexer)
{
    eex_graph *m = mobilenetv2(), *g = table_iii(m);
    cr_assert(eex_graph_exits(g) == 8);
    for (int i = 0; i < 7; i++) {
        const eex_exit *e = eex_graph_exit(g, i);
        const eex_node *point = eex_graph_node(g, e->point);
        cr_expect(point->c == rows[i].c && point->h == rows[i].h && e->blocks == rows[i].k);
        IS(eex_cost_trunk(g, e->point, EEX_THOP), rows[i].trunk);
        IS(eex_cost_gate(g, i, EEX_THOP), rows[i].gate);
        IS(eex_cost_cumulative(g, i, EEX_THOP), rows[i].cumulative);
    }
    IS(eex_cost_cumulative(g, 7, EEX_THOP), 10825200);
    IS(eex_cost_total(g, EEX_THOP), 10825200);
    IS(eex_cost_gate(g, 7, EEX_THOP), 0);
    IS(eex_cost_trunk(g, eex_graph_exit(g, 7)->logits, EEX_THOP), 6397504);
    IS(eex_cost_trunk(m, feature(m, 9), EEX_THOP), 3104256);
    IS(eex_cost_trunk(m, feature(m, 10), EEX_THOP), 3321344);
    IS(eex_cost_trunk(m, feature(m, 12), EEX_THOP), 4060928);
    eex_graph_free(g);
    eex_graph_free(m);
}

/* Both ways of cutting after an exit: with the gates in front, and without. */
Test(cost, table_iii_of_cut_networks)
{
    eex_graph *m = mobilenetv2(), *g = table_iii(m), *cut = NULL;
    for (int k = 0; k < 8; k++) {
        int64_t gates = k < 7 ? rows[k].gate : 0, trunk = k < 7 ? rows[k].trunk : 6397504;
        OK(eex_graph_cut(&cut, g, k));
        IS(eex_cost_total(cut, EEX_THOP), k < 7 ? rows[k].cumulative : 10825200);
        IS(eex_cost_cumulative(cut, k, EEX_THOP), eex_cost_total(cut, EEX_THOP));
        eex_graph_free(cut);
        OK(eex_graph_select(&cut, g, &k, 1));
        IS(eex_cost_total(cut, EEX_THOP), trunk + gates);
        IS(eex_cost_gate(cut, 0, EEX_THOP), gates);
        eex_graph_free(cut);
    }
    eex_graph_free(g);
    eex_graph_free(m);
}

Test(cost, expected_costs)
{
    eex_graph *m = mobilenetv2(), *g = table_iii(m);
    double share[8] = {0};
    share[1] = 0.25;
    share[7] = 0.75;
    cr_expect(eex_cost_ada_cumulative(g, share, EEX_THOP) == 0.25 * 3237168 + 0.75 * 10825200);
    /* only the gate taken is charged, and the bare backbone at the end */
    cr_expect(eex_cost_ada(g, share, EEX_THOP) == 0.25 * (2269952 + 297280) + 0.75 * 6397504);
    eex_graph_free(g);
    eex_graph_free(m);
}

Test(cost, shared_blocks_are_charged_once)
{
    eex_graph *m = mobilenetv2(), *g = NULL;
    eex_gate gate = {.point = feature(m, 3), .blocks = 2, .nested = true, .heads = 1 << 0 | 1 << 1};
    int64_t block = 9 * 24 * 24 * 64, fc = 240;
    OK(eex_graph_with_gates(&g, m, &gate, 1, EEX_ACT_RELU6));
    int64_t trunk = eex_cost_trunk(g, eex_graph_exit(g, 0)->point, EEX_MACS);
    for (int k = 0; k < 3; k++) {
        IS(eex_cost_gate(g, k, EEX_MACS), k * block + fc);
        IS(eex_cost_cumulative(g, k, EEX_MACS), trunk + k * block + (k + 1) * fc);
    }
    IS(eex_cost_cumulative(g, 3, EEX_MACS), 6124928 + 2 * block + 3 * fc);
    eex_graph_free(g);
    eex_graph_free(m);
}

/* ---- ptflops, on the networks of Dong et al. ---- */

typedef struct chain {
    eex_graph *g;
    int x, count;
    bool bias, bn;
    char name[16];
} chain;

static const char *next(chain *c)
{
    snprintf(c->name, sizeof c->name, "n%d", c->count++);
    return c->name;
}

static void conv(chain *c, int out, int stride)
{
    eex_conv_options o = {.out = out, .kernel = 3, .stride = stride, .pad = 1, .bias = c->bias};
    OK(eex_graph_add_conv(c->g, &c->x, c->x, next(c), &o));
    if (c->bn)
        OK(eex_graph_add_batch_norm(c->g, &c->x, c->x, next(c)));
    OK(eex_graph_add_act(c->g, &c->x, c->x, next(c), EEX_ACT_RELU));
}

static void pool(chain *c)
{
    OK(eex_graph_add_max_pool(c->g, &c->x, c->x, next(c), 2, 2, 0));
}

static void classifier(chain *c, int hidden, int classes)
{
    OK(eex_graph_add_flatten(c->g, &c->x, c->x, next(c), true));
    for (int i = 0; i < 2; i++) {
        OK(eex_graph_add_linear(c->g, &c->x, c->x, next(c), hidden, true));
        OK(eex_graph_add_act(c->g, &c->x, c->x, next(c), EEX_ACT_RELU));
    }
    OK(eex_graph_add_linear(c->g, &c->x, c->x, next(c), classes, true));
    OK(eex_graph_finish(c->g, c->x));
}

static void alexnet(int classes, int64_t total)
{
    chain c = {.bias = true};
    OK(eex_graph_new(&c.g, "alexnet", 32, 32, 3));
    conv(&c, 64, 2);
    pool(&c);
    int first = c.x;
    conv(&c, 192, 1);
    pool(&c);
    int second = c.x;
    conv(&c, 384, 1);
    conv(&c, 256, 1);
    conv(&c, 256, 1);
    pool(&c);
    classifier(&c, 4096, classes);
    IS(eex_cost_total(c.g, EEX_PTFLOPS), total);
    IS(eex_cost_trunk(c.g, first, EEX_PTFLOPS), 491520);
    IS(eex_cost_trunk(c.g, second, EEX_PTFLOPS), 491520 + 7114752);
    eex_graph_free(c.g);
}

/* VGG16 with batch norm; *first and *third: behind these convolutions. */
static eex_graph *vgg16_of(int classes, int *first, int *third)
{
    static const int widths[] = {64, 64,  0,   128, 128, 0,   256, 256, 256,
                                 0,  512, 512, 512, 0,   512, 512, 512, 0};
    chain c = {.bn = true};
    OK(eex_graph_new(&c.g, "vgg16", 32, 32, 3));
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        if (widths[i])
            conv(&c, widths[i], 1);
        else
            pool(&c);
        *first = i == 0 ? c.x : *first;
        *third = i == 3 ? c.x : *third;
    }
    classifier(&c, 4096, classes);
    return c.g;
}

static void vgg16(int classes, int64_t total)
{
    int first = 0, third = 0;
    eex_graph *g = vgg16_of(classes, &first, &third);
    IS(eex_cost_total(g, EEX_PTFLOPS), total);
    IS(eex_cost_trunk(g, first, EEX_PTFLOPS), 1966080);
    IS(eex_cost_trunk(g, third, EEX_PTFLOPS), 1966080 + 56983552);
    eex_graph_free(g);
}

Test(cost, ptflops_of_alexnet_and_vgg16)
{
    alexnet(10, 62877706);
    alexnet(100, 63246436);
    vgg16(10, 333082634);
    vgg16(100, 333451364);
}

/* Section III of Dong et al.: what a VGG16-BN of two exits spends where 66.62, 19.81 and
 * 13.57 % of the images leave, in all and on the device, which ends behind the second exit; and
 * with an oracle that asks no exit in vain. */
Test(cost, worked_example_of_exit_prediction)
{
    const double share[3] = {0.6662, 0.1981, 0.1357};
    int first = 0, third = 0;
    eex_graph *g = NULL, *vgg = vgg16_of(10, &first, &third);
    const eex_gate gates[2] = {{.point = first, .blocks = 3, .family = EEX_GATE_STRIDED},
                               {.point = third, .blocks = 2, .family = EEX_GATE_STRIDED}};
    OK(eex_graph_with_gates(&g, vgg, gates, 2, EEX_ACT_RELU));
    const double server =
        share[2] * (double)(eex_cost_total(vgg, EEX_PTFLOPS) - (1966080 + 56983552));
    const double all = eex_cost_ada_cumulative(g, share, EEX_PTFLOPS);
    const double oracle = eex_cost_ada(g, share, EEX_PTFLOPS);
    cr_expect_float_eq(all / 1e6, 79.64, 0.01);
    cr_expect_float_eq((all - server) / 1e6, 42.44, 0.01);
    cr_expect_float_eq(oracle / 1e6, 72.13, 0.01);
    cr_expect_float_eq((oracle - server) / 1e6, 34.93, 0.01);
    eex_graph_free(g);
    eex_graph_free(vgg);
}

Test(cost, pools_in_each_convention)
{
    for (int functional = 0; functional < 2; functional++) {
        chain c = {0};
        OK(eex_graph_new(&c.g, "pools", 6, 4, 5));
        OK(eex_graph_add_global_pool(c.g, &c.x, 0, "pool", functional));
        OK(eex_graph_finish(c.g, c.x));
        IS(eex_cost_total(c.g, EEX_MACS), 0);
        IS(eex_cost_total(c.g, EEX_THOP), 0);
        IS(eex_cost_total(c.g, EEX_PTFLOPS), functional ? 0 : 6 * 4 * 5);
        IS(eex_cost_total(c.g, EEX_TORCHPROFILE), functional ? 5 * 6 + 5 : 5);
        eex_graph_free(c.g);
    }
}

Test(cost, conventions_have_names)
{
    for (int i = 0; i < EEX_CONVENTIONS; i++) {
        eex_convention c;
        OK(eex_convention_parse(&c, eex_convention_name((eex_convention)i)));
        cr_expect((int)c == i);
    }
    eex_convention c;
    cr_expect(eex_convention_parse(&c, "flops") == EEX_EINVAL);
    cr_expect(strstr(eex_error(), "torchprofile") != NULL);
}

Test(cost, nodes_that_are_not_there_cost_nothing)
{
    eex_graph *m = mobilenetv2();
    IS(eex_cost_node(m, -1, EEX_MACS), 0);
    IS(eex_cost_trunk(m, 10000, EEX_MACS), 0);
    IS(eex_cost_gate(m, 3, EEX_MACS), 0);
    IS(eex_cost_cumulative(m, 3, EEX_MACS), 0);
    eex_graph_free(m);
}

/* EDANAS's convention counts multiplications of elements, the others none of them. */
Test(cost, squeezed)
{
    eex_graph *g = NULL;
    OK(eex_test_squeezed(&g, 10));
    const int64_t swishes = 2 * 512 + 4 * 4 * 12, scales = 512 + 1024 + 12;
    const int64_t means = 2 * (8 * 8 + 8) + (12 * 4 + 12);
    IS(eex_cost_total(g, EEX_TORCHPROFILE), eex_cost_total(g, EEX_MACS) + swishes + scales + means);
    IS(eex_cost_total(g, EEX_THOP), eex_cost_total(g, EEX_MACS) + 2 * (3 * 512 + 192));
    const int64_t biases = 4 + 8 + 4 + 16 + 10, relus = 4 + 4;
    IS(eex_cost_total(g, EEX_PTFLOPS), eex_cost_total(g, EEX_THOP) + biases + relus);
    eex_graph_free(g);
}
