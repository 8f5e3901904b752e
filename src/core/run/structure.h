/* Structures: what a genome stands for.
 *
 * A search space is one kind of structures over one network: gates on a backbone, or networks of an
 * elastic backbone with gates on them. A kind is a struct of functions; an implementation has
 * eex_structures as its first member. Whoever searches, judges or trains asks these and never reads
 * a gene.
 *
 * The shared network is the one that holds every structure of the space: it is trained once, and
 * the structures take their weights from it. The base is the (largest) network without any exit,
 * with which costs are compared. A genome's network with all exits that it may have answers for
 * every choice of exits on it; without genes of the network it is the shared one.
 *
 * Genomes are of `space`, within it (eex_space_check), and in canonical form wherever a space has
 * one: graphs and costs are those of the genome as it is. */
#ifndef EEX_CORE_RUN_STRUCTURE_H
#define EEX_CORE_RUN_STRUCTURE_H

#include "core/engine/latency_table.h"
#include "core/plan/params.h"
#include "core/run/experiment.h"
#include "core/store/store.h"
#include "device/decide.h"
#include "search/space.h"

/* Of one input that leaves at each exit, the end of the network among them: everything that is
 * executed for it. */
typedef struct eex_structure_costs {
    int exits;
    double macs[EEX_MAX_EXITS]; /* (exits) */
    double ms[EEX_MAX_EXITS];   /* (exits) milliseconds by the table; NaN: no times are known */
    double params;              /* trainable parameters of the network; NaN: nobody counts them */
} eex_structure_costs;

enum { EEX_STRUCTURE_SUMMARY = 64 };

typedef struct eex_structures eex_structures;

/* Is given networks of a space one after the other, `number` of `count`, from 0. */
typedef int eex_structures_visit(void *context, const eex_graph *graph, int number, int count);

/* What an implementation gives: each function answers for the one below with its name. Genomes
 * have been checked. */
typedef struct eex_structures_kind {
    int (*graph)(eex_graph **out, const eex_structures *s, const int *genome);
    int (*shared)(eex_graph **out, const eex_structures *s);
    int (*all)(eex_graph **out, const eex_structures *s, const int *genome);
    void (*columns)(int *out, const eex_structures *s, const int *genome);
    int (*weights)(eex_params *out, const eex_structures *s, const int *genome,
                   const eex_params *shared);
    int (*costs)(eex_structure_costs *out, const eex_structures *s, const int *genome);
    void (*positions)(int32_t *out, const eex_structures *s, const int *genome);
    void (*thresholds)(double *a, const eex_structures *s, const int *genome);
    int (*networks)(const eex_structures *s, eex_device *device, const eex_inference *how,
                    eex_structures_visit *visit, void *context);
    int (*time)(eex_structures *s, const eex_latency_table *table, eex_device *device,
                const eex_inference *how);
    int (*write_times)(eex_store_file *file, const eex_structures *s);
    int (*read_times)(eex_structures *s, eex_store_file *file);
    int (*describe)(eex_store_file *file, const eex_structures *s);
    void (*summary)(char out[EEX_STRUCTURE_SUMMARY], const eex_structures *s);
    void (*free)(eex_structures *s);
} eex_structures_kind;

struct eex_structures {
    const eex_structures_kind *kind;
    eex_space space; /* good as long as the structures are */
    double base_macs;
    double base_ms; /* NaN: no times are known */
    int levels;     /* thresholds that genes choose among; 0: they are none of theirs */
    double level[EEX_MAX_LEVELS]; /* (levels) for eex_policy.a */
};

/* The structures of an experiment with exits at some points of its backbone, which is borrowed: of
 * the kind that the backbone calls for. */
int eex_structures_new(eex_structures **out, const eex_experiment *e, const eex_points *points);
void eex_structures_free(eex_structures *s); /* accepts NULL */

/* ---- of one genome: EEX_EINVAL for a gene that is out of range ---- */

int eex_structures_graph(eex_graph **out, const eex_structures *s, const int *genome);

/* The genome's network with all exits. */
int eex_structures_all(eex_graph **out, const eex_structures *s, const int *genome);

/* For each exit of the genome's network the exit of eex_structures_all's that says the same, so
 * that a trace of that one answers for it: as many as costs->exits. */
int eex_structures_columns(int *out, const eex_structures *s, const int *genome);

/* Searches ask for thousands a second: gates on a backbone need no memory for it; of an elastic
 * backbone what a network costs is counted once and kept while it is among the last few that were
 * asked for. One thread at a time. */
int eex_structures_costs(eex_structure_costs *out, const eex_structures *s, const int *genome);

/* For each exit its place in the order of all that the space has, from 1; the end is behind them.
 */
int eex_structures_positions(int32_t *out, const eex_structures *s, const int *genome);

/* For each exit the eex_policy.a at which samples leave; NaN where the genome does not say, as of
 * the end. */
int eex_structures_thresholds(double *a, const eex_structures *s, const int *genome);

/* Weights of the genome's network, or of a part of it that was cut out, from those of the shared
 * one, or of the base where it is enough; EEX_EFORMAT when it lacks some. Running statistics of a
 * network that is a slice of a larger one mean nothing before they are taken anew. */
int eex_structures_weights(eex_params *out, const eex_structures *s, const int *genome,
                           const eex_params *shared);

/* ---- of all of them ---- */

int eex_structures_shared(eex_graph **out, const eex_structures *s);

/* Visits networks with all exits that have between them every operation that eex_structures_time
 * looks up: the shared one; of an elastic backbone as few as will do. An error of the visitor ends
 * it. EEX_EUNSUPPORTED: an elastic backbone with too many operations. */
int eex_structures_networks(const eex_structures *s, eex_device *device, const eex_inference *how,
                            eex_structures_visit *visit, void *context);

/* Times of everything in the space, and base_ms, from a table that has the operations of those
 * networks, run so. EEX_ENOTFOUND names what the table lacks; EEX_EUNSUPPORTED as above. */
int eex_structures_time(eex_structures *s, const eex_latency_table *table, eex_device *device,
                        const eex_inference *how);

/* Those times as members of a file, and back. */
int eex_structures_write_times(eex_store_file *file, const eex_structures *s);
int eex_structures_read_times(eex_structures *s, eex_store_file *file);

/* The space itself under /space of a file: what structure_described.h reads. */
int eex_structures_describe(eex_store_file *file, const eex_structures *s);

/* What the shared network has: "8 gates at 4 points". */
void eex_structures_summary(char out[EEX_STRUCTURE_SUMMARY], const eex_structures *s);

#endif
