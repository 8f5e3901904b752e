#include "search/algorithm.h"

#include "base/status.h"

static int propose(const eex_controller *c, void *memory, int *genome, eex_rng *rng)
{
    eex_space_random(genome, eex__controller_space(c), rng);
    return EEX_OK;
}

const eex__algorithm eex__random = {.name = "random", .propose = propose};
