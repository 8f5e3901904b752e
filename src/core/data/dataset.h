/* Data sets: uint8 images with labels in one HDF5 file, NAME.h5 in the data folder.
 *
 * The data folder is $EEX_DATA, else ~/.local/share/eex/data. A file has /train/images
 * (N, H, W, C uint8), /train/labels (N int32) and the same under /validation and /test where the
 * data set has these parts of its own; docs/store-format.md has the rest.
 *
 * Samples are numbered through: 0 .. train - 1 are the training images, behind them come those of
 * the validation part, then those of the test part. Splits (split.h), loaders (loader.h) and traces
 * speak in these numbers, so they mean something for one content alone: its fingerprint says which.
 */
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

/* The parts of a data set, in the order of their samples' numbers. */
typedef enum eex_part {
    EEX_PART_TRAIN,
    EEX_PART_VALIDATION, /* of the data set's own; empty where it has none */
    EEX_PART_TEST,       /* likewise */
    EEX_PARTS
} eex_part;

const char *eex_part_name(eex_part part); /* "train", "validation", "test": the groups' names */

enum { EEX_FINGERPRINT = 65 }; /* 64 hexadecimal digits and a NUL */

typedef struct eex_dataset eex_dataset;

typedef struct eex_dataset_info {
    const char *name, *path;
    int height, width, channels; /* channels: 1 or 3 */
    int classes;
    const char *const *class_names;   /* (classes) */
    uint32_t train, validation, test; /* images of each part; 0: it has none of its own */
    uint32_t samples;                 /* of all parts */
    float mean[3], std[3];            /* of the training images, per channel, of values in 0..1; std
                                       * is what is divided by: 1 for a constant channel */
    float deviation[3];               /* what that really is: 0 for a constant channel */
    const char *source;               /* what it was made from, with checksums; "" when unknown */
} eex_dataset_info;

/* The data folder; borrowed, valid until $EEX_DATA changes. EEX_EINVAL when it is a file,
 * EEX_ENOTFOUND when neither $EEX_DATA nor $HOME is set. */
int eex_data_directory(const char **out);

/* Whether a name is the path of a file: with a '/' or ending in ".h5". */
bool eex_dataset_is_path(const char *name);

/* Opens a data set by name ("cifar10": in the data folder) or by path. A missing one gives
 * EEX_ENOTFOUND with the command that gets it. Labels are read and checked; images are read when
 * first wanted. */
int eex_dataset_open(eex_dataset **out, const char *name_or_path);
void eex_dataset_close(eex_dataset *data); /* accepts NULL */

const eex_dataset_info *eex_dataset_facts(const eex_dataset *data); /* borrowed */

/* Labels of all samples, (samples), each in 0 .. classes - 1. Borrowed. */
const int32_t *eex_dataset_labels(const eex_dataset *data);

/* Difficulty level of all samples (synthetic data only), or NULL. Borrowed. */
const uint8_t *eex_dataset_difficulty(const eex_dataset *data);

/* The samples [*first, *first + *count) of a part. */
void eex_dataset_part(uint32_t *first, uint32_t *count, const eex_dataset *data, eex_part part);

/* What the data set is, whatever it is called: SHA-256 over the shape, the names of its classes and
 * every part's pixels and labels in their order. Made when the set was written; of files without
 * one it is made now, which reads all of their images. EEX_EINTERRUPTED. */
int eex_dataset_fingerprint(char out[EEX_FINGERPRINT], eex_dataset *data);

/* Copies the images of `count` samples to out, (count, H, W, C), in the order given. The first call
 * reads all images into memory when they fit; bigger sets are read from the file each time. Several
 * threads may call it at once. */
int eex_dataset_gather(uint8_t *out, eex_dataset *data, const uint32_t *samples, size_t count);

/* Largest set, in bytes of images, that is held in memory; before the first gather. */
#define EEX_DATASET_RESIDENT ((size_t)1 << 30) /* the default */
void eex_dataset_set_resident(eex_dataset *data, size_t bytes);

#endif
