/* Genomes of elastic graphs: values, canonical form, and whether all their shapes fit. */
#include "core/graph/graph_impl.h"

#include "base/buffer.h"
#include "base/status.h"

#include <stdio.h>
#include <string.h>

int eex_genome_check(const eex_graph *g, const int *genome)
{
    for (int i = 0; i < g->gene_count; i++)
        if (genome[i] < 0 || genome[i] >= g->genes[i].options)
            return eex_fail(EEX_EINVAL, "gene \"%s\" has options 0..%d, not %d", g->genes[i].name,
                            g->genes[i].options - 1, genome[i]);
    return EEX_OK;
}

static int no_value(const eex_gene *gene, double value)
{
    char known[256] = "";
    size_t at = 0;
    for (int o = 0; o < gene->options && at + 16 < sizeof known; o++)
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%g",
                               o == 0                   ? ""
                               : o == gene->options - 1 ? " and "
                                                        : ", ",
                               gene->values[o]);
    return eex_fail(EEX_EINVAL, "gene \"%s\" (%s) has no value %g: there %s %s", gene->name,
                    eex_gene_kind_name(gene->kind), value, gene->options == 1 ? "is" : "are",
                    known);
}

int eex_genome_of_values(int *genome, const eex_graph *g, const double *values, int count)
{
    if (count != g->gene_count)
        return eex_fail(EEX_EINVAL, "graph \"%s\" has %d genes, not %d", g->name, g->gene_count,
                        count);
    for (int i = 0; i < count; i++) {
        const eex_gene *gene = &g->genes[i];
        int o = 0;
        while (o < gene->options && gene->values[o] != values[i])
            o++;
        if (o == gene->options)
            return no_value(gene, values[i]);
        genome[i] = o;
    }
    return EEX_OK;
}

void eex_genome_smallest(const eex_graph *g, int *genome)
{
    memset(genome, 0, (size_t)g->gene_count * sizeof *genome);
}

void eex_genome_largest(const eex_graph *g, int *genome)
{
    for (int i = 0; i < g->gene_count; i++)
        genome[i] = g->genes[i].options - 1;
}

/* ---- canonical form ---- */

bool eex__node_present(const eex_node *n, const int *genome)
{
    return n->gene < 0 || genome[n->gene] >= n->from;
}

static bool same_choice(const eex_graph *g, int choice, int gene, int a, int b)
{
    return choice < 0 || g->choices[choice].gene != gene ||
           g->choices[choice].values[a] == g->choices[choice].values[b];
}

/* Whether two options of a gene give one network, the other genes being what they are. */
static bool same_network(const eex_graph *g, const int *genome, int gene, int a, int b)
{
    if (g->size_gene == gene)
        return a == b;
    for (int i = 0; i < g->node_count; i++) {
        const eex_node *n = &g->nodes[i];
        if (n->gene == gene && (a >= n->from) != (b >= n->from))
            return false;
        if (eex__node_present(n, genome) && (!same_choice(g, n->out_choice, gene, a, b) ||
                                             !same_choice(g, n->kernel_choice, gene, a, b)))
            return false;
    }
    return true;
}

int eex_genome_canonical(const eex_graph *g, int *genome)
{
    EEX_TRY(eex_genome_check(g, genome));
    for (int i = 0; i < g->gene_count; i++) {
        int o = 0;
        while (!same_network(g, genome, i, o, genome[i]))
            o++;
        genome[i] = o;
    }
    return EEX_OK;
}

/* ---- whether all fits ---- */

typedef struct shape {
    int h, w, c;
} shape;

typedef struct fitting {
    const eex_graph *g;
    const int *genome;
    shape of[EEX_MAX_NODES];
} fitting;

static int misfit(const eex_node *n, const char *why, shape a, shape b)
{
    return eex_fail(EEX_EINVAL, "%s \"%s\" %s: %d x %d x %d and %d x %d x %d",
                    eex_node_kind_name(n->kind), n->name, why, a.h, a.w, a.c, b.h, b.w, b.c);
}

static int choose(const fitting *f, int choice, int otherwise)
{
    const eex_choice *c = eex_graph_choice(f->g, choice);
    return c ? c->values[f->genome[c->gene]] : otherwise;
}

