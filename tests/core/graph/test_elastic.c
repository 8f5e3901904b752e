/* Elastic graphs: genes, genomes, the networks of genomes and their parameters. */
#include "core/graph/cost.h"
#include "support/backbones.h"
#include "support/elastic.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static void refused(int code, const char *part)
{
    cr_assert(code == EEX_EINVAL, "got %d (%s)", code, eex_error());
    cr_assert(strstr(eex_error(), part), "\"%s\" does not say \"%s\"", eex_error(), part);
}

static eex_graph *elastic(void)
{
    eex_graph *g = NULL;
    OK(eex_test_elastic(&g, 10));
    return g;
}

static eex_graph *derived(const eex_graph *g, const int *genome)
{
    eex_graph *d = NULL;
    OK(eex_graph_derive(&d, NULL, g, genome));
    return d;
}

static const eex_node *node(const eex_graph *g, const char *name)
{
    const eex_node *n = eex_graph_node(g, eex_graph_find(g, name));
    cr_assert(n, "no node %s", name);
    return n;
}

/* ---- genes ---- */

Test(elastic, genes_come_in_their_order)
{
    eex_graph *g = elastic();
    cr_assert_eq(eex_graph_genes(g), ELASTIC_GENES);
    cr_expect_str_eq(eex_graph_gene(g, 1)->name, "depth");
    cr_expect_eq(eex_graph_gene(g, 2)->kind, EEX_GENE_KERNEL);
    cr_expect_eq(eex_graph_gene(g, 8)->options, 3);
    cr_expect_float_eq(eex_graph_gene(g, 8)->values[1], 0.75, 0);
    cr_expect_eq(eex_graph_size_gene(g), 0);
    cr_expect_null(eex_graph_gene(g, 9));
    cr_expect_null(eex_graph_choice(g, -1));
    cr_expect_null(eex_graph_choice(g, 1000));
    eex_graph_free(g);
}

Test(elastic, ordinary_graphs_have_none)
{
    eex_graph *g = NULL;
    OK(eex_test_tiny(&g, 10));
    cr_expect_eq(eex_graph_genes(g), 0);
    cr_expect_eq(eex_graph_size_gene(g), -1);
    eex_graph_free(g);
}

static int add(eex_graph *g, const char *name, int options, const double *values)
{
    int out;
    eex_gene gene = {.kind = EEX_GENE_WIDTH, .options = options};
    strcpy(gene.name, name);
    if (options > 0 && options <= EEX_GENE_OPTIONS)
        memcpy(gene.values, values, (size_t)options * sizeof *values);
    return eex_graph_add_gene(g, &out, &gene);
}

Test(elastic, genes_that_make_no_sense)
{
    eex_graph *g = NULL;
    OK(eex_graph_new(&g, "g", 8, 8, 3));
    const double two[] = {1, 2}, falling[] = {2, 1}, equal[] = {2, 2}, odd[] = {1, (double)NAN};
    OK(add(g, "a", 2, two));
    refused(add(g, "a", 2, two), "already");
    refused(add(g, "", 2, two), "not empty");
    refused(add(g, "b/c", 2, two), "letters");
    refused(add(g, "b", 0, two), "0 options");
    refused(add(g, "b", 33, two), "33 options");
    refused(add(g, "b", 2, falling), "ascend");
    refused(add(g, "b", 2, equal), "ascend");
    refused(add(g, "b", 2, odd), "ascend");
    cr_expect_eq(eex_graph_genes(g), 1);
    eex_graph_free(g);
}

static eex_graph *with_conv(int *conv)
{
    eex_graph *g = NULL;
    const eex_conv_options o = {.out = 8, .kernel = 5, .pad = 2};
    OK(eex_graph_new(&g, "g", 8, 8, 3));
    OK(add(g, "a", 2, (double[]){1, 2}));
    OK(add(g, "sizes", 2, (double[]){4, 8}));
    OK(add(g, "halves", 2, (double[]){7.5, 8}));
    OK(eex_graph_add_conv(g, conv, 0, "conv", &o));
    return g;
}

/* As many groups as it reads channels, and more filters: no depthwise convolution, whose channels
 * follow what it reads. */
