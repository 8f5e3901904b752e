/* How element-wise ops divide their work. */
#ifndef EEX_CPU_RANGE_H
#define EEX_CPU_RANGE_H

#include <stddef.h>

/* The part [*begin, *end) of n elements that belongs to `thread`, in multiples of `grain` elements
 * but for the end of the array. May be empty. */
static inline void eex__cpu_range(size_t *begin, size_t *end, size_t n, size_t grain, int thread,
                                  int threads)
{
    size_t units = (n + grain - 1) / grain;
    size_t each = units / (size_t)threads, more = units % (size_t)threads, t = (size_t)thread;
    *begin = (t * each + (t < more ? t : more)) * grain;
    *end = ((t + 1) * each + (t + 1 < more ? t + 1 : more)) * grain;
    *begin = *begin < n ? *begin : n;
    *end = *end < n ? *end : n;
}

/* Steps through [begin, end) from behind in blocks of at most `block` elements that start at whole
 * blocks from begin: `for (size_t at = end; at > begin; at = eex__cpu_block_before(begin, at, n))`
 * with [eex__cpu_block_before(begin, at, n), at) the block of one turn. A pass that goes the other
 * way than the one before it finds the end of the data still in the cache. */
static inline size_t eex__cpu_block_before(size_t begin, size_t at, size_t block)
{
    return begin + (at - begin - 1) / block * block;
}

#endif
