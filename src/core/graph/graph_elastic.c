/* Genes of a graph, what depends on them, and genomes. */
#include "core/graph/graph_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

EEX_NAMES(
    eex_gene_kind, eex_gene_kind,
    EEX_GENE_KINDS, [EEX_GENE_KERNEL] = "kernel", [EEX_GENE_EXPANSION] = "expansion",
    [EEX_GENE_DEPTH] = "depth", [EEX_GENE_WIDTH] = "width", [EEX_GENE_RESOLUTION] = "resolution");

/* ---- genes ---- */

static int check_gene(const eex_graph *g, const eex_gene *gene)
{
    if (g->finished)
        return eex_fail(EEX_EINVAL, "graph \"%s\" is finished: gene \"%s\" cannot be added",
                        g->name, gene->name);
    if (!*gene->name || gene->name[strspn(gene->name, EEX__NAME_CHARACTERS)])
        return eex_fail(EEX_EINVAL,
                        "gene \"%s\": names have letters, digits, '.', '_' and '-', and are not "
                        "empty",
                        gene->name);
    for (int i = 0; i < g->gene_count; i++)
        if (strcmp(g->genes[i].name, gene->name) == 0)
            return eex_fail(EEX_EINVAL, "graph \"%s\" has a gene \"%s\" already", g->name,
                            gene->name);
    if (g->gene_count == EEX_GENES)
        return eex_fail(EEX_EINVAL, "graph \"%s\" has more than %d genes", g->name, EEX_GENES);
    if ((unsigned)gene->kind >= EEX_GENE_KINDS || gene->options < 1 ||
        gene->options > EEX_GENE_OPTIONS)
        return eex_fail(EEX_EINVAL, "gene \"%s\": %d options, 1 to %d are possible", gene->name,
                        gene->options, EEX_GENE_OPTIONS);
    for (int o = 0; o < gene->options; o++)
        if (!isfinite(gene->values[o]) || (o && gene->values[o] <= gene->values[o - 1]))
            return eex_fail(EEX_EINVAL, "gene \"%s\": values must ascend, %g does not", gene->name,
                            gene->values[o]);
    return EEX_OK;
}

int eex_graph_add_gene(eex_graph *g, int *out, const eex_gene *gene)
{
    EEX_TRY(check_gene(g, gene));
    eex_gene *genes = eex__graph_grown(g->genes, &g->gene_capacity, g->gene_count, sizeof *genes);
    if (!genes)
        return EEX_ENOMEM;
    g->genes = genes;
    genes[g->gene_count] = *gene;
    *out = g->gene_count++;
    return EEX_OK;
}

int eex__graph_add_choice(eex_graph *g, int *out, const eex_choice *choice)
{
    for (int i = 0; i < g->choice_count; i++)
        if (memcmp(&g->choices[i], choice, sizeof *choice) == 0) {
            *out = i;
            return EEX_OK;
        }
    eex_choice *choices =
        eex__graph_grown(g->choices, &g->choice_capacity, g->choice_count, sizeof *choices);
    if (!choices)
        return EEX_ENOMEM;
    g->choices = choices;
    choices[g->choice_count] = *choice;
    *out = g->choice_count++;
    return EEX_OK;
}

/* ---- what depends on them ---- */

static int check_use(const eex_graph *g, int node, int gene, const char *what)
{
    if (g->finished)
        return eex_fail(EEX_EINVAL, "graph \"%s\" is finished: no %s can be chosen", g->name, what);
    if (gene < 0 || gene >= g->gene_count)
        return eex_fail(EEX_EINVAL, "graph \"%s\" has no gene %d to choose a %s by", g->name, gene,
                        what);
    if (node < 0 || node >= g->node_count)
        return eex_fail(EEX_EINVAL, "graph \"%s\" has no value %d", g->name, node);
    return EEX_OK;
}

/* Values for all options: ascending to what the node has. `step`: the least from one to the next.
 */
static int read_choice(eex_choice *out, const eex_graph *g, int node, int gene, const int *values,
                       const char *what, int largest, int step)
{
    const eex_node *n = &g->nodes[node];
    const int options = g->genes[gene].options;
    *out = (eex_choice){.gene = gene};
    for (int o = 0; o < options; o++) {
        if (values[o] < (o ? values[o - 1] + step : 1))
            return eex_fail(EEX_EINVAL,
                            "\"%s\": %ss to choose from must ascend from 1, %d does not", n->name,
                            what, values[o]);
        out->values[o] = values[o];
    }
    if (values[options - 1] != largest)
        return eex_fail(EEX_EINVAL,
                        "\"%s\": the last %s to choose is %d, but the node is the largest and has "
                        "%d",
                        n->name, what, values[options - 1], largest);
    return EEX_OK;
}

int eex_graph_choose_out(eex_graph *g, int node, int gene, const int *values)
{
    eex_choice choice;
    EEX_TRY(check_use(g, node, gene, "number of channels"));
    const eex_node *n = &g->nodes[node];
    if (n->kind != EEX_NODE_CONV || n->window.groups != 1)
        return eex_fail(EEX_EINVAL,
                        "\"%s\": only dense convolutions choose their channels, all others follow",
                        n->name);
    EEX_TRY(read_choice(&choice, g, node, gene, values, "number of channels", n->c, 0));
    return eex__graph_add_choice(g, &g->nodes[node].out_choice, &choice);
}

