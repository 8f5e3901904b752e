/* A network evaluated node by node in double, nothing fused, to compare plans with. */
#ifndef EEX_TESTS_SUPPORT_NAIVE_H
#define EEX_TESTS_SUPPORT_NAIVE_H

#include "core/plan/params.h"

typedef struct naive {
    const eex_graph *graph;
    int batch;
    bool training;     /* batch statistics and dropout */
    bool frozen_trunk; /* but not in the trunk */
    double **param;    /* of each parameter, in the device's order */
    double **value;    /* of each node: (batch, H, W, C) */
    double **mask;     /* of each dropout node: factors (batch, H, W, C); made on demand */
} naive;

/* With the parameters as they are now. Any failure fails the test. */
naive *naive_open(const eex_params *params, int batch);
void naive_close(naive *n);

/* Sets the input from (batch, H, W, C) bytes. */
void naive_images(naive *n, const uint8_t *images, const eex_augment *normalise);

/* Sets the dropout masks to those that the device makes in this step. */
void naive_dropout(naive *n, eex_device *dev, const eex_step *step);

/* Evaluates all nodes behind the input, or only those from `first` on. */
void naive_forward(naive *n, int first);

#endif
