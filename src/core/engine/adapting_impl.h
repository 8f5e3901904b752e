/* What adapting a model and its rivals share. */
#ifndef EEX_CORE_ENGINE_ADAPTING_IMPL_H
#define EEX_CORE_ENGINE_ADAPTING_IMPL_H

#include "core/engine/adapting.h"

/* A trace with the exits of a cut network and the policy that decides there. */
typedef struct eex__adapting_side {
    eex_trace *trace;
    eex_policy *policy;
    eex_adapter *adapter;
} eex__adapting_side;

void eex__adapting_side_free(eex__adapting_side *side);

/* Of `exits` - 1 exits in front of the cut, and the end: trace and policy, scored by it. */
int eex__adapting_select(eex__adapting_side *side, const eex_trace *trace, const eex_policy *policy,
                         int exits, eex_device *device);

/* What the parts of a model take on its device, in place of what they cost; *speed of it. predictor
 * NULL: there is none. */
int eex__adapting_times(eex_parts *parts, double *speed, const eex_adapting *wish,
                        const eex_model *model, const eex_exit_predictor *predictor);

/* ---- a network without some of its filters ---- */

/* Of wish->filtered beside `model`: how it answers a split by the model's thresholds, its parts cut
 * alike. *speed: where times are measured, the speed that they count by. */
int eex__adapting_filtered(eex__adapting_side *side, double *speed, const eex_model *model,
                           const eex_adapting *wish, const char *split, int samples);

#endif
