/* How a network is run for its answers. */
#ifndef EEX_CORE_TRAIN_INFERENCE_H
#define EEX_CORE_TRAIN_INFERENCE_H

#include "core/plan/plan.h"

typedef struct eex_dataset eex_dataset;   /* core/data/dataset.h */
typedef struct eex_familiar eex_familiar; /* familiar.h */

/* How a network is run for its answers: what plans, engines, traces and latencies have in common.
 */
typedef struct eex_inference {
    int batch;               /* the largest that will come */
    eex_augment normalise;   /* only mean, std and the images' size are used, except by
                              * eex_statistics_estimate */
    eex_precision precision; /* one that eex_precision_infers: thresholds are made from scores of
                              * one precision, and decide about scores of that one alone */
    const eex_familiar *familiar; /* distances are told by it (familiar.h); borrowed; NULL:
                                   * they are not */
    eex_plan_part part;           /* of the network; {0}: the whole */
} eex_inference;

/* The options of a plan that runs so. */
eex_plan_options eex_inference_plan(const eex_inference *how);

/* The size of a data set's images, for whoever reads them from there; NULL: nothing. */
void eex_augment_fit(eex_augment *out, const eex_dataset *data);

#endif
