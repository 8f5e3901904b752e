/* Latency tables: what every operation takes on a device, measured once.
 *
 * An entry is one shape of an operation, as a plan for one input has it: what it is, its window,
 * what is fused into it, and its precision unless that is float32. Networks that have the operation
 * anywhere share the entry, so a table of a few hundred numbers tells the latency of every
 * structure of a search space without running it. */
#ifndef EEX_CORE_ENGINE_LATENCY_TABLE_H
#define EEX_CORE_ENGINE_LATENCY_TABLE_H

#include "core/plan/plan.h"
#include "core/train/inference.h"

enum { EEX_LATENCY_KEY = 128, EEX_LATENCY_MAX = 1 << 16 };

typedef struct eex_latency_entry {
    char key[EEX_LATENCY_KEY]; /* "conv 24x8x8 to 24x8x8 k3 s1 p1 g1 bias relu6" */
    double ms;                 /* of one input */
    int places;                /* at which it was timed: ms is their mean */
} eex_latency_entry;

typedef struct eex_latency_table {
    char device[128]; /* that it is of: name, threads and instruction set */
    size_t count, capacity;
    eex_latency_entry *at; /* sorted by key */
    bool disturbed;        /* rounds of what was measured since it was made or read disagreed:
                            * base/laps.h */
} eex_latency_table;

int eex_latency_table_new(eex_latency_table **out, const eex_device *device);
void eex_latency_table_free(eex_latency_table *table); /* accepts NULL */

int eex_latency_table_load(eex_latency_table **out, const char *path);
/* Into a file of its own, or one that is being made and gets more. */
int eex_latency_table_save(const eex_latency_table *table, eex_store_file *file);

/* EEX_OK when the table is of this device; else EEX_EINVAL naming both. */
int eex_latency_table_is_of(const eex_latency_table *table, const eex_device *device);

/* ---- measuring ---- */

/* Times what the table lacks of a network's operations, where they stand on the way to each exit,
 * with one input; *added counts them. A network that needs nothing new is not run. What leaving,
 * the input and the results take are entries, too. Operations are timed one at a time; what that
 * adds to the network as a whole is taken off again. The device is the caller's alone meanwhile.
 * how->batch is taken for 1. */
int eex_latency_table_add(eex_latency_table *table, int *added, const eex_graph *graph,
                          eex_params *params, const eex_inference *how);

/* ---- looking up ---- */

/* What an operation is called in a table. EEX_EUNSUPPORTED for one that inference plans do not
 * have. */
int eex_latency_key(char out[EEX_LATENCY_KEY], const eex_op *op);

/* Milliseconds of an entry. EEX_ENOTFOUND names it. */
int eex_latency_find(double *ms, const eex_latency_table *table, const char *key);

/* Milliseconds of each op of a plan: (eex_plan_ops) doubles. */
int eex_latency_ops(double *ms, const eex_latency_table *table, const eex_plan *plan);

/* What is the same for every network that is given images of one shape. The plan is of inference.
 */
typedef struct eex_latency_extras {
    double input;   /* bringing the image in */
    double leave;   /* at every exit that is reached */
    double results; /* fetching them */
} eex_latency_extras;
int eex_latency_extra(eex_latency_extras *out, const eex_latency_table *table,
                      const eex_plan *plan);

/* Milliseconds of one input that leaves at each exit: (exits) doubles. The plan is the graph's. */
int eex_latency_predict(double *ms, const eex_latency_table *table, const eex_graph *graph,
                        const eex_plan *plan);

/* ---- for latency_probe.c, and who looks for operations without a table ---- */

/* Adds an entry, or changes it. */
int eex__latency_put(eex_latency_table *table, const char *key, double ms, int places);
bool eex__latency_has(const eex_latency_table *table, const char *key);
int eex__latency_places(const eex_latency_table *table, const char *key);

enum { EEX__LATENCY_EXTRAS = 3 };
/* Keys of the extras in the order of their struct. */
void eex__latency_extra_keys(char out[EEX__LATENCY_EXTRAS][EEX_LATENCY_KEY], const eex_plan *plan);

#endif
