/* Pareto fronts of points with 1..EEX_MAX_OBJECTIVES objectives.
 *
 * Points are rows of an array, (n, objectives). `sense` says for each objective which way is
 * better. A point dominates another when it is nowhere worse and somewhere better; equal points do
 * not dominate one another. NaN is worse than every number. */
#ifndef EEX_SEARCH_PARETO_H
#define EEX_SEARCH_PARETO_H

#include "search/controller.h"

typedef enum eex_sense { EEX_MINIMISE, EEX_MAXIMISE } eex_sense;

/* The points that no other dominates: their numbers, best first objective first, equal points by
 * number. `front` has room for n. EEX_ENOMEM, EEX_EINVAL. */
int eex_pareto_front(size_t *front, size_t *count, const double *points, size_t n,
                     const eex_sense *sense, int objectives);

/* Non-dominated sorting: rank[i] is 0 on the front, 1 on the front of what is left without it, and
 * so on. */
int eex_pareto_sort(size_t *rank, const double *points, size_t n, const eex_sense *sense,
                    int objectives);

/* The volume (an area, a length) that the points dominate, as far as it is better than the
 * reference point in every objective; exact for 1..EEX_MAX_OBJECTIVES of them. Points that are not
 * better than the reference add nothing. A comparison of fronts needs one reference for all of
 * them: the caller fixes it once. EEX_ENOMEM, EEX_EINVAL. */
int eex_pareto_hypervolume(double *out, const double *points, size_t n, const eex_sense *sense,
                           int objectives, const double *reference);

#endif
