/* Who survives in NSGA-II (Deb et al. 2002): ranks of non-dominated sorting, crowding within a
 * rank.
 *
 * All objectives are minimised, (n, objectives). A candidate may also violate constraints: by how
 * much is a number, 0 or less where it violates none. What violates none comes before what does,
 * and among those that do the lesser violation comes first, whatever their objectives
 * (constraint-domination). NaN is the worst of each. */
#ifndef EEX_SEARCH_SURVIVAL_H
#define EEX_SEARCH_SURVIVAL_H

#include "search/controller.h"

typedef struct eex_standing {
    size_t rank;     /* 0 is the best */
    double crowding; /* how far the neighbours of its rank are, each objective over its range;
                      * infinite at the ends of an objective and among violations */
} eex_standing;

/* The standing of each. `violations` (n) may be NULL. EEX_ENOMEM, EEX_EINVAL. */
int eex_survival_rank(eex_standing *standings, const double *objectives, const double *violations,
                      size_t n, int count);

/* -1 when the first is better, 1 when the second is, 0 when they are alike. */
int eex_standing_compare(const eex_standing *a, const eex_standing *b);

/* The numbers of all n, best first, equals by number. */
int eex_survival_order(size_t *order, const eex_standing *standings, size_t n);

#endif
