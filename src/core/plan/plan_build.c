/* The parts every lowering pass uses: ops, buffers, relocations, and which nodes are needed. */
#include "core/plan/plan_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { EEX_ALIGN = 64 };

static int grow(void **items, int count, int *capacity, size_t size)
{
    if (count < *capacity)
        return EEX_OK;
    int larger = *capacity ? 2 * *capacity : 64;
    void *moved = realloc(*items, (size_t)larger * size);
    if (!moved)
        return eex_fail(EEX_ENOMEM, "plan: out of memory for %d entries", larger);
    *items = moved;
    *capacity = larger;
    return EEX_OK;
}

int eex__plan_buffer(eex_plan *p, int *out, size_t row_bytes, size_t fixed, bool pinned)
{
    EEX_TRY(grow((void **)&p->buffers, p->buffer_count, &p->buffer_capacity, sizeof *p->buffers));
    size_t bytes = row_bytes * (size_t)p->options.batch + fixed;
    p->buffers[p->buffer_count] = (eex_slot){
        .bytes = (bytes + EEX_ALIGN - 1) / EEX_ALIGN * EEX_ALIGN,
        .row_bytes = row_bytes,
        .first = -1,
        .last = -1,
        .pinned = pinned,
    };
    *out = p->buffer_count++;
    return EEX_OK;
}

int eex__plan_op(eex_plan *p, eex_op **out, eex_op_kind kind, const char *name, int segment)
{
    int capacity = p->op_capacity;
    EEX_TRY(grow((void **)&p->ops, p->op_count, &p->op_capacity, sizeof *p->ops));
    if (capacity != p->op_capacity || !p->segment) {
        int *segments = realloc(p->segment, (size_t)p->op_capacity * sizeof *segments);
        if (!segments)
            return eex_fail(EEX_ENOMEM, "plan: out of memory for %d ops", p->op_capacity);
        p->segment = segments;
    }
    p->segment[p->op_count] = segment;
    eex_op *op = &p->ops[p->op_count++];
    memset(op, 0, sizeof *op);
    op->kind = kind;
    op->precision = p->options.precision;
    op->name = name;
    *out = op;
    return EEX_OK;
}

int eex__plan_point_at(eex_plan *p, const void *field, int buffer, size_t addend)
{
    EEX_TRY(grow((void **)&p->relocations, p->relocation_count, &p->relocation_capacity,
                 sizeof *p->relocations));
    int op = p->op_count - 1;
    size_t offset = (size_t)((const char *)field - (const char *)&p->ops[op]);
    p->relocations[p->relocation_count++] = (eex_relocation){op, offset, buffer, addend};
    eex_slot *b = &p->buffers[buffer];
    if (b->first < 0)
        b->first = op;
    b->last = op;
    return EEX_OK;
}

int eex__plan_point(eex_plan *p, const void *field, int buffer)
{
    return eex__plan_point_at(p, field, buffer, 0);
}

void *eex__plan_address(const eex_plan *p, int buffer)
{
    return p->arena + p->buffers[buffer].offset;
}

static void need(eex_plan *p, int node)
{
    if (node < 0 || p->needed[node])
        return;
    p->needed[node] = true;
    const eex_node *n = eex_graph_node(p->graph, node);
    if (eex__plan_takes(p, n))
        return; /* an input of the plan */
    need(p, n->inputs[0]);
    need(p, n->inputs[1]);
}

