/* Writing a data set, image by image, without holding it in memory. For importers and generators.
 */
#ifndef EEX_CORE_DATA_DATASET_WRITE_H
#define EEX_CORE_DATA_DATASET_WRITE_H

#include "core/data/dataset.h"

#include <stddef.h>
#include <stdint.h>

typedef struct eex_dataset_writer eex_dataset_writer;

typedef struct eex_dataset_spec {
    const char *name;            /* letters, digits, '-', '_', '.' */
    int height, width, channels; /* channels: 1 or 3 */
    const char *const *classes;  /* (class_count) names */
    size_t class_count;
    const char *const *coarse_classes; /* (coarse_count) names, or NULL: see eex_samples.coarse */
    size_t coarse_count;
} eex_dataset_spec;

/* Some images of one part. difficulty and coarse are NULL in every call or in none. */
typedef struct eex_samples {
    size_t count;
    const uint8_t *images;     /* (count, H, W, C) */
    const int32_t *labels;     /* (count), each below class_count */
    const int32_t *coarse;     /* (count) a second, coarser labelling, each below coarse_count */
    const uint8_t *difficulty; /* (count) */
} eex_samples;

/* The file appears at `path` when it is finished. The strings of `spec` are copied. */
int eex_dataset_create(eex_dataset_writer **out, const char *path, const eex_dataset_spec *spec);

int eex_dataset_append(eex_dataset_writer *writer, eex_part part, const eex_samples *samples);

/* Writes labels, mean and deviation, fingerprint and `source` (what it was made from, with
 * checksums), and commits. *writer is gone and NULL afterwards in any case. EEX_EINVAL without
 * training images. */
int eex_dataset_finish(eex_dataset_writer **writer, const char *source);

void eex_dataset_abandon(eex_dataset_writer *writer); /* accepts NULL */

#endif
