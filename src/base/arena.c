#include "base/arena.h"

#include "base/status.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16 * 1024 };

struct eex_arena_block {
    eex_arena_block *older;
    size_t used, size;
    _Alignas(max_align_t) unsigned char memory[];
};

static eex_arena_block *grow(eex_arena *arena, size_t size)
{
    if (size < BLOCK_SIZE)
        size = BLOCK_SIZE;
    eex_arena_block *block = calloc(1, sizeof *block + size);
    if (!block) {
        eex_fail(EEX_ENOMEM, "out of memory: cannot allocate %zu bytes", size);
        return NULL;
    }
    block->size = size;
    block->older = arena->blocks;
    arena->blocks = block;
    return block;
}

void *eex_arena_alloc(eex_arena *arena, size_t size)
{
    const size_t unit = _Alignof(max_align_t);
    if (size > PTRDIFF_MAX / 2) { /* and so no sum below overflows */
        eex_fail(EEX_ENOMEM, "out of memory: cannot allocate %zu bytes", size);
        return NULL;
    }
    size = (size + unit - 1) / unit * unit;
    eex_arena_block *block = arena->blocks;
    if (!block || block->size - block->used < size)
        block = grow(arena, size);
    if (!block)
        return NULL;
    void *memory = block->memory + block->used;
    block->used += size;
    return memory;
}

void *eex_arena_array(eex_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        eex_fail(EEX_ENOMEM, "out of memory: cannot allocate %zu items of %zu bytes", count, size);
        return NULL;
    }
    return eex_arena_alloc(arena, bytes);
}

char *eex_arena_strdup(eex_arena *arena, const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = eex_arena_alloc(arena, size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

void eex_arena_free(eex_arena *arena)
{
    if (!arena)
        return;
    while (arena->blocks) {
        eex_arena_block *older = arena->blocks->older;
        free(arena->blocks);
        arena->blocks = older;
    }
}