int eex__plan_mark(eex_plan *p, const bool *wanted_exit)
{
    int nodes = eex_graph_nodes(p->graph);
    p->needed = calloc((size_t)nodes, sizeof *p->needed);
    p->value = malloc((size_t)nodes * sizeof *p->value);
    p->grad = malloc((size_t)nodes * sizeof *p->grad);
    p->consumers = calloc((size_t)nodes, sizeof *p->consumers);
    p->fused = malloc((size_t)nodes * sizeof *p->fused);
    p->start = malloc((size_t)nodes * sizeof *p->start);
    p->chain = calloc((size_t)nodes, sizeof *p->chain);
    p->stats = malloc((size_t)nodes * sizeof *p->stats);
    p->saved = malloc((size_t)nodes * sizeof *p->saved);
    p->learns = calloc((size_t)nodes, sizeof *p->learns);
    if (!p->needed || !p->value || !p->grad || !p->consumers || !p->fused || !p->start ||
        !p->chain || !p->stats || !p->saved || !p->learns)
        return eex_fail(EEX_ENOMEM, "plan: out of memory for %d nodes", nodes);
    for (int i = 0; i < nodes; i++) {
        p->value[i] = p->grad[i] = p->stats[i] = p->saved[i] = -1;
        p->fused[i] = p->start[i] = i;
    }
    for (int k = 0; k < eex_graph_exits(p->graph); k++)
        if (wanted_exit[k])
            need(p, eex_graph_exit(p->graph, k)->logits);
    for (int i = 0; i < nodes; i++) {
        const eex_node *n = eex_graph_node(p->graph, i);
        bool input = eex__plan_takes(p, n);
        for (int j = 0; j < 2 && p->needed[i] && !input; j++)
            if (n->inputs[j] >= 0)
                p->consumers[n->inputs[j]]++;
    }
    return EEX_OK;
}

int eex__plan_sole_consumer(const eex_plan *p, int node, eex_node_kind kind)
{
    if (p->consumers[node] != 1)
        return -1;
    for (int i = node + 1; i < eex_graph_nodes(p->graph); i++) {
        const eex_node *n = eex_graph_node(p->graph, i);
        if (p->needed[i] && (n->inputs[0] == node || n->inputs[1] == node))
            return n->kind == kind ? i : -1;
    }
    return -1;
}

size_t eex__plan_row(const eex_plan *p, int node)
{
    const eex_node *n = eex_graph_node(p->graph, node);
    return (size_t)n->h * (size_t)n->w * (size_t)n->c * eex_precision_bytes(p->options.precision);
}

int eex__plan_weights(eex_plan *p, const float **field, const eex_node *node)
{
    size_t at = p->params->offset[node->first_param];
    if (p->shadow >= 0)
        return eex__plan_point_at(p, field, p->shadow,
                                  at * eex_precision_bytes(p->options.precision));
    *field = p->params->w + at;
    return EEX_OK;
}

int eex__plan_value(eex_plan *p, int *buffer, int node)
{
    if (p->value[node] < 0)
        EEX_TRY(eex__plan_buffer(p, &p->value[node], eex__plan_row(p, node), 0, false));
    *buffer = p->value[node];
    return EEX_OK;
}

eex_chain eex__plan_chain(const eex_plan *p, int node)
{
    eex_chain chain = {.end = node, .residual = -1, .act = EEX_ACT_NONE};
    int add = eex__plan_sole_consumer(p, node, EEX_NODE_ADD);
    if (add >= 0 && p->fused[add] == add) {
        const eex_node *n = eex_graph_node(p->graph, add);
        int other = n->inputs[0] == node ? n->inputs[1] : n->inputs[0];
        if (other != node && p->fused[other] != add) {
            chain.end = add;
            chain.residual = other;
        }
    }
    int act = eex__plan_sole_consumer(p, chain.end, EEX_NODE_ACT);
    if (act >= 0) {
        chain.act = eex_graph_node(p->graph, act)->act;
        chain.end = act;
    }
    return chain;
}

/* Every node of the chain but its end points at the end; the add of a chain that goes on to an act
 * does too, which is how eex__plan_chain of the other operand sees that it is taken. */
void eex__plan_fuse(eex_plan *p, int start, const eex_chain *chain)
{
    p->chain[start] = *chain;
    p->start[chain->end] = start;
    for (int node = start; node != chain->end;) {
        p->fused[node] = chain->end;
        for (int i = node + 1; i <= chain->end; i++) {
            const eex_node *n = eex_graph_node(p->graph, i);
            if (p->needed[i] && (n->inputs[0] == node || n->inputs[1] == node)) {
                node = i;
                break;
            }
        }
    }
}
