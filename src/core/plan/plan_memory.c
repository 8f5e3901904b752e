/* Memory of a plan: values that are never alive together share their place in an arena; what is
 * pinned lies behind each other in memory of the plan's own. */
#include "core/plan/builder_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

static bool alive_together(const eex_slot *a, const eex_slot *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static int by_offset(const void *a, const void *b)
{
    const eex_slot *x = *(eex_slot *const *)a, *y = *(eex_slot *const *)b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Large ones first; equal ones in order, so that the layout is the same every time. */
static int by_size(const void *a, const void *b)
{
    const eex_slot *x = *(eex_slot *const *)a, *y = *(eex_slot *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x < y ? -1 : x > y;
}

/* The lowest gap between the placed buffers that live at the same time. */
static size_t lowest_gap(const eex_slot *b, eex_slot **placed, int count, eex_slot **beside)
{
    int n = 0;
    for (int i = 0; i < count; i++)
        if (alive_together(b, placed[i]))
            beside[n++] = placed[i];
    qsort(beside, (size_t)n, sizeof *beside, by_offset);
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        if (beside[i]->offset >= at + b->bytes)
            break;
        size_t end = beside[i]->offset + beside[i]->bytes;
        if (end > at)
            at = end;
    }
    return at;
}

static int place_values(eex_plan *p)
{
    size_t n = (size_t)p->buffer_count;
    eex_slot **order = malloc((2 * n + 1) * sizeof *order);
    if (!order)
        return eex_fail(EEX_ENOMEM, "plan: out of memory for the layout of %zu buffers", n);
    int count = 0;
    for (int i = 0; i < p->buffer_count; i++)
        if (p->buffers[i].first >= 0 && !p->buffers[i].pinned)
            order[count++] = &p->buffers[i];
    qsort(order, (size_t)count, sizeof *order, by_size);
    for (int i = 0; i < count; i++) {
        order[i]->offset = lowest_gap(order[i], order, i, order + n);
        size_t end = order[i]->offset + order[i]->bytes;
        if (end > p->arena_bytes)
            p->arena_bytes = end;
    }
    free(order);
    return EEX_OK;
}

static void place_kept(eex_plan *p)
{
    for (int i = 0; i < p->buffer_count; i++) {
        if (!p->buffers[i].pinned)
            continue;
        p->buffers[i].offset = p->kept_bytes;
        p->kept_bytes += p->buffers[i].bytes;
    }
}

int eex__plan_layout(eex_builder *b)
{
    place_kept(b->plan);
    return place_values(b->plan);
}

static void relocate(eex_builder *b)
{
    for (int i = 0; i < b->relocation_count; i++) {
        const eex_relocation *r = &b->relocations[i];
        void *address = (unsigned char *)eex__plan_address(b->plan, r->buffer) + r->addend;
        memcpy((unsigned char *)&b->plan->ops[r->op] + r->field, &address, sizeof address);
    }
}

int eex__plan_relocate(eex_builder *b)
{
    eex_plan *p = b->plan;
    int code = p->device->vtable->allocate(p->device, (void **)&p->kept, p->kept_bytes);
    if (code < 0)
        return eex_fail_in(code, "plan of %s for batch %d (%zu MiB)", eex_graph_name(p->graph),
                           p->options.batch, p->kept_bytes >> 20);
    EEX_TRY(p->device->vtable->zero(p->device, p->kept, p->kept_bytes));
    relocate(b);
    return EEX_OK;
}
