/* A trained network with a bottleneck at its last early exit: fewer bytes for a server.
 *
 * The paper on early exit prediction (Section IV) trains in three steps. The first is the network
 * as it is. Then the autoencoder (graph/bottleneck.h) is trained together with everything behind
 * it, what runs on the device frozen, so that early exits answer as before, bit for bit. Last, with
 * quantisation between them, decoder and server's part are trained on, the encoder frozen too. */
#ifndef EEX_CORE_USE_BOTTLENECK_H
#define EEX_CORE_USE_BOTTLENECK_H

#include "core/data/dataset.h"
#include "core/model/model.h"

typedef struct eex_bottling {
    int bits;         /* of a value that is sent, 1 to 8 */
    int epochs, more; /* of the second step and of the third, at least 1 */
    int batch;
    double lr, more_lr; /* at the beginning of each; cosine down to a hundredth */
    bool augment;       /* crops with a pad of 4 and flips, as for CIFAR */
    uint64_t seed;
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

/* Trains and writes PATH, a model file with the traces of its exits, which every command takes in
 * the place of a run. The data set is the model's own. The thresholds stay: those of early exits
 * decide about the same scores as before. EEX_EINVAL where the network cannot have one;
 * EEX_EDIVERGED, EEX_EINTERRUPTED: nothing is written. */
int eex_bottleneck_make(eex_bottled *out, const char *path, const eex_model *model,
                        eex_dataset *data, const eex_bottling *how);

#endif
