/* Model files with the device's part of a network alone: what it is, policy and what is familiar as
 * in every model file, and of the weights those up to a cut, a bottleneck's encoder among them.
 *
 * /prints says what tells the whole network from others, since its weights are not there: a server
 * is asked by it. eex_model_open_part opens such a file; docs/store-format.md has the layout. */
#ifndef EEX_CORE_MODEL_FRONT_H
#define EEX_CORE_MODEL_FRONT_H

#include "core/model/model.h"

/* Writes the part of a model that was opened with EEX_PLAN_FRONT, cut where that is. The predictor
 * is a file of its own (predictor.h). EEX_EINVAL: it was opened otherwise. */
int eex_front_write(const eex_model *model, const char *path);

#endif
