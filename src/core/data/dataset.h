/* Data sets: uint8 images with labels in one HDF5 file, NAME.h5 in the data folder.
 *
 * The data folder is $EEX_DATA, else ~/.local/share/eex/data. A file has /train/images
 * (N, H, W, C uint8), /train/labels (N int32) and, where the data set has an official test split,
 * /test/images and /test/labels; docs/store-format.md has the rest.
 *
 * Samples are numbered through: 0 .. train - 1 are the training images, train .. train + test - 1
 * the test images. Splits (split.h), loaders (loader.h) and traces speak in these numbers. */
#ifndef EEX_CORE_DATA_DATASET_H
#define EEX_CORE_DATA_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EEX_DATASET_VERSION = 1,     /* of the file format */
    EEX_DATASET_MAX_SIDE = 1024, /* pixels */
    EEX_DATASET_MAX_CLASSES = 65536
};

typedef struct eex_dataset eex_dataset;

typedef struct eex_dataset_info {
    const char *name, *path;
    int height, width, channels; /* channels: 1 or 3 */
    int classes;
    const char *const *class_names; /* (classes) */
    uint32_t train, test;           /* images of each; test is 0 where there is no official test */
    uint32_t samples;               /* train + test */
    float mean[3], std[3];          /* of the training images, per channel, of values in 0..1 */
    const char *source;             /* what it was made from, with checksums; "" when unknown */
} eex_dataset_info;

/* The data folder; borrowed, valid until $EEX_DATA changes. EEX_ENOTFOUND when neither $EEX_DATA
 * nor $HOME is set. */
int eex_data_directory(const char **out);

/* Opens a data set by name ("cifar10": in the data folder) or by path (with a '/' or ending in
 * ".h5"). A missing one gives EEX_ENOTFOUND with the command that gets it. Labels are read and
 * checked; images are read when first wanted. */
int eex_dataset_open(eex_dataset **out, const char *name_or_path);
void eex_dataset_close(eex_dataset *data); /* accepts NULL */

const eex_dataset_info *eex_dataset_facts(const eex_dataset *data); /* borrowed */

/* Labels of all samples, (samples), each in 0 .. classes - 1. Borrowed. */
const int32_t *eex_dataset_labels(const eex_dataset *data);

/* Difficulty level of all samples (synthetic data only), or NULL. Borrowed. */
const uint8_t *eex_dataset_difficulty(const eex_dataset *data);

/* Copies the images of `count` samples to out, (count, H, W, C), in the order given. The first call
 * reads all images into memory when they fit; bigger sets are read from the file each time. Several
 * threads may call it at once. */
int eex_dataset_gather(uint8_t *out, eex_dataset *data, const uint32_t *samples, size_t count);

/* Largest set, in bytes of images, that is held in memory; before the first gather. */
#define EEX_DATASET_RESIDENT ((size_t)1 << 30) /* the default */
void eex_dataset_set_resident(eex_dataset *data, size_t bytes);

#endif
