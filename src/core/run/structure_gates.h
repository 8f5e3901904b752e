/* Structures that are gates on a backbone: the genes of its exits (exit_genes.h). The shared
 * network has all exits. */
#ifndef EEX_CORE_RUN_STRUCTURE_GATES_H
#define EEX_CORE_RUN_STRUCTURE_GATES_H

#include "core/run/exit_genes.h"

/* Gates of the experiment's block counts at some points of its backbone, which is borrowed.
 * EEX_EINVAL unless points x choices are below EEX_MAX_EXITS. */
int eex_structures_gates(eex_structures **out, const eex_experiment *e, const eex_points *points);

/* ---- within this kind ---- */

typedef struct eex__gates {
    eex_structures head;
    const eex_graph *backbone;
    eex_points points;
    eex__exit_genes exits;
    eex__gate_costs macs, ms; /* ms where head.base_ms is a number */
    eex__gate_params params;
} eex__gates;

int eex__gates_networks(const eex_structures *s, eex_device *device, const eex_inference *how,
                        eex_structures_visit *visit, void *context);
int eex__gates_time(eex_structures *s, const eex_latency_table *table, eex_device *device,
                    const eex_inference *how);
int eex__gates_write_times(eex_store_file *file, const eex_structures *s);
int eex__gates_read_times(eex_structures *s, eex_store_file *file);
int eex__gates_describe(eex_store_file *file, const eex_structures *s);

#endif
