/* Rejection by distance, as a guest of a walk: what is too far from the familiar at an exit leaves
 * there as rejected, whatever its score decided. Distances are measured on the host from the values
 * that the gate reads (familiar.h): on a CPU these are there, on a GPU they are downloaded. */
#ifndef EEX_CORE_ENGINE_DISTANCE_H
#define EEX_CORE_ENGINE_DISTANCE_H

#include "core/engine/walk.h"
#include "core/train/familiar.h"

/* For batches of up to `rows` images of a network with familiar->exits exits. graph and familiar
 * are borrowed; far: (exits) the distances that it rejects beyond, copied. */
int eex_distance_guest_new(eex_guest **out, const eex_graph *graph, const eex_familiar *familiar,
                           const double *far, int rows);
void eex_distance_guest_free(eex_guest *guest); /* accepts NULL */

#endif