Test(elastic, filters_of_groups_stay)
{
    eex_graph *g = NULL;
    int conv, at;
    const eex_conv_options o = {.out = 6, .kernel = 3, .pad = 1, .groups = 3};
    OK(eex_graph_new(&g, "g", 8, 8, 3));
    OK(add(g, "sizes", 2, (double[]){4, 8}));
    OK(eex_graph_choose_size(g, 0));
    OK(eex_graph_add_conv(g, &conv, 0, "conv", &o));
    OK(eex_graph_add_global_pool(g, &at, conv, "pool", false));
    OK(eex_graph_add_flatten(g, &at, at, "flat", false));
    OK(eex_graph_add_linear(g, &at, at, "fc", 4, true));
    OK(eex_graph_finish(g, at));
    eex_graph *d = derived(g, (int[]){0});
    cr_expect(node(d, "conv")->c == 6 && node(d, "conv")->window.groups == 3);
    cr_expect_eq(node(d, "conv")->h, 4);
    eex_graph_free(d);
    eex_graph_free(g);
}

Test(elastic, choices_that_do_not_fit)
{
    int conv, depthwise, bn;
    eex_graph *g = with_conv(&conv);
    const eex_conv_options o = {.out = 8, .kernel = 3, .pad = 0, .groups = 8};
    refused(eex_graph_choose_out(g, conv, 7, (int[]){4, 8}), "no gene 7");
    refused(eex_graph_choose_out(g, 9, 0, (int[]){4, 8}), "no value 9");
    refused(eex_graph_choose_out(g, conv, 0, (int[]){4, 7}), "has 8");
    refused(eex_graph_choose_out(g, conv, 0, (int[]){9, 8}), "ascend");
    refused(eex_graph_choose_out(g, conv, 0, (int[]){0, 8}), "ascend");
    refused(eex_graph_choose_kernel(g, conv, 0, (int[]){3, 7}, true), "has 5");
    refused(eex_graph_choose_kernel(g, conv, 0, (int[]){4, 5}, true), "no centre");
    refused(eex_graph_choose_kernel(g, conv, 0, (int[]){5, 5}, true), "ascend");
    OK(eex_graph_add_batch_norm(g, &bn, conv, "bn"));
    refused(eex_graph_choose_out(g, bn, 0, (int[]){4, 8}), "dense");
    refused(eex_graph_choose_kernel(g, conv, 0, (int[]){3, 5}, true), "added last");
    OK(eex_graph_choose_kernel(g, conv, 0, (int[]){3, 5}, false));
    OK(eex_graph_add_conv(g, &depthwise, bn, "depthwise", &o));
    refused(eex_graph_choose_out(g, depthwise, 0, (int[]){4, 8}), "dense");
    refused(eex_graph_choose_kernel(g, depthwise, 0, (int[]){1, 3}, false), "half");
    refused(eex_graph_choose_size(g, 0), "largest size is 2");
    refused(eex_graph_choose_size(g, 2), "7.5");
    refused(eex_graph_present(g, 3, 0), "no gene 3");
    refused(eex_graph_present(g, -2, 0), "gene -2");
    refused(eex_graph_present(g, 0, 2), "option 2");
    refused(eex_graph_zero_start(g, conv), "batch norm");
    eex_graph_free(g);
}

/* Each is right by itself, but one genome would not fit. */
Test(elastic, what_some_genome_cannot_have_is_refused_at_the_end)
{
    int conv, other, x;
    const eex_conv_options o = {.out = 8, .kernel = 3, .pad = 1};
    eex_graph *g = with_conv(&conv);
    OK(eex_graph_choose_out(g, conv, 0, (int[]){4, 8}));
    OK(eex_graph_add_conv(g, &other, conv, "other", &o));
    OK(eex_graph_add_add(g, &x, conv, other, "add"));
    OK(eex_graph_add_global_pool(g, &x, x, "pool", false));
    OK(eex_graph_add_linear(g, &x, x, "fc", 10, true));
    refused(eex_graph_finish(g, x), "gene \"a\" with 1");
    cr_expect(strstr(eex_error(), "\"add\""), "%s", eex_error());
    OK(eex_graph_choose_out(g, other, 0, (int[]){4, 8}));
    OK(eex_graph_finish(g, x));
    eex_graph_free(g);

    g = with_conv(&conv);
    OK(eex_graph_choose_size(g, 1));
    OK(eex_graph_add_flatten(g, &x, conv, "flatten", true));
    OK(eex_graph_add_linear(g, &x, x, "fc", 10, true));
    refused(eex_graph_finish(g, x), "pool them first");
    eex_graph_free(g);

    g = with_conv(&conv);
    OK(eex_graph_choose_out(g, conv, 0, (int[]){4, 8}));
    OK(eex_graph_add_conv(g, &other, 0, "other", &o));
    OK(eex_graph_add_concat(g, &x, conv, other, "concat"));
    OK(eex_graph_add_global_pool(g, &x, x, "pool", false));
    OK(eex_graph_add_linear(g, &x, x, "fc", 10, true));
    refused(eex_graph_finish(g, x), "first operand");
    eex_graph_free(g);
}