static int fit_window(const fitting *f, const eex_node *n, shape *s)
{
    const eex_window *w = &n->window;
    const int kernel = choose(f, n->kernel_choice, w->kernel);
    const int pad = n->kernel_choice < 0 ? w->pad : (kernel - 1) / 2;
    if (s->h + 2 * pad < kernel || s->w + 2 * pad < kernel)
        return misfit(n, "has a window that is larger than the image", (shape){kernel, kernel, 0},
                      *s);
    s->h = (s->h + 2 * pad - kernel) / w->stride + 1;
    s->w = (s->w + 2 * pad - kernel) / w->stride + 1;
    if (n->kind != EEX_NODE_MAX_POOL && w->groups == 1)
        s->c = choose(f, n->out_choice, w->cout);
    return EEX_OK;
}

/* Two operands. What a concatenation has of the second must begin at the same channel always. */
static int fit_pair(const fitting *f, const eex_node *n, shape *s, shape other)
{
    const bool scale = n->kind == EEX_NODE_SCALE, concat = n->kind == EEX_NODE_CONCAT;
    const eex_node *first = &f->g->nodes[n->inputs[0]];
    const shape want = {scale ? 1 : s->h, scale ? 1 : s->w, concat ? other.c : s->c};
    if (other.h != want.h || other.w != want.w || other.c != want.c)
        return misfit(n, "reads what does not go together", *s, other);
    if (concat && s->c != first->c)
        return misfit(n, "reads a first operand whose channels depend on a gene", *s, other);
    s->c += concat ? other.c : 0;
    return EEX_OK;
}

/* What has one shape alone. */
static int fit_fixed(const fitting *f, const eex_node *n, shape *s)
{
    const eex_node *in = &f->g->nodes[n->inputs[0]];
    if (s->h != in->h || s->w != in->w || s->c != in->c)
        return misfit(n, "reads what depends on a gene", *s, (shape){in->h, in->w, in->c});
    *s = (shape){n->h, n->w, n->c};
    return EEX_OK;
}

static int fit_node(fitting *f, int id)
{
    const eex_node *n = &f->g->nodes[id];
    shape *s = &f->of[id];
    *s = f->of[n->inputs[0]];
    if (!eex__node_present(n, f->genome))
        return EEX_OK;
    switch (n->kind) {
    case EEX_NODE_CONV:
    case EEX_NODE_LINEAR:
    case EEX_NODE_MAX_POOL:
        return fit_window(f, n, s);
    case EEX_NODE_ADD:
    case EEX_NODE_SCALE:
    case EEX_NODE_CONCAT:
        return fit_pair(f, n, s, f->of[n->inputs[1]]);
    case EEX_NODE_DEPTH_TO_SPACE:
    case EEX_NODE_QUANTISE:
        return fit_fixed(f, n, s);
    case EEX_NODE_GLOBAL_POOL:
        s->h = s->w = 1;
        return EEX_OK;
    case EEX_NODE_FLATTEN: {
        const eex_node *in = &f->g->nodes[n->inputs[0]];
        if (s->h != in->h || s->w != in->w)
            return misfit(n, "reads images of several sizes (pool them first)", *s,
                          (shape){in->h, in->w, in->c});
        *s = (shape){1, 1, s->h * s->w * s->c};
        return EEX_OK;
    }
    default:
        return EEX_OK;
    }
}

static int fit(fitting *f)
{
    const eex_graph *g = f->g;
    const eex_node *input = &g->nodes[0];
    const int side =
        g->size_gene < 0 ? 0 : (int)g->genes[g->size_gene].values[f->genome[g->size_gene]];
    f->of[0] = (shape){side ? side : input->h, side ? side : input->w, input->c};
    for (int i = 1; i < g->node_count; i++)
        EEX_TRY(fit_node(f, i));
    return EEX_OK;
}

/* Each option of each gene, the others all at their smallest or all at their largest. */
int eex__genomes_check(const eex_graph *g)
{
    int genome[EEX_GENES];
    fitting f = {.g = g, .genome = genome};
    for (int turn = 0; turn < 2 && g->gene_count; turn++)
        for (int i = 0; i < g->gene_count; i++)
            for (int o = 0; o < g->genes[i].options; o++) {
                (turn ? eex_genome_largest : eex_genome_smallest)(g, genome);
                genome[i] = o;
                const int code = fit(&f);
                if (code < 0)
                    return eex_fail_in(
                        code, "graph \"%s\", gene \"%s\" with %g, others at their %s", g->name,
                        g->genes[i].name, g->genes[i].values[o], turn ? "largest" : "smallest");
            }
    return EEX_OK;
}
