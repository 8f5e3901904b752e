#include "core/engine/turns.h"

#include "base/status.h"

#include <stdlib.h>

static const eex__row empty = {-1, -1};

static void append(eex__row *row, int32_t *behind, int32_t at)
{
    behind[at] = -1;
    if (row->first < 0)
        row->first = at;
    else
        behind[row->last] = at;
    row->last = at;
}

static int32_t pop(eex__row *row, const int32_t *behind)
{
    const int32_t at = row->first;
    if (at >= 0)
        row->first = behind[at];
    return at;
}

int eex__turns_open(eex__turns *t, int slots, int lanes)
{
    *t = (eex__turns){.behind = calloc((size_t)slots, sizeof *t->behind),
                      .lane_after = calloc((size_t)lanes, sizeof *t->lane_after),
                      .waiting = calloc((size_t)lanes, sizeof *t->waiting),
                      .free = empty,
                      .lanes = empty};
    if (!t->behind || !t->lane_after || !t->waiting) {
        eex__turns_close(t);
        return EEX_ENOMEM;
    }
    for (int i = 0; i < lanes; i++)
        t->waiting[i] = empty;
    for (int i = 0; i < slots; i++)
        append(&t->free, t->behind, i);
    return EEX_OK;
}

void eex__turns_close(eex__turns *t)
{
    free(t->behind);
    free(t->lane_after);
    free(t->waiting);
    *t = (eex__turns){.behind = NULL};
}

int eex__turns_put(eex__turns *t, int lane)
{
    const int32_t slot = pop(&t->free, t->behind);
    if (slot < 0)
        return -1;
    if (t->waiting[lane].first < 0)
        append(&t->lanes, t->lane_after, lane);
    append(&t->waiting[lane], t->behind, slot);
    return slot;
}

int eex__turns_first(const eex__turns *t)
{
    return t->lanes.first < 0 ? -1 : t->waiting[t->lanes.first].first;
}

int eex__turns_together(const eex__turns *t, int count)
{
    const int first = eex__turns_first(t);
    int at = first;
    for (int i = 0; i < count; i++, at = t->behind[at])
        if (at < 0 || at != first + i)
            return -1;
    return first;
}

int eex__turns_take(eex__turns *t, int32_t *out, int most)
{
    int count = 0;
    while (count < most && t->lanes.first >= 0) {
        const int32_t lane = pop(&t->lanes, t->lane_after);
        out[count++] = pop(&t->waiting[lane], t->behind);
        if (t->waiting[lane].first >= 0)
            append(&t->lanes, t->lane_after, lane);
    }
    return count;
}

static void unlink_lane(eex__turns *t, int32_t lane)
{
    int32_t before = -1;
    for (int32_t at = t->lanes.first; at != lane; at = t->lane_after[at])
        before = at;
    if (before < 0)
        t->lanes.first = t->lane_after[lane];
    else
        t->lane_after[before] = t->lane_after[lane];
    if (t->lanes.last == lane)
        t->lanes.last = before;
}

int eex__turns_drop(eex__turns *t, int lane)
{
    int count = 0;
    if (t->waiting[lane].first >= 0)
        unlink_lane(t, lane);
    for (; t->waiting[lane].first >= 0; count++)
        append(&t->free, t->behind, pop(&t->waiting[lane], t->behind));
    return count;
}

void eex__turns_free(eex__turns *t, int slot)
{
    append(&t->free, t->behind, slot);
}