/* ---- genomes ---- */

Test(elastic, genomes_are_checked)
{
    eex_graph *g = elastic(), *d = NULL;
    int genome[ELASTIC_GENES] = {0};
    genome[3] = 3;
    refused(eex_genome_check(g, genome), "\"kernel2\" has options 0..2, not 3");
    refused(eex_genome_canonical(g, genome), "kernel2");
    refused(eex_graph_derive(&d, NULL, g, genome), "kernel2");
    genome[3] = -1;
    refused(eex_genome_check(g, genome), "not -1");
    const double values[] = {12, 3, 3, 5, 7, 2, 3, 2, 0.75, 0};
    OK(eex_genome_of_values(genome, g, values, 9));
    const int wanted[] = {1, 2, 0, 1, 2, 0, 1, 0, 1};
    cr_expect_arr_eq(genome, wanted, sizeof wanted);
    refused(eex_genome_of_values(genome, g, values, 10), "9 genes, not 10");
    refused(eex_genome_of_values(genome, g, values + 1, 9), "8, 12 and 16");
    eex_graph_free(g);
}

static bool next(const eex_graph *g, int *genome)
{
    for (int i = 0; i < ELASTIC_GENES; i++) {
        if (++genome[i] < eex_graph_gene(g, i)->options)
            return true;
        genome[i] = 0;
    }
    return false;
}

static int number_of(const eex_graph *g, const int *genome)
{
    int number = 0;
    for (int i = ELASTIC_GENES - 1; i >= 0; i--)
        number = number * eex_graph_gene(g, i)->options + genome[i];
    return number;
}

enum { GENOMES = 3 * 3 * 27 * 8 * 3 };

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Of those that are there; frees them. */
static void no_two_alike(char **text, int count)
{
    int there = 0;
    for (int i = 0; i < count; i++)
        if (text[i])
            text[there++] = text[i];
    qsort(text, (size_t)there, sizeof *text, compare_texts);
    for (int i = 1; i < there; i++)
        cr_assert_str_neq(text[i], text[i - 1]);
    for (int i = 0; i < there; i++)
        free(text[i]);
}

/* All of them: canonical genomes are equal if and only if the networks are. */
static void all_genomes(eex_graph *g, int networks)
{
    static char *text[GENOMES];
    int genome[ELASTIC_GENES] = {0}, canonical[ELASTIC_GENES], count = 0;
    memset(text, 0, sizeof text);
    do {
        memcpy(canonical, genome, sizeof genome);
        OK(eex_genome_canonical(g, canonical));
        cr_assert(number_of(g, canonical) <= number_of(g, genome));
        eex_graph *d = derived(g, genome);
        char *signature = elastic_signature(d), **first = &text[number_of(g, canonical)];
        if (*first) {
            cr_assert_str_eq(*first, signature);
            free(signature);
        } else {
            cr_assert(memcmp(canonical, genome, sizeof genome) == 0);
            *first = signature;
            count++;
        }
        eex_graph_free(d);
    } while (next(g, genome));
    cr_expect_eq(count, networks, "%d networks", count);
    no_two_alike(text, GENOMES);
    eex_graph_free(g);
}

Test(elastic, canonical_genomes_are_networks)
{
    all_genomes(elastic(), 3 * 3 * (6 + 36 + 216));
}

