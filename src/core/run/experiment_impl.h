/* For this room alone: what an experiment's description says of what is no plain field. */
#ifndef EEX_CORE_RUN_EXPERIMENT_IMPL_H
#define EEX_CORE_RUN_EXPERIMENT_IMPL_H

#include "core/run/experiment.h"

#include "base/buffer.h"

/* A network as name, shape and digest: " tiny for 32x32x3, 10 classes, 17 nodes, 0123..." */
void eex__describe_network(eex_buffer *out, const eex_graph *graph);

/* The points, and whether a probe ranks them: " 3 7 12, the 2 best by probe" */
void eex__describe_points(eex_buffer *out, const eex_experiment *e);

#endif
