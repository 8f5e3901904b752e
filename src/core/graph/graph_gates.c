/* Gates on a backbone, and cutting a network after one of its exits. */
#include "core/graph/graph_impl.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A copy in the making: `map` gives each node of `from` its id in `to`. */
typedef struct copy {
    eex_graph *to;
    const eex_graph *from;
    int map[EEX_MAX_NODES];
} copy;

static int copy_begin(copy **out, const eex_graph *from)
{
    copy *c = calloc(1, sizeof *c);
    if (!c)
        return eex_fail(EEX_ENOMEM, "graph \"%s\": out of memory", from->name);
    const eex_node *input = &from->nodes[0];
    int code = eex_graph_new(&c->to, from->name, input->h, input->w, input->c);
    if (code < 0) {
        free(c);
        return code;
    }
    c->from = from;
    c->to->classes = from->classes;
    code = eex__graph_copy_genes(c->to, from);
    if (code < 0) {
        eex_graph_free(c->to);
        free(c);
        return code;
    }
    *out = c;
    return EEX_OK;
}

/* Ends the copy: hands the graph over when everything worked. */
static int copy_end(eex_graph **out, copy *c, int code)
{
    if (code == EEX_OK)
        code = eex__graph_freeze(c->to);
    if (code == EEX_OK)
        *out = c->to;
    else
        eex_graph_free(c->to);
    free(c);
    return code;
}

static int copy_node(copy *c, int id)
{
    if (id == 0) /* eex_graph_new has made the input */
        return EEX_OK;
    eex_node n = c->from->nodes[id];
    for (int j = 0; j < 2; j++)
        if (n.inputs[j] >= 0)
            n.inputs[j] = c->map[n.inputs[j]];
    return eex__graph_append(c->to, &c->map[id], &n);
}

/* ---- gates ---- */

/* Nodes belong to the exit that g->exit says. */
static int add_gate(copy *c, const eex_gate *gate, eex_act act)
{
    eex_graph *g = c->to;
    char name[EEX_NAME_MAX];
    const int point = c->map[gate->point];
    memcpy(name, g->nodes[point].name, sizeof name); /* adding nodes moves the array */
    memcpy(g->block, g->nodes[point].block, sizeof g->block);
    g->exit = g->exit_count;
    EEX_TRY(gate->family == EEX_GATE_EEC ? eex__gate_eec(g, point, name)
                                         : eex__gate_blocks(g, point, name, gate, act));
    g->exit = EEX_TRUNK;
    return EEX_OK;
}

static int check_gate(const eex_graph *g, const eex_gate *gate)
{
    if (!eex_graph_gateable(g, gate->point)) {
        const eex_node *n = eex_graph_node(g, gate->point);
        return eex_fail(EEX_EINVAL,
                        "graph \"%s\": a gate cannot read node %d (%s): it needs a feature map in "
                        "front of the classifier",
                        g->name, gate->point, n ? n->name : "no such node");
    }
    if (gate->blocks < 0 || gate->blocks > 63)
        return eex_fail(EEX_EINVAL, "a gate on \"%s\": blocks must be within 0..63, not %d",
                        g->nodes[gate->point].name, gate->blocks);
    if ((unsigned)gate->family >= EEX_GATE_FAMILIES ||
        (gate->family == EEX_GATE_EEC &&
         (gate->blocks != 1 || (gate->nested && gate->heads & ~UINT64_C(2)))))
        return eex_fail(EEX_EINVAL,
                        "a gate on \"%s\": an early exit classifier is one block, not %d",
                        g->nodes[gate->point].name, gate->blocks);
    if (gate->nested && gate->blocks < 63 && gate->heads >> (gate->blocks + 1))
        return eex_fail(EEX_EINVAL, "a gate on \"%s\" of %d blocks has heads after more than that",
                        g->nodes[gate->point].name, gate->blocks);
    return EEX_OK;
}

static int compare_gates(const void *a, const void *b)
{
    const eex_gate *x = a, *y = b;
    return (x->point > y->point) - (x->point < y->point);
}

/* Checks the gates and gives them back sorted by point; *out belongs to the caller. */
static int sort_gates(eex_gate **out, const eex_graph *g, const eex_gate *gates, int count)
{
    int exits = 1;
    if (!g->finished || g->exit_count != 1)
        return eex_fail(EEX_EINVAL, "graph \"%s\" %s: gates go on a finished backbone", g->name,
                        g->finished ? "carries gates already" : "is not finished");
    for (int i = 0; i < count; i++) {
        EEX_TRY(check_gate(g, &gates[i]));
        for (int j = 0; j <= gates[i].blocks; j++)
            exits += eex__gate_has_head(&gates[i], j);
        if (exits > EEX_MAX_EXITS)
            return eex_fail(EEX_EINVAL, "graph \"%s\": more than %d exits", g->name, EEX_MAX_EXITS);
    }
    eex_gate *sorted = malloc(((size_t)count + 1) * sizeof *sorted);
    if (!sorted)
        return eex_fail(EEX_ENOMEM, "graph \"%s\": out of memory", g->name);
    if (count)
        memcpy(sorted, gates, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, compare_gates);
    for (int i = 1; i < count; i++) {
        if (sorted[i].point == sorted[i - 1].point) {
            int point = sorted[i].point;
            free(sorted);
            return eex_fail(EEX_EINVAL, "graph \"%s\": two gates on \"%s\"", g->name,
                            g->nodes[point].name);
        }
    }
    *out = sorted;
    return EEX_OK;
}

