/* Families of gates: what each is made of, where it fits, and what becomes of it in copies. */
#include "core/graph/cost.h"
#include "core/graph/elastic.h"
#include "core/graph/graph_store.h"
#include "support/backbones.h"
#include "support/elastic.h"
#include "support/folder.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { CLASSES = 10, SIDE = 8, C = 8 /* "blocks.0.relu2" of the tiny network: 8 x 8 x 8 */ };

static eex_graph *tiny;

static void setup(void)
{
    OK(eex_test_tiny(&tiny, CLASSES));
}

static void teardown(void)
{
    eex_graph_free(tiny);
}

TestSuite(gates, .init = setup, .fini = teardown);

static eex_gate gate_at(const eex_graph *g, const char *point, eex_gate_family family, int blocks)
{
    return (eex_gate){.point = eex_graph_find(g, point), .blocks = blocks, .family = family};
}

static eex_graph *gated(const eex_gate *gate)
{
    eex_graph *g = NULL;
    OK(eex_graph_with_gates(&g, tiny, gate, 1, EEX_ACT_RELU6));
    return g;
}

static void refused(const eex_graph *g, const eex_gate *gate, const char *part)
{
    eex_graph *out = NULL;
    int code = eex_graph_with_gates(&out, g, gate, 1, EEX_ACT_RELU);
    cr_assert_eq(code, EEX_EINVAL, "got %d (%s)", code, eex_error());
    cr_assert(strstr(eex_error(), part), "\"%s\" does not say \"%s\"", eex_error(), part);
    cr_assert_null(out);
}

/* The kinds of the gate's nodes, one letter each. */
static const char *letters(const eex_graph *g)
{
    static const char letter[EEX_NODE_KINDS] = {
        [EEX_NODE_CONV] = 'c',    [EEX_NODE_BATCH_NORM] = 'b', [EEX_NODE_ACT] = 'a',
        [EEX_NODE_ADD] = '+',     [EEX_NODE_MAX_POOL] = 'm',   [EEX_NODE_GLOBAL_POOL] = 'g',
        [EEX_NODE_FLATTEN] = 'f', [EEX_NODE_LINEAR] = 'l'};
    static char text[64];
    size_t at = 0;
    for (int i = 0; i < eex_graph_nodes(g) && at + 1 < sizeof text; i++)
        if (eex_graph_node(g, i)->exit != EEX_TRUNK)
            text[at++] = letter[eex_graph_node(g, i)->kind];
    text[at] = 0;
    return text;
}

static const eex_node *node(const eex_graph *g, const char *name)
{
    const eex_node *n = eex_graph_node(g, eex_graph_find(g, name));
    cr_assert(n, "no node %s", name);
    return n;
}

/* ---- what they are made of ---- */

Test(gates, families_have_layers_of_their_own)
{
    const struct {
        eex_gate_family family;
        int blocks;
        const char *layers;
        int64_t macs;
    } rows[] = {
        {EEX_GATE_BLOCKS, 2, "cbacbagfl", 2 * 9 * C * C * 64 + 10 * C},
        {EEX_GATE_EEC, 1, "cbagcal", 6 * C * C * 64 + 48 * C * C + 80 * C},
        {EEX_GATE_POOLED, 0, "mfl", 10 * C * 16},
        {EEX_GATE_POOLED, 1, "camfl", 9 * C * 128 * 64 + 10 * 128 * 16},
        {EEX_GATE_POOLED, 2, "cacamfl", 9 * (C + 128) * 128 * 64 + 10 * 128 * 16},
        {EEX_GATE_STRIDED, 0, "fl", 10 * C * 64},
        {EEX_GATE_STRIDED, 1, "cbafl", 9 * C * C * 16 + 10 * C * 16},
        {EEX_GATE_STRIDED, 3, "cbacbacbafl",
         9 * 16 * (C * C + C * C / 2 + C * C / 4) + 10 * C / 2 * 16},
        {EEX_GATE_RESIDUAL, 0, "mfl", 10 * C * 16},
        {EEX_GATE_RESIDUAL, 2, "cbacb+acbacb+amfl", 4 * 9 * C * C * 64 + 10 * C * 16},
        {EEX_GATE_LINEAR, 0, "fl", 10 * C * 64},
        {EEX_GATE_LINEAR, 1, "flafl", 128 * C * 64 + 10 * 128},
        {EEX_GATE_LINEAR, 2, "flalafl", 128 * C * 64 + 128 * 128 + 10 * 128},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const eex_gate gate = gate_at(tiny, "blocks.0.relu2", rows[i].family, rows[i].blocks);
        eex_graph *g = gated(&gate);
        cr_expect_str_eq(letters(g), rows[i].layers, "row %zu: %s", i, letters(g));
        cr_expect_eq(eex_cost_gate(g, 0, EEX_MACS), rows[i].macs, "row %zu: %lld", i,
                     (long long)eex_cost_gate(g, 0, EEX_MACS));
        cr_expect_eq(eex_graph_exit(g, 0)->blocks, rows[i].blocks);
        eex_graph_free(g);
    }
}

