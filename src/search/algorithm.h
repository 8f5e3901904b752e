/* Search algorithms: what a controller (controller.h) asks for proposals.
 *
 * An algorithm is a row of functions. The controller keeps the history, sees to it that nothing is
 * asked twice, and gives each proposal its own random stream, numbered by how many candidates were
 * asked for before. An algorithm proposes from that history; it may keep a memory of its own beside
 * it (a model that was fitted, ranks that were sorted), under one condition: the memory is a
 * function of the space, the options and the trials told, in their order, and of nothing that was
 * asked or proposed, but for what only saves calculating again. So a search is continued by
 * telling, and no state needs saving but the history.
 *
 * A new algorithm is a file that defines a row, a member of eex_algorithm and an entry in the table
 * of algorithm.c. */
#ifndef EEX_SEARCH_ALGORITHM_H
#define EEX_SEARCH_ALGORITHM_H

#include "search/controller.h"

typedef struct eex__algorithm {
    const char *name; /* as experiments and messages have it */
    size_t size;      /* bytes of memory, which are zero when a search begins; 0: none */

    /* EEX_EINVAL for options, or a space, that it cannot search with. NULL: it takes all. */
    int (*check)(const eex_space *space, const eex_controller_options *options);

    /* Proposes a genome of the space, not necessarily an unseen one; where it was seen, the
     * controller asks again with the same stream. */
    int (*propose)(const eex_controller *c, void *memory, int *genome, eex_rng *rng);

    /* Hears of a trial that the controller has just been told, with its score and objectives; in
     * the order of telling, also when a search is continued. When it fails the controller forgets
     * the trial, and the memory must be as before. NULL: the history is enough. */
    int (*tell)(const eex_controller *c, void *memory, size_t trial);

    /* Frees what the memory owns, but not the memory itself. NULL: it owns nothing. */
    void (*close)(void *memory);
} eex__algorithm;

extern const eex__algorithm eex__aging, eex__random, eex__exhaustive, eex__nsga2, eex__surrogate;

/* The row of an algorithm; NULL for a number that none has. */
const eex__algorithm *eex__algorithm_of(eex_algorithm algorithm);

/* As eex_controller_new, with a row that needs not be in the table; it must outlive the controller.
 */
int eex__controller_open(eex_controller **out, const eex__algorithm *algorithm,
                         const eex_space *space, const eex_controller_options *options);

/* What an algorithm may read beside the trials and the pending candidates. */
const eex_space *eex__controller_space(const eex_controller *c);
const eex_controller_options *eex__controller_options(const eex_controller *c);
bool eex__controller_seen(const eex_controller *c, const int *genome); /* in canonical form */
size_t eex__controller_asked(const eex_controller *c);                 /* told ones included */

static inline bool eex__score_valid(const eex_score *score)
{
    return !score->failed && score->fitness == score->fitness;
}

/* Whether a valid score is better than another: what violates constraints is behind all that does
 * not, the lesser violation in front; then by fitness (Deb 2000, "An efficient constraint handling
 * method for genetic algorithms"). */
bool eex__score_better(const eex_score *score, const eex_score *than);

/* How many objectives the valid trials have, 0 as long as there is none; and those of one of them.
 * Where scores have none it is one: the fitness, negated. */
int eex__controller_objectives(const eex_controller *c);
void eex__score_objectives(double *out, const eex_score *score);

#endif