static int copy_with_gates(copy *c, const eex_gate *gates, int count, eex_act act)
{
    for (int i = 0; i < c->from->node_count; i++) {
        EEX_TRY(copy_node(c, i));
        if (count > 0 && gates->point == i) {
            EEX_TRY(add_gate(c, gates, act));
            gates++;
            count--;
        }
    }
    int end = c->map[c->from->exits[0].logits];
    c->to->exits[c->to->exit_count++] = (eex_exit){.point = end, .blocks = -1, .logits = end};
    return EEX_OK;
}

int eex_graph_with_gates(eex_graph **out, const eex_graph *backbone, const eex_gate *gates,
                         int count, eex_act act)
{
    EEX_NEED(out, "place for the graph");
    EEX_NEED(backbone, "backbone");
    if (count < 0 || (count > 0 && !gates))
        return eex_fail(EEX_EINVAL, "graph \"%s\": %d gates%s", backbone->name, count,
                        gates ? "" : " (NULL)");
    if ((unsigned)act >= EEX_ACTS)
        return eex_fail(EEX_EINVAL, "graph \"%s\": gates with activation %d, expected 0 to %d",
                        backbone->name, (int)act, EEX_ACTS - 1);
    eex_gate *sorted = NULL;
    copy *c = NULL;
    EEX_TRY(sort_gates(&sorted, backbone, gates, count));
    int code = copy_begin(&c, backbone);
    if (code == EEX_OK)
        code = copy_end(out, c, copy_with_gates(c, sorted, count, act));
    free(sorted);
    return code;
}

/* ---- cutting ---- */

/* A block that gates share belongs to the first exit that needs it, so kept nodes are handed to
 * the first kept exit that does. */
static int copy_selected(copy *c, const int *exits, int count)
{
    eex_node_set kept = {0};
    int owner[EEX_MAX_NODES];
    for (int k = 0; k < count; k++) {
        eex_node_set above = {0};
        eex_graph_ancestors(&above, c->from, c->from->exits[exits[k]].logits);
        for (int i = 0; i < c->from->node_count; i++)
            if (eex_node_set_has(&above, i) && !eex_node_set_has(&kept, i)) {
                eex_node_set_add(&kept, i);
                owner[i] = k;
            }
    }
    for (int i = 0; i < c->from->node_count; i++) {
        if (!eex_node_set_has(&kept, i))
            continue;
        EEX_TRY(copy_node(c, i));
        eex_node *copied = &c->to->nodes[c->map[i]];
        if (copied->exit != EEX_TRUNK)
            copied->exit = owner[i];
    }
    for (int k = 0; k < count; k++) {
        const eex_exit *e = &c->from->exits[exits[k]];
        c->to->exits[c->to->exit_count++] =
            (eex_exit){.point = c->map[e->point], .blocks = e->blocks, .logits = c->map[e->logits]};
    }
    return EEX_OK;
}

int eex_graph_select(eex_graph **out, const eex_graph *graph, const int *exits, int count)
{
    EEX_NEED(out, "place for the graph");
    EEX_NEED(graph, "graph");
    EEX_NEED(exits, "exits");
    copy *c = NULL;
    if (count < 1 || count > graph->exit_count)
        return eex_fail(EEX_EINVAL, "graph \"%s\" has %d exits, %d cannot be kept", graph->name,
                        graph->exit_count, count);
    for (int k = 0; k < count; k++)
        if (exits[k] < 0 || exits[k] >= graph->exit_count || (k && exits[k] <= exits[k - 1]))
            return eex_fail(EEX_EINVAL,
                            "graph \"%s\" has exits 0..%d, in that order: %d cannot be kept there",
                            graph->name, graph->exit_count - 1, exits[k]);
    EEX_TRY(copy_begin(&c, graph));
    return copy_end(out, c, copy_selected(c, exits, count));
}

int eex_graph_cut(eex_graph **out, const eex_graph *graph, int exit)
{
    EEX_NEED(out, "place for the graph");
    EEX_NEED(graph, "graph");
    int all[EEX_MAX_EXITS];
    if (exit < 0 || exit >= graph->exit_count)
        return eex_fail(EEX_EINVAL, "graph \"%s\" has exits 0..%d, no %d", graph->name,
                        graph->exit_count - 1, exit);
    for (int k = 0; k <= exit; k++)
        all[k] = k;
    return eex_graph_select(out, graph, all, exit + 1);
}