Test(gates, pooled_ones_have_channels_and_biases)
{
    eex_gate gate = gate_at(tiny, "blocks.0.relu2", EEX_GATE_POOLED, 1);
    eex_graph *g = gated(&gate);
    cr_expect(node(g, "exits.blocks.0.relu2.block1.conv")->bias);
    cr_expect_eq(node(g, "exits.blocks.0.relu2.block1.act")->act, EEX_ACT_RELU6);
    cr_expect_eq(node(g, "exits.blocks.0.relu2.flatten1")->c, 128 * 16);
    eex_graph_free(g);
    gate.channels = 5;
    g = gated(&gate);
    cr_expect_eq(node(g, "exits.blocks.0.relu2.flatten1")->c, 5 * 16);
    eex_graph_free(g);
    gate.channels = -1;
    refused(tiny, &gate, "out must be within");
}

Test(gates, nested_ones_share_blocks)
{
    const eex_gate_family families[] = {EEX_GATE_POOLED, EEX_GATE_STRIDED, EEX_GATE_RESIDUAL,
                                        EEX_GATE_LINEAR};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        eex_gate gate = gate_at(tiny, "blocks.0.relu2", families[i], 2);
        gate.nested = true;
        gate.heads = 1 << 0 | 1 << 1;
        eex_graph *all = gated(&gate), *cut = NULL;
        cr_assert_eq(eex_graph_exits(all), 4);
        for (int k = 0; k < 3; k++) {
            const eex_gate alone = gate_at(tiny, "blocks.0.relu2", families[i], k);
            eex_graph *one = gated(&alone);
            cr_expect_eq(eex_cost_gate(all, k, EEX_PTFLOPS), eex_cost_gate(one, 0, EEX_PTFLOPS));
            OK(eex_graph_select(&cut, all, &k, 1));
            cr_expect_eq(eex_cost_gate(cut, 0, EEX_PTFLOPS), eex_cost_gate(one, 0, EEX_PTFLOPS));
            eex_graph_free(cut);
            eex_graph_free(one);
        }
        eex_graph_free(all);
    }
}

/* ---- where they do not fit ---- */

Test(gates, maps_that_are_too_small_are_refused)
{
    eex_graph *g = NULL;
    int x = 0;
    OK(eex_graph_new(&g, "small", 1, 1, 3));
    OK(eex_graph_add_act(g, &x, x, "point", EEX_ACT_RELU));
    OK(eex_graph_add_flatten(g, &x, x, "flatten", true));
    OK(eex_graph_finish(g, x));
    eex_gate gate = gate_at(g, "point", EEX_GATE_POOLED, 1);
    refused(g, &gate, "max_pool \"exits.point.pool1\": a window of 2");
    gate.family = EEX_GATE_RESIDUAL;
    refused(g, &gate, "exits.point.pool1");
    gate.family = EEX_GATE_FAMILIES;
    refused(g, &gate, "early exit classifier");
    gate.family = EEX_GATE_STRIDED; /* half of three channels is two */
    eex_graph *out = NULL;
    gate.blocks = 2;
    OK(eex_graph_with_gates(&out, g, &gate, 1, EEX_ACT_RELU));
    cr_expect_eq(node(out, "exits.point.block2.conv")->c, 2);
    eex_graph_free(out);
    eex_graph_free(g);
}

/* ---- copies ---- */

static int save(eex_store_file *file, const void *context)
{
    return eex_graph_save(context, file, "graph");
}

