/* A trained network with a bottleneck at its last early exit: fewer bytes for a server.
 *
 * The paper on early exit prediction (Section IV) trains in three steps. The first is the network
 * as it is. Then the autoencoder (graph/bottleneck.h) is trained together with everything behind
 * it, what runs on the device frozen, so that early exits answer as before, bit for bit. Last, with
 * quantisation between them, decoder and server's part are trained on, the encoder frozen too. */
#ifndef EEX_CORE_MODEL_BOTTLENECK_H
#define EEX_CORE_MODEL_BOTTLENECK_H

#include "core/data/dataset.h"
#include "core/model/model.h"

typedef struct eex_bottling {
    int bits;                /* of a value that is sent, 1 to 8 */
    eex_precision precision; /* of the training */
    int epochs, more;        /* of the second step and of the third, at least 1 */
    int batch;
    double lr, more_lr; /* at the beginning of each; cosine down to a hundredth */
    bool augment;       /* crops with a pad of 4 and flips, as for CIFAR */
    uint64_t seed;
    const char *rates;      /* how its user calls lr and more_lr: eex_trainer_rates */
    const char *checkpoint; /* file that keeps the training while it goes on (train/kept.h), which
                             * the caller removes once the result is stored; NULL: none does */
} eex_bottling;

/* 8 bits, 20 and 10 epochs of batch 128 from 0.05 and 0.005, augmented. */
eex_bottling eex_bottling_default(void);

/* What it comes to. Accuracies are fractions of the validation images. */
typedef struct eex_bottled {
    int bits;
    char value[EEX_NAME_MAX];         /* the node whose value was sent whole before */
    int64_t values_before, values;    /* of an input */
    int64_t bytes_before, bytes;      /* as float32, and in codes */
    double range;                     /* codes stand for 0 to this */
    double end_before, end;           /* accuracy of the last exit alone */
    double accuracy_before, accuracy; /* with the model's policy */
} eex_bottled;

typedef struct eex_bottleneck eex_bottleneck;

/* EEX_EINVAL where the network cannot have one, for whoever has more to do before. */
int eex_bottleneck_check(const eex_model *model, const eex_bottling *how);

/* Trains the network with the bottleneck and records the traces of its exits. The data set is the
 * model's own. The thresholds stay: those of early exits decide about the same scores as before.
 * The model and the data are borrowed. EEX_EINVAL as above; EEX_EDIVERGED, EEX_EINTERRUPTED. */
int eex_bottleneck_make(eex_bottleneck **out, const eex_model *model, eex_dataset *data,
                        const eex_bottling *how);
void eex_bottleneck_free(eex_bottleneck *bottleneck); /* accepts NULL */
const eex_bottled *eex_bottleneck_facts(const eex_bottleneck *bottleneck);

/* The model file with the traces of its exits, which every command takes in the place of a run.
 * As eex_store_fill; context: the eex_bottleneck. */
int eex_bottleneck_fill(eex_store_file *file, const void *context);
int eex_bottleneck_save(const eex_bottleneck *bottleneck, const char *path);

/* What a file says of its bottleneck. EEX_ENOTFOUND: it has none, or is of an earlier eex, which
 * kept no figures. */
int eex_bottleneck_read(eex_bottled *out, const char *path);

#endif
