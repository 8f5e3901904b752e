/* The parts every lowering pass uses: ops, buffers, relocations, and which nodes are needed. */
#include "core/plan/builder_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { EEX_ALIGN = 64 };

int eex__plan_grow(void **items, int count, int *capacity, size_t size)
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

int eex__plan_buffer(eex_builder *b, int *out, size_t row_bytes, size_t fixed, bool pinned)
{
    EEX_TRY(eex__plan_grow((void **)&b->plan->buffers, b->plan->buffer_count, &b->buffer_capacity,
                           sizeof *b->plan->buffers));
    size_t bytes = row_bytes * (size_t)b->options->batch + fixed;
    b->plan->buffers[b->plan->buffer_count] = (eex_slot){
        .bytes = (bytes + EEX_ALIGN - 1) / EEX_ALIGN * EEX_ALIGN,
        .row_bytes = row_bytes,
        .first = -1,
        .last = -1,
        .pinned = pinned,
    };
    *out = b->plan->buffer_count++;
    return EEX_OK;
}

int eex__plan_op(eex_builder *b, eex_op **out, eex_op_kind kind, const char *name)
{
    int capacity = b->op_capacity;
    EEX_TRY(eex__plan_grow((void **)&b->plan->ops, b->plan->op_count, &b->op_capacity,
                           sizeof *b->plan->ops));
    if (capacity != b->op_capacity || !b->plan->segment) {
        int *segments = realloc(b->plan->segment, (size_t)b->op_capacity * sizeof *segments);
        if (!segments)
            return eex_fail(EEX_ENOMEM, "plan: out of memory for %d ops", b->op_capacity);
        b->plan->segment = segments;
    }
    b->plan->segment[b->plan->op_count] = b->segment;
    eex_op *op = &b->plan->ops[b->plan->op_count++];
    memset(op, 0, sizeof *op);
    op->kind = kind;
    op->precision = b->options->precision;
    op->name = name;
    *out = op;
    return EEX_OK;
}

int eex__plan_point_at(eex_builder *b, const void *field, int buffer, size_t addend)
{
    EEX_TRY(eex__plan_grow((void **)&b->relocations, b->relocation_count, &b->relocation_capacity,
                           sizeof *b->relocations));
    int op = b->plan->op_count - 1;
    size_t offset = (size_t)((const char *)field - (const char *)&b->plan->ops[op]);
    b->relocations[b->relocation_count++] = (eex_relocation){op, offset, buffer, addend};
    eex_slot *slot = &b->plan->buffers[buffer];
    if (slot->first < 0)
        slot->first = op;
    slot->last = op;
    return EEX_OK;
}

int eex__plan_point(eex_builder *b, const void *field, int buffer)
{
    return eex__plan_point_at(b, field, buffer, 0);
}

static void need(eex_builder *b, int node)
{
    if (node < 0 || b->needed[node])
        return;
    b->needed[node] = true;
    const eex_node *n = eex_graph_node(b->graph, node);
    if (eex__plan_takes(b, n))
        return; /* an input of the plan */
    need(b, n->inputs[0]);
    need(b, n->inputs[1]);
}

static int make_nodes(eex_builder *b)
{
    size_t nodes = (size_t)eex_graph_nodes(b->graph);
    int **numbers[] = {&b->plan->value, &b->grad, &b->fused, &b->start, &b->stats, &b->saved};
    b->needed = calloc(nodes, sizeof *b->needed);
    b->consumers = calloc(nodes, sizeof *b->consumers);
    b->chain = calloc(nodes, sizeof *b->chain);
    b->learns = calloc(nodes, sizeof *b->learns);
    bool made = b->needed && b->consumers && b->chain && b->learns;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        *numbers[i] = malloc(nodes * sizeof **numbers[i]);
        made = made && *numbers[i];
    }
    if (!made)
        return eex_fail(EEX_ENOMEM, "plan: out of memory for %zu nodes", nodes);
    for (int i = 0; i < (int)nodes; i++) {
        b->plan->value[i] = b->grad[i] = b->stats[i] = b->saved[i] = -1;
        b->fused[i] = b->start[i] = i;
    }
    return EEX_OK;
}

int eex__plan_mark(eex_builder *b, const bool *wanted_exit)
{
    EEX_TRY(make_nodes(b));
    for (int k = 0; k < eex_graph_exits(b->graph); k++)
        if (wanted_exit[k])
            need(b, eex_graph_exit(b->graph, k)->logits);
    for (int i = 0; i < eex_graph_nodes(b->graph); i++) {
        const eex_node *n = eex_graph_node(b->graph, i);
        bool input = eex__plan_takes(b, n);
        for (int j = 0; j < 2 && b->needed[i] && !input; j++)
            if (n->inputs[j] >= 0)
                b->consumers[n->inputs[j]]++;
    }
    return EEX_OK;
}

int eex__plan_sole_consumer(const eex_builder *b, int node, eex_node_kind kind)
{
    if (b->consumers[node] != 1)
        return -1;
    for (int i = node + 1; i < eex_graph_nodes(b->graph); i++) {
        const eex_node *n = eex_graph_node(b->graph, i);
        if (b->needed[i] && (n->inputs[0] == node || n->inputs[1] == node))
            return n->kind == kind ? i : -1;
    }
    return -1;
}

size_t eex__plan_row(const eex_builder *b, int node)
{
    const eex_node *n = eex_graph_node(b->graph, node);
    return (size_t)n->h * (size_t)n->w * (size_t)n->c * eex_precision_bytes(b->options->precision);
}

int eex__plan_value(eex_builder *b, int *buffer, int node)
{
    if (node == b->apart_point) {
        *buffer = b->apart;
        return EEX_OK;
    }
    if (b->plan->value[node] < 0)
        EEX_TRY(eex__plan_buffer(b, &b->plan->value[node], eex__plan_row(b, node), 0, false));
    *buffer = b->plan->value[node];
    return EEX_OK;
}

eex_chain eex__plan_chain(const eex_builder *b, int node)
{
    eex_chain chain = {.end = node, .residual = -1, .act = EEX_ACT_NONE};
    int add = eex__plan_sole_consumer(b, node, EEX_NODE_ADD);
    if (add >= 0 && b->fused[add] == add) {
        const eex_node *n = eex_graph_node(b->graph, add);
        int other = n->inputs[0] == node ? n->inputs[1] : n->inputs[0];
        if (other != node && b->fused[other] != add) {
            chain.end = add;
            chain.residual = other;
        }
    }
    int act = eex__plan_sole_consumer(b, chain.end, EEX_NODE_ACT);
    if (act >= 0 && eex_act_fuses(eex_graph_node(b->graph, act)->act)) {
        chain.act = eex_graph_node(b->graph, act)->act;
        chain.end = act;
    }
    return chain;
}

/* Every node of the chain but its end points at the end; the add of a chain that goes on to an act
 * does too, which is how eex__plan_chain of the other operand sees that it is taken. */
void eex__plan_fuse(eex_builder *b, int start, const eex_chain *chain)
{
    b->chain[start] = *chain;
    b->start[chain->end] = start;
    for (int node = start; node != chain->end;) {
        b->fused[node] = chain->end;
        for (int i = node + 1; i <= chain->end; i++) {
            const eex_node *n = eex_graph_node(b->graph, i);
            if (b->needed[i] && (n->inputs[0] == node || n->inputs[1] == node)) {
                node = i;
                break;
            }
        }
    }
}
