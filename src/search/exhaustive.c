#include "search/controller_impl.h"

#include "base/status.h"

typedef struct exhaustive {
    eex_controller base;
    uint64_t size;
    uint64_t cursor; /* every genome before this one was seen: only saves looking again */
} exhaustive;

static void propose(eex_controller *c, int *genome, eex_rng *rng)
{
    exhaustive *self = (exhaustive *)c;
    for (; self->cursor < self->size; self->cursor++) {
        eex_space_genome(genome, &c->space, self->cursor);
        eex_space_canonicalise(genome, &c->space);
        if (!eex__controller_seen(c, genome))
            return;
    }
}

static const eex__algorithm algorithm = {"exhaustive", sizeof(exhaustive), propose};

int eex_exhaustive_new(eex_controller **out, const eex_space *space,
                       const eex_controller_options *options)
{
    const uint64_t largest = options->largest > 0 ? options->largest : 1000000;
    uint64_t size;
    if (!eex_space_size(&size, space) || size > largest)
        return eex_fail(EEX_EINVAL,
                        "exhaustive search: the space has 2^%.1f candidates, more than the %llu "
                        "that are allowed; use aging or random search",
                        eex_space_size_log2(space), (unsigned long long)largest);
    EEX_TRY(eex__controller_new(out, &algorithm, space, options));
    ((exhaustive *)*out)->size = size;
    return EEX_OK;
}
