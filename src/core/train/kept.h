/* A training that a file keeps while it goes on: whoever is interrupted goes on from there, bit for
 * bit. For trainings outside of a run's history of epochs. */
#ifndef EEX_CORE_TRAIN_KEPT_H
#define EEX_CORE_TRAIN_KEPT_H

#include "core/train/train.h"

#include "base/buffer.h"
#include "base/sha256.h"

typedef struct eex_kept {
    const char *title;   /* "training the predictor": for progress and messages */
    const char *rates;   /* eex_trainer_rates; NULL: as there */
    const char *path;    /* of the checkpoint; NULL: nothing is kept */
    const char *subject; /* what is trained, all that tells it from another training: a checkpoint
                          * of another subject is left out, and replaced */
    eex_store_fill fill; /* what is kept beside the trainer; NULL: nothing */
    const void *context;
    bool goes_on; /* another subject's checkpoint is that of the step in front of this one: nothing
                   * is said of it */
} eex_kept;

/* Appends what tells a training from another one wherever it is done: the recipe, the samples and
 * the seed. */
void eex_training_print(eex_buffer *out, const eex_recipe *recipe, const uint32_t *samples,
                        size_t count, uint64_t seed);

/* What tells a training of parameters from another one: the recipe, the samples, the seed, the
 * kind of device, and `of`, in which the caller names the rest. */
int eex_kept_subject(char out[EEX_SHA256_HEX], const char *of, const eex_params *params,
                     const eex_recipe *recipe, const uint32_t *samples, size_t count,
                     uint64_t seed);

/* Trains all epochs that are left and finishes the trainer, which was made by the recipe for
 * `count` samples. The file is written now and then, when all epochs are trained, and at a signal
 * (EEX_EINTERRUPTED); it is the caller's to remove once there is a result. *last: what the last
 * epoch told; epoch 0 where none was trained here. */
int eex_kept_train(eex_epoch_report *last, eex_trainer *trainer, const eex_recipe *recipe,
                   size_t count, const eex_kept *kept);

/* The name of the checkpoint beside a file that will be made: "net-checkpoint.h5" beside "net.h5".
 */
int eex_kept_path(char **out, const char *path);

/* Reads what a checkpoint keeps beside the trainer: `use` is called where it is there and of this
 * subject; *found says so. EEX_OK where it is not. */
int eex_kept_read(bool *found, const char *path, const char *subject, eex_store_use use,
                  void *context);

#endif
