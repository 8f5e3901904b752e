#include "support/elastic.h"

#include "base/buffer.h"
#include "base/status.h"

#include <stdio.h>
#include <string.h>

static int gene(eex_graph *g, int *out, const char *name, eex_gene_kind kind, int options,
                const double *values)
{
    eex_gene made = {.kind = kind, .options = options};
    snprintf(made.name, sizeof made.name, "%s", name);
    memcpy(made.values, values, (size_t)options * sizeof *values);
    return eex_graph_add_gene(g, out, &made);
}

typedef struct genes {
    int size, depth, kernel[3], expansion[3], width;
} genes;

static int add_genes(eex_graph *g, genes *n, bool sizes)
{
    char name[32];
    if (sizes) {
        EEX_TRY(gene(g, &n->size, "size", EEX_GENE_RESOLUTION, 3, (double[]){8, 12, 16}));
        EEX_TRY(eex_graph_choose_size(g, n->size));
    }
    EEX_TRY(gene(g, &n->depth, "depth", EEX_GENE_DEPTH, 3, (double[]){1, 2, 3}));
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "kernel%d", i + 1);
        EEX_TRY(gene(g, &n->kernel[i], name, EEX_GENE_KERNEL, 3, (double[]){3, 5, 7}));
    }
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "expansion%d", i + 1);
        EEX_TRY(gene(g, &n->expansion[i], name, EEX_GENE_EXPANSION, 2, (double[]){2, 3}));
    }
    return gene(g, &n->width, "width", EEX_GENE_WIDTH, 3, (double[]){0.5, 0.75, 1});
}

static const char *named(char out[64], const char *prefix, const char *what)
{
    snprintf(out, 64, "%s.%s", prefix, what);
    return out;
}

/* Convolution, batch norm and, unless it is none, an act. */
static int conv(eex_graph *g, int *x, const char *prefix, eex_conv_options o, eex_act act)
{
    char name[64];
    o.pad = o.kernel / 2;
    EEX_TRY(eex_graph_add_conv(g, x, *x, named(name, prefix, "conv"), &o));
    EEX_TRY(eex_graph_add_batch_norm(g, x, *x, named(name, prefix, "bn")));
    return act ? eex_graph_add_act(g, x, *x, named(name, prefix, "act"), act) : EEX_OK;
}

static int chosen(eex_graph *g, const char *prefix, int gene_of, const int *values)
{
    char name[64];
    return eex_graph_choose_out(g, eex_graph_find(g, named(name, prefix, "conv")), gene_of, values);
}

static int excite(eex_graph *g, int *x, const char *prefix, int expansion)
{
    char name[64];
    int s = 0;
    const int narrow[] = {4, 8}, wide[] = {16, 24};
    eex_conv_options o = {.out = 8, .kernel = 1, .bias = true};
    EEX_TRY(eex_graph_add_global_pool(g, &s, *x, named(name, prefix, "mean"), true));
    EEX_TRY(eex_graph_add_conv(g, &s, s, named(name, prefix, "reduce"), &o));
    EEX_TRY(eex_graph_choose_out(g, s, expansion, narrow));
    EEX_TRY(eex_graph_add_act(g, &s, s, named(name, prefix, "relu"), EEX_ACT_RELU));
    o.out = 24;
    EEX_TRY(eex_graph_add_conv(g, &s, s, named(name, prefix, "expand"), &o));
    EEX_TRY(eex_graph_choose_out(g, s, expansion, wide));
    EEX_TRY(eex_graph_add_act(g, &s, s, named(name, prefix, "sigmoid"), EEX_ACT_H_SIGMOID));
    return eex_graph_add_scale(g, x, *x, s, named(name, prefix, "scale"));
}

static int layer(eex_graph *g, int *x, int i, const genes *n)
{
    char name[64], prefix[32];
    const int wide[] = {16, 24}, kernels[] = {3, 5, 7}, first = *x;
    eex_conv_options depthwise = {.out = 24, .kernel = 7, .pad = 3, .groups = 24};
    snprintf(prefix, sizeof prefix, "layer%d.expand", i + 1);
    EEX_TRY(conv(g, x, prefix, (eex_conv_options){.out = 24, .kernel = 1}, EEX_ACT_H_SWISH));
    EEX_TRY(chosen(g, prefix, n->expansion[i], wide));
    snprintf(prefix, sizeof prefix, "layer%d.depth", i + 1);
    EEX_TRY(eex_graph_add_conv(g, x, *x, named(name, prefix, "conv"), &depthwise));
    EEX_TRY(eex_graph_choose_kernel(g, *x, n->kernel[i], kernels, true));
    EEX_TRY(eex_graph_add_batch_norm(g, x, *x, named(name, prefix, "bn")));
    EEX_TRY(eex_graph_add_act(g, x, *x, named(name, prefix, "act"), EEX_ACT_RELU));
    EEX_TRY(excite(g, x, prefix, n->expansion[i]));
    snprintf(prefix, sizeof prefix, "layer%d.point", i + 1);
    EEX_TRY(conv(g, x, prefix, (eex_conv_options){.out = 8, .kernel = 1}, EEX_ACT_NONE));
    EEX_TRY(eex_graph_zero_start(g, *x));
    snprintf(name, sizeof name, "layer%d.add", i + 1);
    return eex_graph_add_add(g, x, *x, first, name);
}

