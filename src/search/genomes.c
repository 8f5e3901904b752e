#include "search/genomes.h"

#include "base/rng.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { FIRST_CAPACITY = 64 };

void eex_genomes_init(eex_genomes *list, const eex_space *space)
{
    memset(list, 0, sizeof *list);
    list->space = space;
    if (getrandom(&list->seed, sizeof list->seed, GRND_NONBLOCK) < 0)
        list->seed = (uint64_t)(uintptr_t)list;
}

void eex_genomes_free(eex_genomes *list)
{
    if (!list)
        return;
    free(list->values);
    free(list->slots);
    eex_genomes_init(list, list->space);
}

static int *value_at(const eex_genomes *list, size_t i)
{
    return list->values + i * (size_t)list->space->genes;
}

const int *eex_genomes_at(const eex_genomes *list, size_t i)
{
    return value_at(list, i);
}

/* The slot that holds the genome, or the empty one where it belongs. */
static uint32_t *find_slot(const eex_genomes *list, const int *genome)
{
    size_t slot = (size_t)eex_rng_hash(list->seed, eex_space_hash(list->space, genome), 0);
    for (;; slot++) {
        uint32_t *held = &list->slots[slot & (list->slot_count - 1)];
        if (*held == 0 || eex_space_equal(list->space, value_at(list, *held - 1), genome))
            return held;
    }
}

bool eex_genomes_find(size_t *position, const eex_genomes *list, const int *genome)
{
    const uint32_t held = list->count > 0 ? *find_slot(list, genome) : 0;
    if (held > 0 && position)
        *position = held - 1;
    return held > 0;
}

static void index_all(eex_genomes *list)
{
    memset(list->slots, 0, list->slot_count * sizeof *list->slots);
    for (size_t i = 0; i < list->count; i++)
        *find_slot(list, value_at(list, i)) = (uint32_t)i + 1;
}

static int grow(eex_genomes *list)
{
    const size_t capacity = list->capacity > 0 ? 2 * list->capacity : FIRST_CAPACITY;
    const size_t bytes = (size_t)list->space->genes * sizeof *list->values;
    int *values = NULL;
    uint32_t *slots = NULL;
    if (capacity <= UINT32_MAX / 2) {
        values = realloc(list->values, capacity * bytes);
        slots = malloc(2 * capacity * sizeof *slots);
    }
    if (values)
        list->values = values;
    if (!values || !slots) {
        free(slots);
        return eex_fail(EEX_ENOMEM, "out of memory: cannot keep more than %zu candidates",
                        list->count);
    }
    free(list->slots);
    list->slots = slots;
    list->slot_count = 2 * capacity;
    list->capacity = capacity;
    index_all(list);
    return EEX_OK;
}

int eex_genomes_add(eex_genomes *list, const int *genome)
{
    if (list->count == list->capacity)
        EEX_TRY(grow(list));
    const size_t bytes = (size_t)list->space->genes * sizeof *genome;
    memcpy(value_at(list, list->count), genome, bytes);
    *find_slot(list, genome) = (uint32_t)++list->count;
    return EEX_OK;
}

void eex_genomes_remove(eex_genomes *list, size_t position)
{
    const size_t bytes = (size_t)list->space->genes * sizeof *list->values;
    list->count--;
    memmove(value_at(list, position), value_at(list, position + 1),
            (list->count - position) * bytes);
    index_all(list);
}
