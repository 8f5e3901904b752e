/* What leaving a model at each exit costs, from its files: nothing is run. */
#ifndef EEX_CORE_MODEL_COSTS_H
#define EEX_CORE_MODEL_COSTS_H

#include "core/model.h"

typedef struct eex_model_costs {
    int exits;
    double macs[EEX_MAX_EXITS]; /* everything executed for one input that leaves there */
    double base_macs;           /* the last exit alone, without the gates on the way */
    bool timed;                 /* milliseconds are known */
    double ms[EEX_MAX_EXITS];   /* of one input, measured; NaN unless timed */
    double base_ms;
} eex_model_costs;

/* Milliseconds come from the model file's exits/latency_ms where it has them, else from the table
 * that its run has measured (latency.h5). Neither is no error: timed is false then. */
int eex_model_costs_of(eex_model_costs *out, const eex_model *model);

#endif