static int build(eex_graph *g, int classes, bool sizes)
{
    genes n;
    int x = 0;
    const int widths[] = {8, 12, 16};
    EEX_TRY(add_genes(g, &n, sizes));
    EEX_TRY(conv(g, &x, "stem", (eex_conv_options){.out = 8, .kernel = 3}, EEX_ACT_RELU));
    for (int i = 0; i < 3; i++) {
        EEX_TRY(eex_graph_present(g, i ? n.depth : -1, i));
        EEX_TRY(layer(g, &x, i, &n));
    }
    EEX_TRY(eex_graph_present(g, -1, 0));
    EEX_TRY(conv(g, &x, "last", (eex_conv_options){.out = 16, .kernel = 3, .stride = 2},
                 EEX_ACT_RELU6));
    EEX_TRY(chosen(g, "last", n.width, widths));
    EEX_TRY(eex_graph_add_global_pool(g, &x, x, "pool", false));
    EEX_TRY(eex_graph_add_flatten(g, &x, x, "flatten", true));
    EEX_TRY(eex_graph_add_linear(g, &x, x, "fc", classes, true));
    return eex_graph_finish(g, x);
}

static int make(eex_graph **out, int classes, int side)
{
    eex_graph *g;
    EEX_TRY(eex_graph_new(&g, "elastic", side, side, 3));
    int code = build(g, classes, side == 16);
    if (code < 0)
        eex_graph_free(g);
    else
        *out = g;
    return code;
}

int eex_test_elastic(eex_graph **out, int classes)
{
    return make(out, classes, 16);
}

int eex_test_elastic_small(eex_graph **out, int classes)
{
    return make(out, classes, 8);
}

int eex_test_elastic_gated(eex_graph **out, int classes)
{
    eex_graph *g;
    EEX_TRY(eex_test_elastic(&g, classes));
    const eex_gate gates[] = {
        {.point = eex_graph_find(g, "layer3.add"), .blocks = 1},
        {.point = eex_graph_find(g, "last.act"), .blocks = 1, .family = EEX_GATE_EEC}};
    int code = eex_graph_with_gates(out, g, gates, 2, EEX_ACT_RELU);
    eex_graph_free(g);
    return code;
}

static int build_large(eex_graph *g, int classes)
{
    eex_gene size = {.name = "size", .kind = EEX_GENE_RESOLUTION, .options = 20};
    eex_gene width = {.kind = EEX_GENE_WIDTH, .options = EEX_GENE_OPTIONS};
    int channels[EEX_GENE_OPTIONS], x = 0, sizes, widths;
    for (int i = 0; i < EEX_GENE_OPTIONS; i++)
        width.values[i] = channels[i] = i + 1;
    for (int i = 0; i < size.options; i++)
        size.values[i] = i + 13;
    EEX_TRY(eex_graph_add_gene(g, &sizes, &size));
    EEX_TRY(eex_graph_choose_size(g, sizes));
    for (int i = 0; i < 2; i++) {
        snprintf(width.name, sizeof width.name, "width%d", i);
        EEX_TRY(eex_graph_add_gene(g, &widths, &width));
        char name[16];
        snprintf(name, sizeof name, "conv%d", i);
        const eex_conv_options o = {.out = 32, .kernel = 3, .stride = 1, .pad = 1};
        EEX_TRY(eex_graph_add_conv(g, &x, x, name, &o));
        EEX_TRY(eex_graph_choose_out(g, x, widths, channels));
    }
    EEX_TRY(eex_graph_add_global_pool(g, &x, x, "pool", false));
    EEX_TRY(eex_graph_add_flatten(g, &x, x, "flatten", true));
    EEX_TRY(eex_graph_add_linear(g, &x, x, "classifier", classes, true));
    return eex_graph_finish(g, x);
}

int eex_test_elastic_large(eex_graph **out, int classes)
{
    eex_graph *g;
    EEX_TRY(eex_graph_new(&g, "large", 32, 32, 3));
    int code = build_large(g, classes);
    if (code < 0)
        eex_graph_free(g);
    else
        *out = g;
    return code;
}

char *elastic_signature(const eex_graph *g)
{
    eex_buffer out = EEX_BUFFER_INIT;
    for (int i = 0; i < eex_graph_nodes(g); i++) {
        const eex_node *n = eex_graph_node(g, i);
        const eex_window *w = &n->window;
        eex_buffer_printf(&out, "%s %d %d %d %dx%dx%d %d %d %d %d %d %d %d %d %d\n", n->name,
                          (int)n->kind, n->inputs[0], n->inputs[1], n->h, n->w, n->c, w->cin,
                          w->cout, w->kernel, w->stride, w->pad, w->groups, n->zero_start, n->exit,
                          n->gene);
    }
    for (int i = 0; i < eex_graph_params(g); i++) {
        const eex_param *p = eex_graph_param(g, i);
        eex_buffer_printf(&out, "%s %d %d %d %d\n", p->name, p->shape[0], p->shape[1], p->shape[2],
                          p->shape[3]);
    }
    char *text = out.failed ? NULL : strdup(eex_buffer_text(&out));
    eex_buffer_free(&out);
    return text;
}
