/* A plan of a part of a network is the whole lowered, of which the ops of the other part are left
 * out: so what passes the cut, and in which order, is the same for both parts, and their ops are
 * those of the whole. */
#include "core/plan/builder_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

int eex__plan_check_part(const eex_plan_options *o, const eex_graph *graph)
{
    const int exits = eex_graph_exits(graph);
    if ((unsigned)o->part.side > EEX_PLAN_REST)
        return eex_fail(EEX_EINVAL, "plan of %s: no part %d", eex_graph_name(graph),
                        (int)o->part.side);
    if (o->part.side == EEX_PLAN_WHOLE)
        return EEX_OK;
    if (o->mode != EEX_PLAN_INFER)
        return eex_fail(EEX_EINVAL, "plan of %s: parts are for inference alone",
                        eex_graph_name(graph));
    if (o->part.cut < 0 || o->part.cut >= exits - 1)
        return eex_fail(EEX_EINVAL, "plan of %s: cut behind exit %d, there are 0 to %d",
                        eex_graph_name(graph), o->part.cut, exits - 2);
    return EEX_OK;
}

/* ---- which parameters ---- */

/* What stands behind a cut has to know how what passes it was quantised: a few numbers. */
static void add_ranges(bool *reads, const eex_graph *graph)
{
    for (int i = 0; i < eex_graph_nodes(graph); i++) {
        const eex_node *n = eex_graph_node(graph, i);
        for (int j = 0; n->kind == EEX_NODE_QUANTISE && j < n->params; j++)
            reads[n->first_param + j] = true;
    }
}

int eex_plan_part_reads(bool *reads, const eex_graph *graph, eex_device *device, eex_plan_part part)
{
    EEX_NEED(reads, "place for which parameters are read");
    EEX_NEED(graph, "graph");
    EEX_NEED(device, "device");
    const eex_plan_options options = {.mode = EEX_PLAN_INFER, .batch = 1, .part = part};
    eex_params none = {.device = device, .graph = graph};
    eex_builder *b;
    EEX_TRY(eex__plan_check_part(&options, graph));
    EEX_TRY(eex__builder_new(&b, &options, graph, &none, eex__binding_for(&options)));
    memset(reads, 0, (size_t)eex_graph_params(graph) * sizeof *reads);
    const int code = eex__plan_part_mark(b);
    if (code == EEX_OK)
        eex__plan_part_find(b, part, reads);
    eex__builder_free(b);
    add_ranges(reads, graph);
    return code;
}

/* ---- leaving out ---- */

/* What only ops outside of [first, end) use gets no memory; what passes the cut is there from the
 * first op on, or until the last. */
static void keep_buffers(eex_plan *p, int first, int end)
{
    for (int i = 0; i < p->buffer_count; i++) {
        eex_slot *s = &p->buffers[i];
        if (s->first < 0 || (s->pinned && s->row_bytes))
            continue;
        if (s->last < first || s->first >= end) {
            s->first = s->last = -1;
            s->bytes = 0;
            continue;
        }
        s->first = (s->first > first ? s->first : first) - first;
        s->last = (s->last < end ? s->last : end - 1) - first;
    }
}

static bool is_out(const eex_plan *p, int buffer)
{
    return buffer >= 0 && p->buffers[buffer].bytes == 0;
}

static void keep_folds(eex_plan *p)
{
    int kept = 0;
    for (int i = 0; i < p->fold_count; i++)
        if (!is_out(p, p->folds[i].w))
            p->folds[kept++] = p->folds[i];
    p->fold_count = kept;
}

static void keep_values(eex_plan *p)
{
    for (int i = 0; i < eex_graph_nodes(p->graph); i++)
        if (is_out(p, p->value[i]))
            p->value[i] = -1;
}

static void keep_relocations(eex_builder *b, int first, int end)
{
    int kept = 0;
    for (int i = 0; i < b->relocation_count; i++) {
        eex_relocation r = b->relocations[i];
        if (r.op < first || r.op >= end)
            continue;
        r.op -= first;
        b->relocations[kept++] = r;
    }
    b->relocation_count = kept;
}

static void keep_ops(eex_plan *p, int first, int end)
{
    const size_t count = (size_t)(end - first);
    memmove(p->ops, p->ops + first, count * sizeof *p->ops);
    memmove(p->segment, p->segment + first, count * sizeof *p->segment);
    p->op_count = end - first;
}

/* What passes the cut itself is wanted on both sides. */
static void keep_exits(eex_plan *p, int first)
{
    const eex_plan_part part = p->options.part;
    for (int k = 0; k < eex_graph_exits(p->graph); k++) {
        eex_leaving *l = &p->leaving[k];
        if (eex__plan_in_part(part, k)) {
            p->head_op[k] -= first;
            p->gate[k] -= p->gate[k] >= 0 ? first : 0;
            continue;
        }
        p->head_op[k] = p->gate[k] = p->gathered[k] = -1;
        if (k != part.cut)
            l->passing_count = 0;
    }
}

/* Where parameters are missing, those of this part are not. */
static int check_held(const eex_builder *b)
{
    const int count = eex_graph_params(b->graph);
    if (!b->params->missing)
        return EEX_OK;
    bool *reads = calloc((size_t)count + 1, sizeof *reads);
    if (!reads)
        return eex_fail(EEX_ENOMEM, "plan: out of memory for %d parameters", count);
    eex__plan_part_find(b, b->options->part, reads);
    int i = 0;
    while (i < count && (!reads[i] || eex_params_has(b->params, i)))
        i++;
    free(reads);
    return i == count ? EEX_OK
                      : eex_fail(EEX_EINVAL,
                                 "plan of %s: it reads \"%s\", which is not there: only a part of "
                                 "the network is",
                                 eex_graph_name(b->graph), eex_graph_param(b->graph, i)->name);
}

int eex__plan_keep_part(eex_builder *b)
{
    eex_plan *p = b->plan;
    const eex_plan_part part = b->options->part;
    int first = 0, end = 0;
    EEX_TRY(check_held(b));
    if (part.side == EEX_PLAN_WHOLE)
        return EEX_OK;
    while (end < p->op_count && p->segment[end] <= part.cut)
        end++;
    if (part.side == EEX_PLAN_REST) {
        first = end;
        end = p->op_count;
    }
    keep_buffers(p, first, end);
    keep_folds(p);
    keep_values(p);
    keep_relocations(b, first, end);
    keep_ops(p, first, end);
    keep_exits(p, first);
    return EEX_OK;
}
