/* What the engine's files share. */
#ifndef EEX_CORE_ENGINE_ENGINE_IMPL_H
#define EEX_CORE_ENGINE_ENGINE_IMPL_H

#include "core/engine/engine.h"
#include "core/engine/queue.h"
#include "core/engine/walk.h"

struct eex_engine {
    eex_walk walk; /* with the plan, of eex_engine_rows images */
    eex_device *device;
    const eex_params *params; /* of the network, borrowed */
    eex_guest *predictor;     /* of the walk; NULL: no gate is skipped */
    eex_guest *distances;     /* of the walk; NULL: the policy rejects nobody by distance */
    int batch, exits;
    eex_plan_part part; /* of the network that it has */
    size_t image_bytes;
    eex_queue *queue;
};

/* Rows of the engine's plan for batches of up to how->batch images. */
int eex__engine_rows(const eex_device *dev, const eex_graph *graph, const eex_inference *how);

/* EEX_EINVAL, in the name of who was called, where it has a part of the network alone: that is run
 * by eex_onset_run or eex_rest_run. */
int eex__engine_check_whole(const eex_engine *engine, const char *who);

/* The queue in front of the engine, whose batch and images are known. */
int eex__engine_queue_new(eex_engine *engine);

#endif
