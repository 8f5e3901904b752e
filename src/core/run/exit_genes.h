/* Genes of exits: one a point, 0 for no exit there (where each point has one, gates.required, there
 * is no such option, and the others count from 0). The others say which gate is there and, where
 * thresholds are genes too (gates.thresholds), at which threshold samples leave it:
 * 1 + choice * levels + level, else 1 + choice. Every kind of structures has them, behind whatever
 * genes its network has. A genome with more exits than gates.max_exits stands for one without the
 * surplus.
 *
 * "All exits" of a network are gates of every choice at every point, nested: exit p * choices + i
 * is point p with choice i, the end of the network comes last. */
#ifndef EEX_CORE_RUN_EXIT_GENES_H
#define EEX_CORE_RUN_EXIT_GENES_H

#include "core/run/experiment.h"
#include "core/run/structure.h"

typedef struct eex__exit_genes {
    int points;
    int choices, blocks[EEX_MAX_CHOICES];
    bool fixed;              /* each point has a block count of its own, and is its only choice: */
    int each[EEX_MAX_GATES]; /* (points) */
    int levels;              /* 0: thresholds are no genes */
    double level[EEX_MAX_LEVELS]; /* (levels) for eex_policy.a */
    eex_gate_family family;
    eex_act act;
    int channels;  /* as eex_gate.channels */
    bool required; /* each point has an exit */
    int max_exits; /* 0: no limit */
} eex__exit_genes;

/* What things cost, in MACs or in milliseconds of one input. A sample that leaves at a gate has run
 * the trunk up to there, that gate and every gate of the structure before it. */
typedef struct eex__gate_costs {
    double trunk[EEX_MAX_EXITS]; /* (points) from the input up to and including the point */
    double gate[EEX_MAX_EXITS];  /* (points, choices) blocks and classifier of a gate alone */
    double base;                 /* the network to its end, without gates */
} eex__gate_costs;

/* Trainable parameters of the network without gates, and of a gate alone. */
typedef struct eex__gate_params {
    double base;
    double gate[EEX_MAX_EXITS]; /* (points, choices) */
} eex__gate_params;

/* Those of an experiment at so many points. EEX_EINVAL unless points x choices are below
 * EEX_MAX_EXITS. */
int eex__exit_genes_of(eex__exit_genes *out, const eex_experiment *e, int points);

int eex__exit_genes_options(const eex__exit_genes *g); /* of each gene */

/* Which gate a gene says, as a number among the choices; -1: none. And the gate itself, at the p-th
 * of the points. */
int eex__exit_gene_choice(const eex__exit_genes *g, int gene);
eex_gate eex__exit_gene_gate(const eex__exit_genes *g, const eex_points *points, int p, int choice);

/* How many exits the genes have, the end among them. */
int eex__exit_genes_count(const eex__exit_genes *g, const int *genes);

/* Takes surplus exits away, in an order that is drawn from the genes themselves. */
void eex__exit_genes_limit(int *genes, const eex__exit_genes *g);

/* The network with all exits at these nodes of it. */
int eex__exit_genes_all(eex_graph **out, const eex__exit_genes *g, const eex_graph *network,
                        const eex_points *points);

/* For each exit that the genes have, and the end: its number among all exits, its place from 1, its
 * a (NaN: as the policy has it, which the end's always is). */
void eex__exit_genes_columns(int *out, const eex__exit_genes *g, const int *genes);
void eex__exit_genes_positions(int32_t *out, const eex__exit_genes *g, const int *genes);
void eex__exit_genes_thresholds(double *a, const eex__exit_genes *g, const int *genes);

/* Counted on a network with all exits. */
void eex__gate_costs_count(eex__gate_costs *out, const eex__exit_genes *g, const eex_graph *all);
int eex__gate_params_count(eex__gate_params *out, const eex__exit_genes *g, const eex_graph *all);

/* Costs of the exits that the genes have; ms NULL: no times are known. */
void eex__exit_genes_costs(eex_structure_costs *out, const eex__exit_genes *g, const int *genes,
                           const eex__gate_costs *macs, const eex__gate_costs *ms,
                           const eex__gate_params *params);

/* "8 gates at 4 points" */
int eex__exit_genes_summary(char *out, size_t size, const eex__exit_genes *g);

#endif
