/* A network without some of its filters in the making: what making and writing it share. */
#ifndef EEX_CORE_MODEL_PRUNED_IMPL_H
#define EEX_CORE_MODEL_PRUNED_IMPL_H

#include "core/model/pruned.h"

struct eex_pruned {
    const eex_model *model;
    eex_dataset *data;
    eex_pruning how;
    eex_graph *graph;
    eex_params *params;
    eex_policy *policy;  /* NULL where the model has none */
    eex_trace *trace[2]; /* calibration, validation */
    eex_pruned_facts out;
};

#endif
