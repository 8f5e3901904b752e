/* Parameters of a network of which filters are taken away (graph/filters.h). */
#ifndef EEX_CORE_PLAN_NARROW_H
#define EEX_CORE_PLAN_NARROW_H

#include "core/graph/filters.h"
#include "core/plan/params.h"

/* Takes away a share (0 to 1) of every group's filters: those whose l2 norms are the smallest,
 * where several convolutions make a channel the norm of all of them together. */
int eex_filters_choose(eex_filters *filters, const eex_params *params, double share);

/* The parameters of eex_graph_narrow's graph: of `from`, which are of the whole one, what is kept.
 */
int eex_params_narrow(eex_params *to, const eex_params *from, const eex_filters *filters);

#endif
