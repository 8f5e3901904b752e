#include "support/supernet.h"

#include "base/status.h"

#include <stdio.h>
#include <string.h>

typedef struct genes {
    int kernel[2], expansion[2], depth, width;
} genes;

static int gene(eex_graph *g, int *out, const char *name, eex_gene_kind kind, int options,
                const double *values)
{
    eex_gene made = {.kind = kind, .options = options};
    snprintf(made.name, sizeof made.name, "%s", name);
    memcpy(made.values, values, (size_t)options * sizeof *values);
    return eex_graph_add_gene(g, out, &made);
}

static int add_genes(eex_graph *g, genes *n)
{
    const double kernels[] = {3, 5, 7}, expansions[] = {1.5, 2}, depths[] = {1, 2};
    EEX_TRY(gene(g, &n->kernel[0], "kernel1", EEX_GENE_KERNEL, 3, kernels));
    EEX_TRY(gene(g, &n->kernel[1], "kernel2", EEX_GENE_KERNEL, 2, kernels));
    EEX_TRY(gene(g, &n->expansion[0], "expansion1", EEX_GENE_EXPANSION, 2, expansions));
    EEX_TRY(gene(g, &n->expansion[1], "expansion2", EEX_GENE_EXPANSION, 2, expansions));
    EEX_TRY(gene(g, &n->depth, "depth", EEX_GENE_DEPTH, 2, depths));
    return gene(g, &n->width, "width", EEX_GENE_WIDTH, 3, (double[]){0.5, 0.75, 1});
}

/* A batch norm behind the convolution that was added last and, if wanted, h-swish. */
static int norm(eex_graph *g, int *x, const char *prefix, bool act)
{
    char name[64];
    snprintf(name, sizeof name, "%s.bn", prefix);
    EEX_TRY(eex_graph_add_batch_norm(g, x, *x, name));
    snprintf(name, sizeof name, "%s.act", prefix);
    return act ? eex_graph_add_act(g, x, *x, name, EEX_ACT_H_SWISH) : EEX_OK;
}

static int bottleneck(eex_graph *g, int *x, int i, const genes *n)
{
    const int wide[] = {12, 16}, kernels[] = {3, 5, 7}, first = *x, kernel = i ? 5 : 7;
    const eex_conv_options expand = {.out = 16, .kernel = 1}, project = {.out = 8, .kernel = 1};
    const eex_conv_options depthwise = {
        .out = 16, .kernel = kernel, .pad = kernel / 2, .groups = 16};
    char name[64];
    snprintf(name, sizeof name, "layer%d.expand", i + 1);
    EEX_TRY(eex_graph_add_conv(g, x, *x, name, &expand));
    EEX_TRY(eex_graph_choose_out(g, *x, n->expansion[i], wide));
    EEX_TRY(norm(g, x, name, true));
    snprintf(name, sizeof name, "layer%d.depthwise", i + 1);
    EEX_TRY(eex_graph_add_conv(g, x, *x, name, &depthwise));
    EEX_TRY(eex_graph_choose_kernel(g, *x, n->kernel[i], kernels, true));
    EEX_TRY(norm(g, x, name, true));
    snprintf(name, sizeof name, "layer%d.project", i + 1);
    EEX_TRY(eex_graph_add_conv(g, x, *x, name, &project));
    EEX_TRY(norm(g, x, name, false));
    snprintf(name, sizeof name, "layer%d.add", i + 1);
    return eex_graph_add_add(g, x, *x, first, name);
}

static int trunk(eex_graph *g, int classes)
{
    genes n;
    int x = 0;
    const int widths[] = {8, 12, 16};
    const eex_conv_options stem = {.out = 8, .kernel = 3, .pad = 1};
    const eex_conv_options last = {.out = 16, .kernel = 3, .stride = 2, .pad = 1};
    EEX_TRY(add_genes(g, &n));
    EEX_TRY(eex_graph_add_conv(g, &x, x, "stem", &stem));
    EEX_TRY(norm(g, &x, "stem", true));
    EEX_TRY(bottleneck(g, &x, 0, &n));
    EEX_TRY(eex_graph_present(g, n.depth, 1));
    EEX_TRY(bottleneck(g, &x, 1, &n));
    EEX_TRY(eex_graph_present(g, -1, 0));
    EEX_TRY(eex_graph_add_conv(g, &x, x, "last", &last));
    EEX_TRY(eex_graph_choose_out(g, x, n.width, widths));
    EEX_TRY(norm(g, &x, "last", true));
    EEX_TRY(eex_graph_add_global_pool(g, &x, x, "pool", false));
    EEX_TRY(eex_graph_add_flatten(g, &x, x, "flatten", true));
    EEX_TRY(eex_graph_add_dropout(g, &x, x, "dropout", 0.25F));
    EEX_TRY(eex_graph_add_linear(g, &x, x, "fc", classes, true));
    return eex_graph_finish(g, x);
}

int eex_test_supernet(eex_graph **out, int classes)
{
    eex_graph *g;
    EEX_TRY(eex_graph_new(&g, "supernet", 8, 8, 3));
    int code = trunk(g, classes);
    if (code == EEX_OK) {
        const eex_gate gate = {.point = eex_graph_find(g, "layer2.add"), .blocks = 1};
        code = eex_graph_with_gates(out, g, &gate, 1, EEX_ACT_H_SWISH);
    }
    eex_graph_free(g);
    return code;
}
