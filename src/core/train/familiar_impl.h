/* What the files of familiarity share. */
#ifndef EEX_CORE_TRAIN_FAMILIAR_IMPL_H
#define EEX_CORE_TRAIN_FAMILIAR_IMPL_H

#include "core/train/familiar.h"

/* Channels of what exit k's gate reads; 0 for the end of the backbone, which reads logits, and
 * where there are too many. */
int eex__familiar_channels(const eex_graph *graph, int k);

/* All zero. */
int eex__familiar_new(eex_familiar **out, int exits, const int *channels);

/* mean (c) of a value (hw, c) over its pixels. */
void eex__familiar_pool(float *mean, const float *value, int hw, int c);

#endif
