#include "search/algorithm.h"

#include "base/status.h"

typedef struct exhaustive {
    uint64_t cursor; /* every genome before this one was seen: only saves looking again */
} exhaustive;

static int check(const eex_space *space, const eex_controller_options *options)
{
    const uint64_t largest = options->largest > 0 ? options->largest : 1000000;
    uint64_t size;
    if (eex_space_size(&size, space) && size <= largest)
        return EEX_OK;
    return eex_fail(EEX_EINVAL,
                    "exhaustive search: the space has 2^%.1f candidates, more than the %llu "
                    "that are allowed; use aging or random search",
                    eex_space_size_log2(space), (unsigned long long)largest);
}

/* Genome number `index` with the last gene changing fastest: an experiment's genes of exits stand
 * behind those of the network, so what is known of a network answers for all exits on it before
 * the next one comes. */
static void number(int *genome, const eex_space *space, uint64_t index)
{
    for (int i = space->genes; i-- > 0;) {
        const uint64_t options = (uint64_t)space->options[i];
        genome[i] = (int)(index % options);
        index /= options;
    }
}

static int propose(const eex_controller *c, void *memory, int *genome, eex_rng *rng)
{
    exhaustive *self = memory;
    const eex_space *space = eex__controller_space(c);
    uint64_t size = 0;
    eex_space_size(&size, space);
    for (; self->cursor < size; self->cursor++) {
        number(genome, space, self->cursor);
        eex_space_canonicalise(genome, space);
        if (!eex__controller_seen(c, genome))
            break;
    }
    return EEX_OK;
}

const eex__algorithm eex__exhaustive = {
    .name = "exhaustive", .size = sizeof(exhaustive), .check = check, .propose = propose};