static int check_kernel(const eex_graph *g, int node, int gene, const int *values, bool transforms)
{
    const eex_node *n = &g->nodes[node];
    const int options = g->genes[gene].options;
    if (n->kind != EEX_NODE_CONV || n->window.kernel % 2 == 0 ||
        n->window.pad != (n->window.kernel - 1) / 2)
        return eex_fail(EEX_EINVAL,
                        "\"%s\": kernels are chosen for convolutions with an odd one and a pad of "
                        "half of it",
                        n->name);
    for (int o = 0; o < options; o++)
        if (values[o] % 2 == 0)
            return eex_fail(EEX_EINVAL, "\"%s\": a kernel of %d has no centre: odd ones have",
                            n->name, values[o]);
    if (transforms && (node != g->node_count - 1 || n->transforms))
        return eex_fail(EEX_EINVAL, "\"%s\": transforms are for the node that was added last",
                        n->name);
    if (options - 1 > EEX_SLICE_STEPS)
        return eex_fail(EEX_EINVAL, "\"%s\": %d kernels to choose from, at most %d are possible",
                        n->name, options, EEX_SLICE_STEPS + 1);
    return EEX_OK;
}

int eex_graph_choose_kernel(eex_graph *g, int node, int gene, const int *values, bool transforms)
{
    eex_choice choice;
    int number = -1;
    EEX_TRY(check_use(g, node, gene, "kernel"));
    EEX_TRY(check_kernel(g, node, gene, values, transforms));
    EEX_TRY(read_choice(&choice, g, node, gene, values, "kernel", g->nodes[node].window.kernel, 2));
    EEX_TRY(eex__graph_add_choice(g, &number, &choice));
    eex_node *n = &g->nodes[node];
    n->kernel_choice = number;
    if (!transforms)
        return EEX_OK;
    n->transforms = g->genes[gene].options - 1;
    const int before = g->param_count, code = eex__graph_add_transforms(g, n);
    if (code < 0) {
        g->param_count = before;
        n->kernel_choice = -1;
        n->transforms = 0;
    }
    return code;
}

int eex_graph_choose_size(eex_graph *g, int gene)
{
    EEX_TRY(check_use(g, 0, gene, "size"));
    const eex_gene *of = &g->genes[gene];
    const eex_node *input = &g->nodes[0];
    for (int o = 0; o < of->options; o++)
        if (of->values[o] < 1 || of->values[o] != floor(of->values[o]))
            return eex_fail(EEX_EINVAL, "gene \"%s\": images cannot have %g pixels a side",
                            of->name, of->values[o]);
    if (input->h != input->w || of->values[of->options - 1] != input->h)
        return eex_fail(EEX_EINVAL,
                        "gene \"%s\": the largest size is %g, but the graph is for images of %d x "
                        "%d",
                        of->name, of->values[of->options - 1], input->h, input->w);
    g->size_gene = gene;
    return EEX_OK;
}

int eex_graph_present(eex_graph *g, int gene, int from)
{
    if (gene >= 0)
        EEX_TRY(check_use(g, 0, gene, "depth"));
    if (gene < -1 || (gene >= 0 && (from < 0 || from >= g->genes[gene].options)))
        return eex_fail(EEX_EINVAL, "graph \"%s\": nodes cannot be there from option %d of gene %d",
                        g->name, from, gene);
    g->gene = gene;
    g->from = gene < 0 ? 0 : from;
    return EEX_OK;
}

int eex__graph_copy_genes(eex_graph *to, const eex_graph *from)
{
    int number;
    for (int i = 0; i < from->gene_count; i++)
        EEX_TRY(eex_graph_add_gene(to, &number, &from->genes[i]));
    for (int i = 0; i < from->choice_count; i++)
        EEX_TRY(eex__graph_add_choice(to, &number, &from->choices[i]));
    to->size_gene = from->size_gene;
    return EEX_OK;
}

int eex__graph_channels(const eex_graph *g, int node)
{
    for (int i = node; i > 0; i = g->nodes[i].inputs[0]) {
        const eex_node *n = &g->nodes[i];
        if (n->kind == EEX_NODE_LINEAR || n->kind == EEX_NODE_CONCAT ||
            n->kind == EEX_NODE_DEPTH_TO_SPACE || n->kind == EEX_NODE_QUANTISE)
            return -1;
        if (n->kind == EEX_NODE_CONV && n->window.groups == 1)
            return n->out_choice;
    }
    return -1;
}

/* ---- looking ---- */

int eex_graph_genes(const eex_graph *g)
{
    return g->gene_count;
}

const eex_gene *eex_graph_gene(const eex_graph *g, int i)
{
    return i >= 0 && i < g->gene_count ? &g->genes[i] : NULL;
}

const eex_choice *eex_graph_choice(const eex_graph *g, int i)
{
    return i >= 0 && i < g->choice_count ? &g->choices[i] : NULL;
}

int eex_graph_size_gene(const eex_graph *g)
{
    return g->size_gene;
}
