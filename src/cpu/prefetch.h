/* Fetching memory ahead of its use. The processor's own prefetchers follow a few long streams; the
 * kernels here read many short ones, so what comes next is asked for in the order of memory. */
#ifndef EEX_CPU_PREFETCH_H
#define EEX_CPU_PREFETCH_H

#include <stddef.h>

/* Into all levels; what is too much for the first one stays in the second. A hint for the second
 * level alone measured slower: such requests are dropped when many are under way. */
static inline void eex__prefetch(const float *from, ptrdiff_t floats)
{
    for (ptrdiff_t i = 0; i < floats; i += 16)
        __builtin_prefetch(from + i, 0, 3);
}

#endif
