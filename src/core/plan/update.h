/* A step of the optimiser by itself, over all parameters: for gradients that several plans, or
 * none, have left (eex_plan_options.gradient_only). Clipping, moments, decay and moving averages
 * are those of a plan's own step. */
#ifndef EEX_CORE_PLAN_UPDATE_H
#define EEX_CORE_PLAN_UPDATE_H

#include "core/plan/plan.h"

typedef struct eex_update eex_update;

/* state is borrowed and outlives the update, as its parameters do. */
int eex_update_new(eex_update **out, const eex_optimizer *optimizer, eex_optimizer_state *state);
void eex_update_free(eex_update *update); /* accepts NULL */

/* The gradient becomes zero. */
int eex_update_clear(eex_update *update);

/* Steps by the gradient that is there: step->lr and step->step count. */
int eex_update_run(eex_update *update, const eex_step *step);

/* The gradient's norm in front of the last step; 0 where nothing clips. */
int eex_update_norm(eex_update *update, double *out);

#endif
