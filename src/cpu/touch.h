/* Reading memory in its order just before it is used in another.
 *
 * The processor's own prefetchers bring one long stream in at full speed, from main memory too.
 * Kernels whose arithmetic is short of what memory delivers read and write many short streams; so
 * what they are about to use, as much as the second-level cache holds, is read through first.
 * Requests to prefetch do not do: in bursts, most of them are dropped. */
#ifndef EEX_CPU_TOUCH_H
#define EEX_CPU_TOUCH_H

#include <stddef.h>

static inline void eex__touch(const float *from, ptrdiff_t floats)
{
    for (ptrdiff_t i = 0; i < floats; i += 16)
        __asm__ volatile("" : : "r"(*(const int *)(from + i)));
}

#endif
