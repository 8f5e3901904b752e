/* Parameters of a derived network as slices of an elastic one's (core/graph/elastic.h).
 *
 * Gathering takes leading channels and the centres of kernels, each step to a smaller kernel
 * through its transform: a kernel f of 7x7 pixels, as a vector of them, becomes M C f of 5x5, where
 * C takes the centre's and M is the matrix, and that becomes 3x3 likewise (Cai et al. 2020,
 * section 3.2). Scattering is its adjoint: what a gradient of the derived network's parameters is
 * for the elastic one's, transforms included. Both go through the host's memory. */
#ifndef EEX_CORE_PLAN_SLICE_H
#define EEX_CORE_PLAN_SLICE_H

#include "core/graph/elastic.h"
#include "core/plan/plan.h"

typedef struct eex_slices eex_slices;

/* Both graphs are borrowed. EEX_ENOTFOUND or EEX_EINVAL where the derived graph has a parameter
 * that is no slice, see eex_graph_slice. *out belongs to the caller. */
int eex_slices_new(eex_slices **out, const eex_graph *elastic, const eex_graph *derived);
void eex_slices_free(eex_slices *slices); /* accepts NULL */

/* Parameters and running statistics of the derived network from those of the elastic one. */
int eex_slices_gather(const eex_slices *slices, eex_params *derived, const eex_params *elastic);

/* Adds the gradients of a derived network to those of the elastic one, whose transforms and kernels
 * are those that were gathered. What the network does not have stays as it was. */
int eex_slices_scatter(const eex_slices *slices, eex_optimizer_state *elastic,
                       const eex_optimizer_state *derived);

#endif
