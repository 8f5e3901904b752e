/* What the parts of a cut network take on the device that they run on, in the place of what they
 * cost. */
#ifndef EEX_CORE_ENGINE_PART_TIMES_H
#define EEX_CORE_ENGINE_PART_TIMES_H

#include "core/engine/latency_table.h"
#include "core/engine/part_costs.h"
#include "core/model/predictor.h"

/* Replaces the device's amounts in `parts`, which eex_part_costs has made of the model, by measured
 * times. They stay amounts of operations: time by *speed, operations a second, which is that of the
 * whole network without gates, so that they stand beside the server's. An encoder's share of what
 * lies behind the cut is told by its operations. predictor: its graph and parameters, or NULL.
 * Times are those of single inputs, from a table (latency_table.h) that gets what it lacks. */
int eex_part_times(eex_parts *parts, double *speed, eex_latency_table *table,
                   const eex_model *model, const eex_exit_predictor *predictor);

#endif
