/* Structures of an elastic backbone (core/graph/elastic.h): its genes, then those of the exits
 * (exit_genes.h). The shared network is the elastic one with all exits, itself elastic; a genome's
 * weights are slices of its.
 *
 * A gate reads the value of its point, wherever that comes from: where a point's node is not there
 * the gate stands on the node before it, so that "behind a stage" is a point whatever the depth of
 * the stage. Two points may not be one in any network. */
#ifndef EEX_CORE_RUN_STRUCTURE_ELASTIC_H
#define EEX_CORE_RUN_STRUCTURE_ELASTIC_H

#include "core/run/exit_genes.h"

/* At some points of the experiment's backbone, which is borrowed. EEX_EINVAL: too many gates, or
 * points that eex_elastic_points_check refuses. */
int eex_structures_elastic(eex_structures **out, const eex_experiment *e, const eex_points *points);

/* EEX_EINVAL names a point that some network has no place for, or two that are one in some. */
int eex_elastic_points_check(const eex_graph *backbone, const eex_points *points);

/* EEX_EUNSUPPORTED where the backbone is elastic: a table of every operation of every network would
 * have too many entries, so latencies of such structures are not known. */
int eex_elastic_check_latency(const eex_graph *backbone);

/* ---- within this kind ---- */

int eex__elastic_describe(eex_store_file *file, const eex_graph *backbone,
                          const eex__exit_genes *exits, const eex_points *points);

#endif
