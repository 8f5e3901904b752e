/* What passes an exit: the values that segments behind it still read. A network may be cut at any
 * exit: whoever has these rows goes on from there, in the same plan or in another one of the same
 * graph, whatever its batch, with the same results.
 *
 * Passing is what compaction moves, too: rows that stay at an exit move up in each of these. */
#ifndef EEX_CORE_PLAN_PASSING_H
#define EEX_CORE_PLAN_PASSING_H

#include "core/plan/plan.h"

typedef struct eex_passing {
    int node;         /* of the graph, whose value it is */
    int h, w, c;      /* a row: one sample's, (H, W, C) float32 */
    size_t row_bytes; /* of it */
} eex_passing;

/* The values that pass exit k of an inference plan, always in the same order; borrowed. None
 * passes the last exit. Plans of one graph agree about them where their devices fuse alike. Returns
 * how many; EEX_EINVAL: no such exit. */
int eex_plan_passing(const eex_plan *plan, int exit, const eex_passing **values);

/* Rows of the i-th of these to the host, between exit k's segment and the next one; after leaving
 * they are those of the samples that stay. rows: (batch) x row_bytes. Waits for the device. */
int eex_plan_passing_get(const eex_plan *plan, int exit, int i, void *rows, int batch);
/* From there into a plan that goes on with segment k + 1. */
int eex_plan_passing_put(eex_plan *plan, int exit, int i, const void *rows, int batch);

#endif
