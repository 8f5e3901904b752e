/* A network with a bottleneck in the making: what training it, narrowing it and writing it share.
 */
#ifndef EEX_CORE_MODEL_BOTTLENECK_IMPL_H
#define EEX_CORE_MODEL_BOTTLENECK_IMPL_H

#include "core/data/split.h"
#include "core/model/bottleneck.h"
#include "core/model/narrowed.h"
#include "core/train/train.h"

#include "base/sha256.h"

enum { EEX__BOTTLENECK_VERSION = 1 }; /* of a model file */

/* The network in the making. */
struct eex_bottleneck {
    const eex_model *model;
    eex_bottling how;
    eex_dataset *data;
    eex_index train;
    eex_graph *plain, *graph; /* without quantisation, and with it */
    eex_params *params;       /* of `graph` */
    eex_policy *policy;       /* NULL where the model has none */
    eex_trace *calibration, *validation;
    eex_narrowed narrowed;
    eex_bottled out;
    char network[EEX_SHA256_HEX]; /* of the model's file */
    int step;                     /* of the training, from 1 */
};

/* The number of a parameter that the graph has. */
int eex__bottleneck_param(const eex_graph *graph, const char *name);

/* Finds the range of codes, on the network without them, and sets it. */
int eex__bottleneck_range(eex_bottleneck *b);

/* What the end says of the images that ways are compared on, with fewer channels sent. */
int eex__bottleneck_narrow(eex_bottleneck *b, const eex_index *calibration,
                           const eex_index *validation);

#endif
