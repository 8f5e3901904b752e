/* A bump allocator: many small things that are freed together. */
#ifndef EEX_BASE_ARENA_H
#define EEX_BASE_ARENA_H

#include <stddef.h>

typedef struct eex_arena_block eex_arena_block;

typedef struct eex_arena {
    eex_arena_block *blocks; /* newest first */
} eex_arena;

#define EEX_ARENA_INIT \
    {                  \
        NULL           \
    }

/* Zeroed memory, aligned for any type, valid until the arena is freed. NULL with the message set
 * (EEX_ENOMEM) when there is none. Size 0 gives a valid pointer. */
void *eex_arena_alloc(eex_arena *arena, size_t size);

/* The same for an array; refuses when count * size overflows. */
void *eex_arena_array(eex_arena *arena, size_t count, size_t size);

/* A copy of a string, NULL as above. */
char *eex_arena_strdup(eex_arena *arena, const char *text);

/* Frees everything and leaves an empty arena; accepts NULL. */
void eex_arena_free(eex_arena *arena);

#endif