Test(elastic, with_gates_too)
{
    eex_graph *g = NULL;
    OK(eex_test_elastic_gated(&g, 10));
    cr_assert_eq(eex_graph_genes(g), ELASTIC_GENES);
    all_genomes(g, 3 * 3 * (6 + 36 + 216));
}

/* ---- networks ---- */

Test(elastic, the_largest_genome_is_the_graph_itself)
{
    eex_graph *g = elastic();
    int genome[ELASTIC_GENES];
    eex_genome_largest(g, genome);
    eex_graph *d = derived(g, genome);
    cr_expect_eq(eex_graph_nodes(d), eex_graph_nodes(g));
    cr_expect_eq(eex_graph_params(d), eex_graph_params(g) - 6); /* no transforms */
    cr_expect_eq(eex_graph_genes(d), 0);
    for (int c = 0; c < EEX_CONVENTIONS; c++)
        cr_expect_eq(eex_cost_total(d, (eex_convention)c), eex_cost_total(g, (eex_convention)c));
    cr_expect_eq(eex_graph_param_total(d), eex_graph_param_total(g) - 3 * (25 * 25 + 9 * 9));
    eex_graph_free(d);
    eex_graph_free(g);
}

Test(elastic, the_smallest_has_what_it_says)
{
    eex_graph *g = elastic();
    int genome[ELASTIC_GENES], value[EEX_MAX_EXITS * 2];
    eex_graph *d = NULL;
    cr_assert(eex_graph_nodes(g) <= EEX_MAX_EXITS * 2);
    eex_genome_smallest(g, genome);
    OK(eex_graph_derive(&d, value, g, genome));
    cr_expect_eq(eex_graph_find(d, "layer2.add"), -1);
    cr_expect_eq(eex_graph_find(d, "layer3.point.conv"), -1);
    const eex_node *depth = node(d, "layer1.depth.conv"), *last = node(d, "last.conv");
    cr_expect(depth->h == 8 && depth->c == 16 && depth->window.kernel == 3);
    cr_expect(depth->window.pad == 1 && depth->window.groups == 16 && depth->transforms == 0);
    cr_expect(last->c == 8 && last->h == 4 && node(d, "last.bn")->c == 8);
    cr_expect(node(d, "fc")->window.cin == 8 && node(d, "layer1.depth.reduce")->c == 4);
    cr_expect(node(d, "layer1.point.bn")->zero_start && !node(d, "last.bn")->zero_start);
    /* What is not there has the value of what it would read. */
    static const char *const absent[] = {"layer2.expand.conv", "layer2.depth.mean", "layer2.add",
                                         "layer3.add"};
    for (int i = 0; i < 4; i++)
        cr_expect_eq(value[eex_graph_find(g, absent[i])], eex_graph_find(d, "layer1.add"));
    cr_expect_eq(value[eex_graph_find(g, "fc")], eex_graph_find(d, "fc"));
    cr_expect_eq(last->inputs[0], eex_graph_find(d, "layer1.add"));
    eex_graph_free(d);
    eex_graph_free(g);
}

Test(elastic, gates_stay_where_their_points_value_is)
{
    eex_graph *g = NULL;
    int genome[ELASTIC_GENES];
    OK(eex_test_elastic_gated(&g, 10));
    eex_genome_smallest(g, genome);
    eex_graph *d = derived(g, genome);
    cr_assert_eq(eex_graph_exits(d), 3);
    cr_expect_eq(eex_graph_exit(d, 0)->point, eex_graph_find(d, "layer1.add"));
    cr_expect_eq(eex_graph_exit(d, 0)->blocks, 1);
    cr_expect_eq(eex_graph_exit(d, 1)->point, eex_graph_find(d, "last.act"));
    cr_expect_eq(node(d, "exits.last.act.expand.conv")->c, 6 * 8);
    cr_expect_eq(node(d, "exits.last.act.mix.conv")->c, 8 * 8);
    cr_expect_eq(node(d, "exits.last.act.fc")->exit, 1);
    cr_expect_eq(node(g, "exits.last.act.mix.conv")->c, 8 * 16);
    eex_graph_free(d);
    eex_graph_free(g);
}

