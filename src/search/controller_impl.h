/* What the controllers share; for the files of this room.
 *
 * An algorithm is a function that proposes a genome from the history. The base keeps the history,
 * sees to it that nothing is asked twice, and gives each proposal its own random stream, numbered
 * by how many candidates were asked for before: so nothing needs saving but the history. */
#ifndef EEX_SEARCH_CONTROLLER_IMPL_H
#define EEX_SEARCH_CONTROLLER_IMPL_H

#include "search/controller.h"
#include "search/genomes.h"

typedef struct eex__algorithm {
    const char *name;
    size_t size; /* bytes of the struct that embeds eex_controller as its first member */

    /* Proposes a genome, not necessarily an unseen one. */
    void (*propose)(eex_controller *c, int *genome, eex_rng *rng);
} eex__algorithm;

struct eex_controller {
    const eex__algorithm *algorithm;
    eex_space space;
    eex_controller_options options;

    eex_genomes told;  /* in the order of telling, */
    eex_score *scores; /* with the score of each */
    size_t score_capacity;
    eex_genomes pending; /* asked, not told, in the order of asking */

    enum { EEX__NEXT_UNKNOWN, EEX__NEXT_READY, EEX__NEXT_NONE } next_state;
    int next[EEX_MAX_GENES]; /* what the coming ask answers, once it was looked for */
};

/* Makes a zeroed controller of algorithm->size bytes with its base filled in. */
int eex__controller_new(eex_controller **out, const eex__algorithm *algorithm,
                        const eex_space *space, const eex_controller_options *options);

bool eex__controller_seen(const eex_controller *c, const int *genome);

/* Candidates asked for so far. */
size_t eex__controller_asked(const eex_controller *c);

static inline bool eex__score_valid(const eex_score *score)
{
    return !score->failed && score->fitness == score->fitness;
}

#endif
