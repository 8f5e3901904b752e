/* The network of a genome, and which parts of the largest network's parameters it has. */
#include "core/graph/graph_impl.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- deriving ---- */

typedef struct derivation {
    eex_graph *to;
    const eex_graph *from;
    const int *genome;
    int map[EEX_MAX_NODES]; /* of each node of `from`: the node of `to` that has its value */
} derivation;

static int choose(const derivation *d, int choice, int otherwise)
{
    const eex_choice *c = eex_graph_choice(d->from, choice);
    return c ? c->values[d->genome[c->gene]] : otherwise;
}

static int derive_node(derivation *d, int id)
{
    const eex_node *n = &d->from->nodes[id];
    if (!eex__node_present(n, d->genome)) {
        d->map[id] = d->map[n->inputs[0]];
        return EEX_OK;
    }
    eex_node like = *n;
    for (int j = 0; j < 2; j++)
        like.inputs[j] = n->inputs[j] >= 0 ? d->map[n->inputs[j]] : -1;
    like.window.kernel = choose(d, n->kernel_choice, n->window.kernel);
    if (n->kernel_choice >= 0)
        like.window.pad = (like.window.kernel - 1) / 2;
    like.window.cout = choose(d, n->out_choice, n->window.cout);
    if (eex__node_depthwise(n))
        like.window.cout = like.window.groups = d->to->nodes[like.inputs[0]].c;
    return eex__graph_add_like(d->to, &d->map[id], &like);
}

static int derive(derivation *d)
{
    const eex_graph *from = d->from;
    for (int i = 1; i < from->node_count; i++)
        EEX_TRY(derive_node(d, i));
    for (int k = 0; k < from->exit_count; k++) {
        const eex_exit *e = &from->exits[k];
        d->to->exits[d->to->exit_count++] =
            (eex_exit){.point = d->map[e->point], .blocks = e->blocks, .logits = d->map[e->logits]};
    }
    d->to->classes = from->classes;
    return eex__graph_freeze(d->to);
}

static int begin(derivation **out, const eex_graph *from, const int *genome)
{
    const eex_node *input = &from->nodes[0];
    const eex_gene *size = eex_graph_gene(from, from->size_gene);
    const int side = size ? (int)size->values[genome[from->size_gene]] : 0;
    derivation *d = calloc(1, sizeof *d);
    if (!d)
        return eex_fail(EEX_ENOMEM, "graph \"%s\": out of memory", from->name);
    d->from = from;
    d->genome = genome;
    int code =
        eex_graph_new(&d->to, from->name, side ? side : input->h, side ? side : input->w, input->c);
    if (code < 0) {
        free(d);
        return code;
    }
    *out = d;
    return EEX_OK;
}

int eex_graph_derive(eex_graph **out, int *value, const eex_graph *elastic, const int *genome)
{
    derivation *d = NULL;
    if (!elastic->finished)
        return eex_fail(EEX_EINVAL, "graph \"%s\" is not finished: nothing is derived from it",
                        elastic->name);
    EEX_TRY(eex_genome_check(elastic, genome));
    EEX_TRY(begin(&d, elastic, genome));
    int code = derive(d);
    if (code == EEX_OK) {
        *out = d->to;
        if (value)
            memcpy(value, d->map, (size_t)elastic->node_count * sizeof *value);
    } else {
        eex_graph_free(d->to);
    }
    free(d);
    return code;
}

/* ---- slices ---- */

static int find_param(const eex_graph *g, const char *name)
{
    for (int i = 0; i < g->param_count; i++)
        if (strcmp(g->params[i].name, name) == 0)
            return i;
    return -1;
}

/* The node that a parameter belongs to: of several that begin there the last, which has it. */
static const eex_node *owner(const eex_graph *g, int param)
{
    int i = g->node_count - 1;
    while (g->nodes[i].first_param > param)
        i--;
    return &g->nodes[i];
}

static int slice_kernel(eex_slice *out, const eex_graph *elastic, int kernel)
{
    const eex_node *n = owner(elastic, out->param);
    const eex_choice *choice = eex_graph_choice(elastic, n->kernel_choice);
    if (!choice)
        return kernel == n->window.kernel ? EEX_OK : EEX_EINVAL;
    int o = elastic->genes[choice->gene].options - 1;
    out->kernel[0] = choice->values[o];
    for (; o > 0 && choice->values[o] > kernel; o--) {
        out->transform[out->steps] = n->transforms ? n->first_param + n->params + out->steps : -1;
        out->kernel[++out->steps] = choice->values[o - 1];
    }
    return out->kernel[out->steps] == kernel ? EEX_OK : EEX_EINVAL;
}

int eex_graph_slice(eex_slice *out, const eex_graph *elastic, const eex_graph *derived, int i)
{
    const eex_param *p = eex_graph_param(derived, i);
    *out = (eex_slice){.param = find_param(elastic, p->name)};
    if (out->param < 0)
        return eex_fail(EEX_ENOTFOUND, "graph \"%s\" has no parameter \"%s\"", elastic->name,
                        p->name);
    const eex_param *whole = &elastic->params[out->param];
    bool fits = p->rank == whole->rank;
    for (int d = 0; d < p->rank && fits; d++)
        fits = p->shape[d] <= whole->shape[d];
    if (!fits || (p->rank == 4 && slice_kernel(out, elastic, p->shape[2]) < 0))
        return eex_fail(EEX_EINVAL, "\"%s\" is no part of what graph \"%s\" has by that name",
                        p->name, elastic->name);
    return EEX_OK;
}
