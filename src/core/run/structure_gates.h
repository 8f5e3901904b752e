/* Structures that are gates on a backbone: a gene a point, 0 for no gate, i for one with the i-th
 * choice of block counts; where each point has a gate (gates.required) i is the i-th from 0. A
 * genome with more gates than gates.max_exits stands for one without the surplus. In the shared
 * network each point has nested gates of all block counts: exit p * choices + i is point p with
 * choice i. */
#ifndef EEX_CORE_RUN_STRUCTURE_GATES_H
#define EEX_CORE_RUN_STRUCTURE_GATES_H

#include "core/run/experiment.h"
#include "core/run/structure.h"

/* What things cost, in MACs or in milliseconds of one input. A sample that leaves at a gate has run
 * the trunk up to there, that gate and every gate of the structure before it. */
typedef struct eex_gate_costs {
    double trunk[EEX_MAX_EXITS]; /* (points) from the input up to and including the point */
    double gate[EEX_MAX_EXITS];  /* (points, choices) blocks and classifier of a gate alone */
    double base;                 /* the whole backbone */
} eex_gate_costs;

/* Gates of the experiment's block counts at some points of its backbone, which is borrowed.
 * EEX_EINVAL unless points x choices are below EEX_MAX_EXITS. */
int eex_structures_gates(eex_structures **out, const eex_experiment *e, const eex_points *points);

/* ---- within this kind ---- */

typedef struct eex__gates {
    eex_structures head;
    const eex_graph *backbone;
    eex_points points;
    int choices, blocks[EEX_MAX_CHOICES];
    eex_act act;
    eex_gate_family family;
    int channels;
    bool required;
    int max_exits;
    eex_gate_costs macs, ms; /* ms where head.base_ms is a number */
} eex__gates;

int eex__gates_time(eex_structures *s, const eex_latency_table *table, eex_params *shared,
                    const eex_inference *how);
int eex__gates_write_times(eex_store_file *file, const eex_structures *s);
int eex__gates_read_times(eex_structures *s, eex_store_file *file);
int eex__gates_describe(eex_store_file *file, const eex_structures *s);

#endif
