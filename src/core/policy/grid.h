/* The best point of a grid: so many options for each of a few dimensions, of which a function says
 * how good they are. */
#ifndef EEX_CORE_POLICY_GRID_H
#define EEX_CORE_POLICY_GRID_H

#include "device/decide.h"

/* Smaller is better: first[0], and where that is equal first[1]. INFINITY: not allowed. */
typedef struct eex_grid_value {
    double first[2];
} eex_grid_value;

typedef eex_grid_value eex_grid_judge(const void *context, const int *at);

typedef struct eex_grid {
    int dimensions;             /* 1 to EEX_MAX_EXITS */
    int options[EEX_MAX_EXITS]; /* of each, at least 1 */
    double most;                /* points of a grid that is searched whole */
    eex_grid_judge *judge;
    const void *context;
} eex_grid;

/* The best point into best[0..dimensions), its value into *value. A grid of more than `most` points
 * is searched one dimension at a time, from each point whose dimensions are alike, until nothing
 * gets better. Among equals the one that is met first counts, small options before large ones.
 * EEX_EINTERRUPTED. */
int eex_grid_search(int *best, eex_grid_value *value, const eex_grid *grid);

#endif
