/* Latency tables of a whole search space, and how well they predict. */
#ifndef EEX_CORE_RUN_LATENCY_SPACE_H
#define EEX_CORE_RUN_LATENCY_SPACE_H

#include "core/engine/latency_table.h"
#include "core/model/model.h"
#include "core/run/experiment.h"

/* Measures every operation that a structure of the experiment's space can have and that the table
 * lacks: trunk, every gate at every point and block count, of an elastic backbone those of all its
 * networks with all their gates, in the experiment's precision. *added counts them. Weights are
 * drawn, none are trained, no data is read. */
int eex_latency_space(eex_latency_table *table, int *added, const eex_experiment *e,
                      eex_device *device);

/* Prediction against measurement: one pair for each exit of each structure. */
typedef struct eex_latency_error {
    int structures;
    size_t pairs;
    struct eex_latency_pair {
        int structure, exit;
        double predicted, measured; /* milliseconds of one input that leaves there */
    } * pair;
    double mape, worst; /* mean and largest of |predicted - measured| / measured */
    double tau;         /* Kendall's, over all pairs; NaN where there is no order */
    double tau_ends;    /* and over the structures, for inputs that go to the end */
    bool disturbed;     /* rounds of a measurement disagree: base/laps.h */
} eex_latency_error;

/* Compares for `structures` random structures of the space, seeded by the experiment, and for the
 * network `chosen` (NULL: none). Each runs for real, one input at a time. A structure with an
 * operation that the table still lacks has it measured first; *added counts them. */
int eex_latency_check(eex_latency_error *out, eex_latency_table *table, int *added,
                      const eex_experiment *e, eex_device *device, const eex_model *chosen,
                      int structures);
void eex_latency_error_free(eex_latency_error *error); /* leaves {0} */

/* Under /error of a table's file. */
int eex_latency_error_save(const eex_latency_error *error, eex_store_file *file);

/* How the networks of the space are run: on inputs that nobody looks at, of the size of the data
 * set's where that is here, else of the network's. */
int eex__latency_inference(eex_inference *out, const eex_experiment *e);

#endif
