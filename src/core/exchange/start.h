/* A model file of a network that nobody has trained here: what a run may start from. */
#ifndef EEX_CORE_EXCHANGE_START_H
#define EEX_CORE_EXCHANGE_START_H

#include "core/model/model.h"

#include "base/buffer.h"

/* What a network reads whose experiment names this data set. Where that is not here (*there is
 * false) images are taken to be of the network's own size with ImageNet's mean and deviation, and
 * classes are called by their numbers. EEX_EINVAL: images or classes do not fit the network. *out
 * is the caller's. */
int eex_start_input(eex_input *out, bool *there, const eex_graph *graph, const char *dataset);

/* Writes the model file: parameters and input, without a policy. */
int eex_start_write(const char *path, const eex_params *params, const eex_input *input,
                    eex_precision precision);

/* Appends an experiment as Lua: this backbone, node by node, on this data set, everything else by
 * default. Names are of a graph and of a data set, which need no quoting. */
int eex_start_script(eex_buffer *out, const eex_graph *graph, const char *dataset,
                     const char *origin);

#endif
