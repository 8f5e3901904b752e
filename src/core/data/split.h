/* Disjoint train / calibration / validation / test lists of sample numbers (see dataset.h).
 *
 * Calibration is taken from the training images, stratified by class and drawn by the seed;
 * validation from the data set's own validation part, or likewise from the training images where it
 * has none; test is its own test part, or a share of the training images where there is none.
 * Thresholds come from calibration only, selection from validation only. */
#ifndef EEX_CORE_DATA_SPLIT_H
#define EEX_CORE_DATA_SPLIT_H

#include "core/data/dataset.h"
#include "core/store/store.h"

/* Sorted ascending, no sample twice. */
typedef struct eex_index {
    uint32_t *at;
    size_t count;
} eex_index;

/* Amounts below 1 are fractions of the part that they are taken from, others counts. */
typedef struct eex_split_spec {
    uint64_t seed;
    double calibration, validation;
    double train; /* 0: all that is left */
    double test; /* with an official test split: how much of it, 0 for all. Without: how much of the
                  * training images, 0 for a fifth */
} eex_split_spec;

typedef struct eex_split {
    eex_index train, calibration, validation, test;
} eex_split;

/* EEX_EINVAL when the parts do not fit, or one that is asked for would have no sample. */
int eex_split_make(eex_split *out, const eex_dataset *data, const eex_split_spec *spec);

/* Stored as /GROUP/train, /GROUP/calibration, /GROUP/validation, /GROUP/test (uint32). Reading
 * checks that the lists are sorted, disjoint and inside the data set. */
int eex_split_write(const eex_split *split, eex_store_file *file, const char *group);
int eex_split_read(eex_split *out, eex_store_file *file, const char *group, uint32_t samples);

void eex_split_free(eex_split *split); /* accepts NULL and {0}; leaves {0} */

#endif
