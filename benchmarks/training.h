/* Training steps of a network as training does them: bytes from the host, augmentation, forward,
 * backward and SGD with momentum, with the loss of every exit. */
#ifndef EEX_BENCHMARKS_TRAINING_H
#define EEX_BENCHMARKS_TRAINING_H

#include "networks.h"

typedef struct training {
    network net;
    eex_optimizer_state *state;
    eex_plan *plan;
    uint8_t *images;  /* (several batches, SIDE, SIDE, 3), which come in turn; the device's */
    int32_t *labels;  /* (batch) */
    uint32_t *sample; /* (batch) */
    int batch;
    bool plain; /* images go up when a step wants them, not beside the one before */
    uint64_t step;
} training;

/* The network is open already (training.net); training_close closes it, whatever came of this. */
int training_open(training *t, int batch, eex_precision precision);
void training_close(training *t);

/* One step of a `training`; it may still run on the device when this returns. */
int training_step(void *ctx);

#endif
