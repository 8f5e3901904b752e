/* Batch norm's running statistics taken anew: of weights that were averaged, of a network whose
 * weights are slices of a larger one's (the statistics of the one say nothing about the other), or
 * of a training whose augmentation differs from what comes later. */
#ifndef EEX_CORE_TRAIN_STATISTICS_H
#define EEX_CORE_TRAIN_STATISTICS_H

#include "core/data/dataset.h"
#include "core/train/inference.h"

/* Each running statistic becomes the mean of those of batches of how->batch of these samples, in
 * their order and without augmentation, a smaller last batch weighing less; what was there before
 * does not count. Weights are not touched. EEX_EINVAL without samples; EEX_EINTERRUPTED, with
 * statistics of the batches so far. */
int eex_statistics_estimate(eex_params *params, eex_dataset *data, const uint32_t *samples,
                            size_t count, const eex_inference *how);

#endif
