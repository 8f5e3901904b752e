#include "core/plan/passing.h"
#include "core/plan/plan_impl.h"

#include "base/status.h"

#include <stdlib.h>

/* ---- finding it ---- */

/* A per-sample value that was computed by op `at` and is read by a later one. */
static bool survives(const eex_slot *b, int at)
{
    return b->row_bytes && !b->pinned && b->first >= 0 && b->first <= at && b->last > at;
}

/* The node that computes what is in a buffer: those that change nothing (flatten) come later. */
static int node_of(const eex_plan *p, int buffer)
{
    int i = 0;
    while (i < eex_graph_nodes(p->graph) && p->value[i] != buffer)
        i++;
    return i;
}

static int describe(eex_passing *out, const eex_plan *p, int buffer)
{
    const int node = node_of(p, buffer);
    if (node == eex_graph_nodes(p->graph))
        return eex_fail(EEX_EUNSUPPORTED, "plan of %s: what no node computes passes an exit",
                        eex_graph_name(p->graph));
    const eex_node *n = eex_graph_node(p->graph, node);
    *out = (eex_passing){
        .node = node, .h = n->h, .w = n->w, .c = n->c, .row_bytes = p->buffers[buffer].row_bytes};
    return EEX_OK;
}

static int find_at(eex_plan *p, int k)
{
    eex_leaving *l = &p->leaving[k];
    int count = 0;
    for (int i = 0; i < p->buffer_count; i++)
        count += survives(&p->buffers[i], p->head_op[k]);
    l->passing = calloc((size_t)count + 1, sizeof *l->passing);
    l->buffer = calloc((size_t)count + 1, sizeof *l->buffer);
    if (!l->passing || !l->buffer)
        return eex_fail(EEX_ENOMEM, "plan: out of memory for %d values that pass exit %d", count,
                        k);
    for (int i = 0; i < p->buffer_count; i++) {
        if (!survives(&p->buffers[i], p->head_op[k]))
            continue;
        EEX_TRY(describe(&l->passing[l->passing_count], p, i));
        l->buffer[l->passing_count++] = i;
    }
    return EEX_OK;
}

int eex__plan_find_passing(eex_plan *p)
{
    for (int k = 0; k < eex_graph_exits(p->graph); k++)
        EEX_TRY(find_at(p, k));
    return EEX_OK;
}

/* ---- using it ---- */

int eex_plan_passing(const eex_plan *p, int exit, const eex_passing **values)
{
    if (p->options.mode != EEX_PLAN_INFER || exit < 0 || exit >= eex_graph_exits(p->graph))
        return eex_fail(EEX_EINVAL,
                        "plan of %s: nothing passes exit %d: it infers, and has 0 to %d",
                        eex_graph_name(p->graph), exit, eex_graph_exits(p->graph) - 1);
    *values = p->leaving[exit].passing;
    return p->leaving[exit].passing_count;
}

/* The buffer of the i-th value, when so many rows of it are there. */
static int find(const eex_plan *p, int exit, int i, int batch)
{
    const eex_passing *values;
    const int count = eex_plan_passing(p, exit, &values);
    EEX_TRY(count);
    if (i < 0 || i >= count || batch < 1 || batch > p->options.batch)
        return eex_fail(EEX_EINVAL,
                        "plan of %s: %d rows of value %d at exit %d: it has rows for %d, and %d "
                        "values pass",
                        eex_graph_name(p->graph), batch, i, exit, p->options.batch, count);
    return p->leaving[exit].buffer[i];
}

int eex_plan_passing_get(const eex_plan *p, int exit, int i, void *rows, int batch)
{
    const int buffer = find(p, exit, i, batch);
    EEX_TRY(buffer);
    return p->device->vtable->download(p->device, rows, eex__plan_address(p, buffer),
                                       (size_t)batch * p->buffers[buffer].row_bytes);
}

int eex_plan_passing_put(eex_plan *p, int exit, int i, const void *rows, int batch)
{
    const int buffer = find(p, exit, i, batch);
    EEX_TRY(buffer);
    return p->device->vtable->upload(p->device, eex__plan_address(p, buffer), rows,
                                     (size_t)batch * p->buffers[buffer].row_bytes);
}
