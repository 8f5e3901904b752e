/* What a controller holds; for controller.c and controller_state.c. */
#ifndef EEX_SEARCH_CONTROLLER_IMPL_H
#define EEX_SEARCH_CONTROLLER_IMPL_H

#include "search/algorithm.h"
#include "search/genomes.h"

struct eex_controller {
    const eex__algorithm *algorithm;
    void *memory; /* the algorithm's */
    eex_space space;
    eex_controller_options options;

    eex_genomes told;  /* in the order of telling, */
    eex_score *scores; /* with the score of each */
    size_t score_capacity;
    eex_genomes pending; /* asked, not told, in the order of asking */

    enum { EEX__NEXT_UNKNOWN, EEX__NEXT_READY, EEX__NEXT_NONE } next_state;
    int next[EEX_MAX_GENES]; /* what the coming ask answers, once it was looked for */
};

#endif