/* EDANAS's formula for what an early exit classifier costs. */
Test(elastic, cost_of_an_early_exit_classifier)
{
    eex_graph *g = NULL;
    OK(eex_test_elastic_gated(&g, 10));
    const int64_t c = 16, h = 8;
    const int64_t want =
        6 * c * c * h * h + 6 * c * h * h + 6 * c * h + 6 * c + 48 * c * c + 8 * c + 80 * c;
    cr_expect_eq(eex_cost_gate(g, 1, EEX_TORCHPROFILE), want);
    eex_graph_free(g);
}

Test(elastic, early_exit_classifiers_are_one_block)
{
    eex_graph *g = elastic(), *out = NULL;
    eex_gate gate = {.point = eex_graph_find(g, "last.act"), .family = EEX_GATE_EEC, .blocks = 2};
    refused(eex_graph_with_gates(&out, g, &gate, 1, EEX_ACT_RELU), "one block, not 2");
    gate.blocks = 1;
    gate.nested = true;
    gate.heads = 1;
    refused(eex_graph_with_gates(&out, g, &gate, 1, EEX_ACT_RELU), "one block");
    gate.heads = 2;
    OK(eex_graph_with_gates(&out, g, &gate, 1, EEX_ACT_RELU));
    cr_expect_eq(eex_graph_exits(out), 2);
    eex_graph_free(out);
    eex_graph_free(g);
}

/* ---- slices ---- */

static int param(const eex_graph *g, const char *name)
{
    for (int i = 0; i < eex_graph_params(g); i++)
        if (strcmp(eex_graph_param(g, i)->name, name) == 0)
            return i;
    cr_assert_fail("no parameter %s", name);
    return -1;
}

Test(elastic, kernels_go_through_their_transforms)
{
    eex_graph *g = elastic();
    static const int steps[] = {2, 1, 0};
    eex_slice s;
    for (int o = 0; o < 3; o++) {
        int genome[ELASTIC_GENES];
        eex_genome_largest(g, genome);
        genome[2] = o;
        eex_graph *d = derived(g, genome);
        OK(eex_graph_slice(&s, g, d, param(d, "layer1.depth.conv.weight")));
        cr_expect_eq(s.param, param(g, "layer1.depth.conv.weight"));
        cr_assert_eq(s.steps, steps[o]);
        cr_expect_eq(s.kernel[0], 7);
        if (o < 2) {
            cr_expect_eq(s.kernel[1], 5);
            cr_expect_eq(s.transform[0], param(g, "layer1.depth.conv.7to5_matrix"));
        }
        if (o < 1) {
            cr_expect_eq(s.kernel[2], 3);
            cr_expect_eq(s.transform[1], param(g, "layer1.depth.conv.5to3_matrix"));
        }
        eex_graph_free(d);
    }
    const eex_param *m = eex_graph_param(g, param(g, "layer2.depth.conv.7to5_matrix"));
    cr_expect(m->rank == 2 && m->shape[0] == 25 && m->shape[1] == 25 && m->trainable);
    eex_graph_free(g);
}

/* Every parameter of every network is part of one of the same name, and only of that. */
Test(elastic, every_parameter_is_a_slice)
{
    eex_graph *g = elastic();
    int genome[ELASTIC_GENES] = {0};
    do {
        eex_graph *d = derived(g, genome);
        for (int i = 0; i < eex_graph_params(d); i++) {
            eex_slice s;
            OK(eex_graph_slice(&s, g, d, i));
            cr_assert_str_eq(eex_graph_param(g, s.param)->name, eex_graph_param(d, i)->name);
        }
        eex_graph_free(d);
    } while (next(g, genome));
    eex_graph_free(g);
}

Test(elastic, what_is_no_slice)
{
    eex_graph *g = elastic(), *tiny = NULL, *other = NULL;
    eex_slice s;
    OK(eex_test_tiny(&tiny, 10));
    cr_expect_eq(eex_graph_slice(&s, g, tiny, param(tiny, "blocks.1.conv1.weight")), EEX_ENOTFOUND);
    OK(eex_test_elastic(&other, 11));
    refused(eex_graph_slice(&s, g, other, param(other, "fc.weight")), "\"fc.weight\" is no part");
    eex_graph_free(other);
    eex_graph_free(tiny);
    eex_graph_free(g);
}
