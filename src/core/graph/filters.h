/* Filters of a network that can go, and the network without them (filter pruning: Li et al. 2017,
 * "Pruning Filters for Efficient ConvNets", as the paper on early exit prediction compares with).
 *
 * What has to keep the same channels is one group: a convolution and what passes its channels on;
 * both sides of an addition, so all that a residual stage adds up; a depthwise convolution and what
 * it reads. Where one of them has to keep its channels all do: in front of a concatenation, of the
 * codes of a bottleneck, of grouped convolutions, and what linear layers say. */
#ifndef EEX_CORE_GRAPH_FILTERS_H
#define EEX_CORE_GRAPH_FILTERS_H

#include "core/graph/graph.h"

typedef struct eex_filter_group {
    int channels; /* before */
    int count;    /* that are kept, at least 1 */
    int *kept;    /* (count) which, ascending */
} eex_filter_group;

typedef struct eex_filters {
    int *group; /* (nodes) the group whose channels a value has; -1: it keeps all of its own */
    int count;  /* groups */
    eex_filter_group *of; /* (count) */
} eex_filters;

/* The groups all of whose filters are used up to exit k's decision: those of a device's part that
 * is cut behind it; of the last exit all of the network's. Nothing is pruned yet. EEX_EINVAL: there
 * is no such exit, the graph is not finished, or elastic. */
int eex_filters_new(eex_filters **out, const eex_graph *graph, int exit);
void eex_filters_free(eex_filters *filters); /* accepts NULL */

/* Takes away a share (0 to 1) of a group's channels, rounded down, one at least stays: those of the
 * smallest norm (channels of the group), of equal ones the first. */
int eex_filters_prune(eex_filters *filters, int group, const double *norm, double share);

/* Channels of all groups, and those that are gone. */
void eex_filters_total(const eex_filters *filters, int *all, int *gone);

/* A new finished graph with what is kept, under the same names. */
int eex_graph_narrow(eex_graph **out, const eex_graph *graph, const eex_filters *filters);

#endif
