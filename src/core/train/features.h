/* Features: what a fixed trunk computes at the points where gates read it, for every sample, once.
 * Training gates on them costs nothing for the trunk (regime "frozen"). */
#ifndef EEX_CORE_TRAIN_FEATURES_H
#define EEX_CORE_TRAIN_FEATURES_H

#include "core/data/dataset.h"
#include "core/train/inference.h"

typedef struct eex_features {
    int points;
    int node[EEX_MAX_EXITS];    /* trunk nodes that gates read */
    size_t row[EEX_MAX_EXITS];  /* floats of one sample */
    float *rows[EEX_MAX_EXITS]; /* (samples given, row) */
    float *batch;               /* scratch: one batch of the widest point */
    uint32_t *place;            /* (samples of the data set) row of a sample number */
} eex_features;

/* Runs the trunk over the samples without augmentation. */
int eex_features_record(eex_features **out, eex_params *params, eex_dataset *data,
                        const uint32_t *samples, size_t count, const eex_inference *how);
void eex_features_free(eex_features *features); /* accepts NULL */

/* Uploads the features of these samples to a plan that trains gates on features. */
int eex_features_feed(const eex_features *features, eex_plan *plan, const uint32_t *samples,
                      int batch);

#endif
