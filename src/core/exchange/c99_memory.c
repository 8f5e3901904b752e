/* Where values lie: each at the lowest place where nothing lies that is there at the same time. */
#include "core/exchange/c99_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

typedef struct block {
    size_t at, size;
    int first, last; /* layers during which it is there */
} block;

typedef struct plan {
    block *block;
    int count;
} plan;

size_t eex__c99_room(const eex_model *m, int k)
{
    const bool measures = m->policy && m->familiar && m->policy->far[k] < (double)INFINITY;
    return measures ? 2 * (size_t)m->familiar->channels[k] : 0;
}

bool eex__c99_resizes(const eex__layers *layers)
{
    const eex_input *in = &layers->model->input;
    return in->height != layers->at[0].h || in->width != layers->at[0].w;
}

static bool meet(const block *a, const block *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Moves behind whatever it overlaps with, until nothing does. */
static size_t place(plan *p, block b)
{
    b.at = 0;
    for (int i = 0; i < p->count; i++) {
        const block *other = &p->block[i];
        if (b.size == 0 || !meet(&b, other) || other->at >= b.at + b.size ||
            b.at >= other->at + other->size)
            continue;
        b.at = other->at + other->size;
        i = -1;
    }
    p->block[p->count++] = b;
    return b.at;
}

static size_t value_size(const eex__layer *l)
{
    return (size_t)l->h * (size_t)l->w * (size_t)l->c;
}

/* Which layer reads each value last; a flattened value is the one in front of it. */
static void find_last(int *last, const eex__layers *layers)
{
    for (int i = 0; i < layers->count; i++) {
        last[i] = i;
        for (int j = 0; j < 2; j++)
            for (int in = layers->at[i].input[j]; in >= 0;
                 in = layers->at[in].kind == EEX_NODE_FLATTEN ? layers->at[in].input[0] : -1)
                last[in] = i;
    }
    for (int k = 0; k < eex_graph_exits(layers->model->graph); k++) {
        const int logits = eex__layers_logits(layers, k), point = eex__layers_point(layers, k);
        last[point] = last[point] < logits ? logits : last[point];
    }
}

static void place_all(eex__c99_memory *out, plan *p, const int *last, const eex__layers *layers)
{
    const eex_input *in = &layers->model->input;
    const size_t pixels = (size_t)in->height * (size_t)in->width * (size_t)in->channels;
    for (int i = 0; i < layers->count; i++) {
        const eex__layer *l = &layers->at[i];
        out->at[i] = l->kind == EEX_NODE_FLATTEN
                         ? out->at[l->input[0]]
                         : place(p, (block){.size = value_size(l), .first = i, .last = last[i]});
    }
    if (eex__c99_resizes(layers))
        out->image = place(p, (block){.size = pixels, .first = 0, .last = 0});
    for (int k = 0; k < eex_graph_exits(layers->model->graph); k++) {
        const int logits = eex__layers_logits(layers, k);
        out->room[k] = place(
            p, (block){.size = eex__c99_room(layers->model, k), .first = logits, .last = logits});
    }
    for (int i = 0; i < p->count; i++)
        if (p->block[i].at + p->block[i].size > out->size)
            out->size = p->block[i].at + p->block[i].size;
}

int eex__c99_place(eex__c99_memory *out, const eex__layers *layers)
{
    const size_t count = (size_t)layers->count;
    plan p = {.block = calloc(count + EEX_MAX_EXITS + 1, sizeof *p.block)};
    int *last = calloc(count, sizeof *last);
    *out = (eex__c99_memory){.at = calloc(count, sizeof *out->at)};
    int code = EEX_OK;
    if (p.block && last && out->at) {
        find_last(last, layers);
        place_all(out, &p, last, layers);
    } else {
        code = eex_fail(EEX_ENOMEM, "out of memory for the places of %zu values", count);
        eex__c99_memory_free(out);
    }
    free(last);
    free(p.block);
    return code;
}

void eex__c99_memory_free(eex__c99_memory *memory)
{
    free(memory->at);
    *memory = (eex__c99_memory){0};
}
