/* Batch norm's running statistics taken anew: of weights that were averaged, or of a network whose
 * weights are slices of a larger one's (the statistics of the one say nothing about the other). */
#ifndef EEX_CORE_TRAIN_STATISTICS_H
#define EEX_CORE_TRAIN_STATISTICS_H

#include "core/data/dataset.h"
#include "core/train/inference.h"

/* `count` of `total` samples, at even distances, in an order in which each batch has some from all
 * over: samples may be sorted by class, and the variance within one class is not that of all.
 * 1 <= count <= total. */
void eex_statistics_choose(uint32_t *out, size_t count, const uint32_t *samples, size_t total,
                           int batch);

/* Each running statistic becomes the mean of those of batches of how->batch of these samples, in
 * their order, a smaller last batch weighing less; what was there before does not count. Where
 * how->normalise is enabled, images are augmented as it says, each always in the same way. That is
 * how weights want it that have learned from augmented images: the black frame of random crops
 * changes the first layers' means and variances, and with those of whole images a network is off by
 * several points. Weights are not touched. EEX_EINVAL without samples; EEX_EINTERRUPTED, with
 * statistics of the batches so far. */
int eex_statistics_estimate(eex_params *params, eex_dataset *data, const uint32_t *samples,
                            size_t count, const eex_inference *how);

#endif