static int load(eex_store_file *file, void *context)
{
    return eex_graph_load(context, file, "graph");
}

Test(gates, all_go_through_a_file)
{
    char folder[TEST_PATH_SIZE];
    test_folder_make(folder);
    const char *path = test_path(folder, "graph.h5");
    for (int family = 0; family < EEX_GATE_FAMILIES; family++) {
        const eex_gate gate = gate_at(tiny, "blocks.0.relu2", (eex_gate_family)family, 1);
        eex_graph *g = gated(&gate), *again = NULL;
        OK(eex_store_write_file(path, "model", 1, save, g));
        OK(eex_store_read_file(path, "model", 1, load, &again));
        char *a = elastic_signature(g), *b = elastic_signature(again);
        cr_expect_str_eq(a, b);
        for (int c = 0; c < EEX_CONVENTIONS; c++)
            cr_expect_eq(eex_cost_total(g, (eex_convention)c),
                         eex_cost_total(again, (eex_convention)c), "%s in %s",
                         eex_gate_family_name((eex_gate_family)family),
                         eex_convention_name((eex_convention)c));
        free(a);
        free(b);
        eex_graph_free(again);
        eex_graph_free(g);
    }
    test_folder_remove(folder);
}

/* A convolution of 5 or 8 channels, at "point". */
static eex_graph *elastic(void)
{
    const eex_gene width = {
        .name = "width", .kind = EEX_GENE_WIDTH, .options = 2, .values = {0.5, 1}};
    const int channels[] = {5, 8};
    eex_graph *g = NULL;
    int x = 0, gene;
    OK(eex_graph_new(&g, "elastic", 8, 8, 3));
    OK(eex_graph_add_gene(g, &gene, &width));
    OK(eex_graph_add_conv(g, &x, x, "conv", &(eex_conv_options){.out = 8, .kernel = 1}));
    OK(eex_graph_choose_out(g, x, gene, channels));
    OK(eex_graph_add_act(g, &x, x, "point", EEX_ACT_RELU));
    OK(eex_graph_add_global_pool(g, &x, x, "pool", false));
    OK(eex_graph_add_flatten(g, &x, x, "flatten", true));
    OK(eex_graph_add_linear(g, &x, x, "fc", CLASSES, true));
    OK(eex_graph_finish(g, x));
    return g;
}

/* A gate on a derived network is what is derived from the gate. */
Test(gates, elastic_backbones_give_them_their_channels)
{
    eex_graph *backbone = elastic();
    for (int family = 0; family < EEX_GATE_FAMILIES; family++)
        for (int option = 0; option < 2; option++) {
            const int blocks = family == EEX_GATE_EEC ? 1 : 2;
            const eex_gate gate = gate_at(backbone, "point", (eex_gate_family)family, blocks);
            eex_graph *all = NULL, *derived = NULL, *small = NULL, *own = NULL;
            OK(eex_graph_with_gates(&all, backbone, &gate, 1, EEX_ACT_RELU));
            OK(eex_graph_derive(&derived, NULL, all, &option));
            OK(eex_graph_derive(&small, NULL, backbone, &option));
            OK(eex_graph_with_gates(&own, small, &gate, 1, EEX_ACT_RELU));
            char *a = elastic_signature(derived), *b = elastic_signature(own);
            cr_expect_str_eq(a, b);
            free(a);
            free(b);
            eex_graph_free(own);
            eex_graph_free(small);
            eex_graph_free(derived);
            eex_graph_free(all);
        }
    eex_graph_free(backbone);
}

/* Their linear layers read all pixels, so images are of one size. */
Test(gates, several_sizes_of_images_need_a_global_pool)
{
    eex_graph *g = NULL, *out = NULL;
    OK(eex_test_elastic(&g, CLASSES));
    eex_gate gate = gate_at(g, "last.act", EEX_GATE_STRIDED, 1);
    refused(g, &gate, "images of several sizes");
    gate.family = EEX_GATE_POOLED;
    refused(g, &gate, "images of several sizes");
    gate.family = EEX_GATE_BLOCKS;
    OK(eex_graph_with_gates(&out, g, &gate, 1, EEX_ACT_RELU));
    eex_graph_free(out);
    eex_graph_free(g);
}
