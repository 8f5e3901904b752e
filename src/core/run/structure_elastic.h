/* Structures of an elastic backbone (core/graph/elastic.h): its genes, then those of the exits
 * (exit_genes.h). The shared network is the elastic one with all exits, itself elastic; a genome's
 * weights are slices of its.
 *
 * A gate reads the value of its point, wherever that comes from: where a point's node is not there
 * the gate stands on the node before it, so that "behind a stage" is a point whatever the depth of
 * the stage. Two points may not be one in any network. */
#ifndef EEX_CORE_RUN_STRUCTURE_ELASTIC_H
#define EEX_CORE_RUN_STRUCTURE_ELASTIC_H

#include "core/run/elastic_cover.h"
#include "core/run/exit_genes.h"

/* At some points of the experiment's backbone, which is borrowed. EEX_EINVAL: too many gates, or
 * points that eex_elastic_points_check refuses. */
int eex_structures_elastic(eex_structures **out, const eex_experiment *e, const eex_points *points);

/* EEX_EINVAL names a point that some network has no place for, or two that are one in some. */
int eex_elastic_points_check(const eex_graph *backbone, const eex_points *points);

/* ---- within this kind ---- */

enum { EEX__KEPT_COSTS = 64 };

/* What a network costs, of the last few that were asked for. */
typedef struct eex__known_costs {
    uint64_t used; /* when; 0: nothing is here */
    int genes[EEX_GENES];
    eex__gate_costs macs, ms;
    eex__gate_params params;
} eex__known_costs;

/* What nodes of the network with all exits take, each in every shape that it can have. */
typedef struct eex__elastic_times {
    eex__cells cells;
    double *ms;   /* (cells.count) bringing images in and fetching results is part of the input */
    double leave; /* asking whether to, at every gate and at the end */
} eex__elastic_times;

typedef struct eex__elastic {
    eex_structures head;
    const eex_graph *backbone;
    eex_points points;
    int genes; /* of the backbone: those of the exits follow */
    eex__exit_genes exits;
    eex_graph *all;           /* the elastic network with all exits */
    eex__elastic_times times; /* where head.base_ms is a number */
    struct {
        uint64_t now;
        eex__known_costs at[EEX__KEPT_COSTS];
    } * costs;
} eex__elastic;

int eex__elastic_networks(const eex_structures *s, eex_device *device, const eex_inference *how,
                          eex_structures_visit *visit, void *context);
int eex__elastic_time(eex_structures *s, const eex_latency_table *table, eex_device *device,
                      const eex_inference *how);
int eex__elastic_write_times(eex_store_file *file, const eex_structures *s);
int eex__elastic_read_times(eex_structures *s, eex_store_file *file);

/* Of a network's genes, where times are known. */
void eex__elastic_gate_times(eex__gate_costs *out, const eex__elastic *x, const int *genome);

int eex__elastic_describe(eex_store_file *file, const eex_graph *backbone,
                          const eex__exit_genes *exits, const eex_points *points);

#endif
