#include "search/controller_impl.h"

static void propose(eex_controller *c, int *genome, eex_rng *rng)
{
    eex_space_random(genome, &c->space, rng);
}

static const eex__algorithm algorithm = {"random", sizeof(eex_controller), propose};

int eex_random_new(eex_controller **out, const eex_space *space,
                   const eex_controller_options *options)
{
    return eex__controller_new(out, &algorithm, space, options);
}
