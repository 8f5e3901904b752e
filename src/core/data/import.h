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

#define EEX_IMPORT_NO_TEST (-1.0)

typedef struct eex_import_folder_options {
    int size; /* side of the square images; 0: 32 */
    eex_fit fit;
    bool grey;       /* one channel instead of three */
    bool background; /* also BACKGROUND_Google and 257.clutter of the Caltech sets */
    double test; /* share held out where there is no test part; 0: 0.2; EEX_IMPORT_NO_TEST: none */
    uint64_t seed; /* of that share */
} eex_import_folder_options;

/* What came of it; zero it before use, eex_import_result_free frees what it holds. */
typedef struct eex_import_result {
    size_t images, classes;
    size_t broken;             /* images that could not be read and were left out */
    eex_buffer broken_list;    /* one line each: the file and why */
    size_t passed;             /* whatever else was there and is not in the data set */
    eex_buffer passed_list;    /* one line a reason: how many, why, the first of them */
    eex_buffer doubt;          /* how the folders could be meant otherwise; else empty */
    size_t untrained;          /* classes without a training image that could be read */
    eex_buffer untrained_list; /* their names: "b, zebra" */
    eex_buffer emptied_list;   /* one line each: a part of which no image could be read */
    size_t alike;              /* groups of classes whose names differ in what hardly shows */
    eex_buffer alike_list;     /* one line each */
    size_t several; /* images with more pages or frames than the first, which was taken */
} eex_import_result;

void eex_import_result_free(eex_import_result *result); /* leaves {0} */

/* A folder of images (eex_image_named), one folder a class; folders inside a class belong to it.
 *
 *   FOLDER/CLASS/...                    one part, of which a share is held out for testing
 *   FOLDER/train/CLASS/...              with val (or valid, validation, dev) and test (or testing)
 *                                       beside it: each a part of its own. Without test, val is the
 *                                       test part; eval is the one of these two that there is not.
 *                                       A class need not be in all of them.
 *   FOLDER/101_ObjectCategories/CLASS   and 256_ObjectCategories, as the Caltech sets have it
 *
 * A folder that holds no other folder than one is looked into. A class may be called train: there
 * are parts where "train" holds folders, and has a folder val or test, or none, beside it. Stray
 * images beside folders make no difference and are passed over. Each file that is passed over
 * counts, of whole folders all that they hold; a folder that cannot be listed counts as one.
 *
 * Folders that would become classes and are parts are refused: those called like a part that hold
 * a folder which one beside them holds too (train/ant and extra/ant), and those that hold parts
 * themselves (ant/train and ant/test). Where that is less certain the result tells of a doubt.
 *
 * What can be read of a class of which images are held out is in both parts if it is two or more.
 *
 * EEX_EFORMAT when no training image could be read, for a class's name that is no UTF-8 and for
 * parts in the places of classes,
 * EEX_ENOTFOUND when there is none, EEX_EINVAL for a file. */
int eex_import_folder(eex_import_result *result, const char *out_path, const char *name,
                      const char *folder, const eex_import_folder_options *options);

#endif
