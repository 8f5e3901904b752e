#include "cpu/slab.h"

#include "base/status.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { SLAB = 8 << 20, LINE = 64 }; /* bytes; huge pages are of 2 MiB */

/* Slabs begin at multiples of SLAB, and blocks in the first SLAB bytes of theirs, so that a block's
 * address tells its slab. */
struct eex_slab {
    size_t used, size; /* bytes, this header included */
    int blocks;
    eex_slab **current; /* where it is the current one, else NULL */
};

static size_t round_up(size_t bytes, size_t to)
{
    return (bytes + to - 1) / to * to;
}

static int new_slab(eex_slab **out, size_t bytes)
{
    const size_t size = bytes > SLAB ? round_up(bytes, SLAB) : SLAB;
    eex_slab *slab = size < bytes ? NULL : aligned_alloc(SLAB, size);
    *out = slab;
    if (!slab)
        return eex_fail(EEX_ENOMEM, "no memory for %zu bytes of packed weights", bytes);
    (void)madvise(slab, size, MADV_HUGEPAGE); /* a wish: without it all is just slower */
    *slab = (eex_slab){.used = LINE, .size = size};
    return EEX_OK;
}

void eex__slab_close(eex_slab **current)
{
    eex_slab *slab = *current;
    *current = NULL;
    if (!slab)
        return;
    slab->current = NULL;
    if (slab->blocks == 0)
        free(slab);
}

int eex__slab_take(eex_slab **current, void **out, size_t bytes)
{
    eex_slab *slab = *current;
    *out = NULL;
    if (bytes > SIZE_MAX / 2)
        return eex_fail(EEX_ENOMEM, "%zu bytes of packed weights are more than there can be",
                        bytes);
    const size_t wanted = round_up(bytes ? bytes : 1, LINE);
    if (!slab || slab->size - slab->used < wanted || slab->used >= SLAB) {
        EEX_TRY(new_slab(&slab, wanted + LINE));
        eex__slab_close(current);
        *current = slab;
        slab->current = current;
    }
    *out = (char *)slab + slab->used;
    slab->used += wanted;
    slab->blocks++;
    return EEX_OK;
}

void eex__slab_give(void *block)
{
    if (!block)
        return;
    void *start = (char *)block - (uintptr_t)block % SLAB;
    eex_slab *slab = start;
    if (--slab->blocks > 0)
        return;
    if (slab->current)
        slab->used = LINE; /* empty: from its beginning again */
    else
        free(slab);
}
