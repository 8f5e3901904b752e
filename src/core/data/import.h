/* Importers: files that people have into a data set (dataset.h).
 *
 * Each writes the data set to `out_path` (complete or not at all). Progress is on stderr. Errors
 * name the file, where in it, and what was expected. EEX_EINTERRUPTED leaves nothing behind. */
#ifndef EEX_CORE_DATA_IMPORT_H
#define EEX_CORE_DATA_IMPORT_H

#include "core/data/image.h"

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CIFAR in the official binary layout: data_batch_1..5.bin and test_batch.bin, or train.bin and
 * test.bin with a coarse label in front of the fine one. `folder` holds them, or holds
 * cifar-10-batches-bin or cifar-100-binary. Class names come from batches.meta.txt or
 * {fine,coarse}_label_names.txt where these are there. */
int eex_import_cifar10(const char *out_path, const char *name, const char *folder);

/* coarse: the 20 superclasses become the labels. Otherwise they are kept beside the 100. */
int eex_import_cifar100(const char *out_path, const char *name, const char *folder, bool coarse);

typedef struct eex_import_folder_options {
    int size; /* side of the square images; 0: 32 */
    eex_fit fit;
    bool grey;       /* one channel instead of three */
    bool background; /* also BACKGROUND_Google and 257.clutter of the Caltech sets */
    double test;     /* share held out where there is no test folder; 0: 0.2 */
    uint64_t seed;   /* of that share */
} eex_import_folder_options;

typedef struct eex_import_result {
    size_t images, classes;
    size_t broken;          /* files that could not be read and were left out */
    eex_buffer broken_list; /* one line each: the file and why */
} eex_import_result;

/* A folder of images (JPEG, PNG), one folder a class. FOLDER/train and FOLDER/val or FOLDER/test
 * keep their split; FOLDER/101_ObjectCategories, FOLDER/256_ObjectCategories or a single folder
 * inside are looked through. EEX_EFORMAT when no file could be read. result->broken_list is the
 * caller's to free, also after a failure. */
int eex_import_folder(eex_import_result *result, const char *out_path, const char *name,
                      const char *folder, const eex_import_folder_options *options);

#endif
