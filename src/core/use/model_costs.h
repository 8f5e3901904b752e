/* What leaving a model at each exit costs. */
#ifndef EEX_CORE_USE_MODEL_COSTS_H
#define EEX_CORE_USE_MODEL_COSTS_H

#include "core/model/model.h"

typedef struct eex_model_costs {
    int exits;
    double macs[EEX_MAX_EXITS]; /* everything executed for one input that leaves there */
    double base_macs;           /* the last exit alone, without the gates on the way */
    bool timed;                 /* milliseconds are known */
    double ms[EEX_MAX_EXITS];   /* of one input, measured; NaN unless timed */
    double base_ms;
} eex_model_costs;

/* From its files: nothing is run. Milliseconds are those of the table that its run has measured
 * (latency.h5); without one timed is false, which is no error. */
int eex_model_costs_of(eex_model_costs *out, const eex_model *model);

/* Fills the milliseconds of the run or model file at `path` by running it on the device, one input
 * at a time: lower quartiles of 51 rounds, in turns with the base (race.h). Warns where rounds
 * disagree. costs must be those of this model. */
int eex_model_costs_measure(eex_model_costs *costs, const char *path, eex_device *device);

#endif
