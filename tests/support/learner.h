/* A network that is being trained, with what its last epoch said. Any failure fails the test. */
#ifndef EEX_TESTS_SUPPORT_LEARNER_H
#define EEX_TESTS_SUPPORT_LEARNER_H

#include "core/train/train.h"

typedef struct learner {
    eex_params *params;
    eex_trainer *trainer;
    eex_epoch_report report;
} learner;

/* What patches.h are learnt by: batches of 32 at a rate of 0.05, cropped at random. */
eex_recipe learner_recipe(const eex_dataset *data, eex_regime regime, int epochs);

/* On `count` samples of the data, whose order is the same for all; weights are drawn by `seed`. All
 * but the learner is borrowed. */
learner learner_open(const eex_graph *graph, eex_device *device, uint64_t seed,
                     const eex_recipe *recipe, eex_dataset *data, const uint32_t *samples,
                     size_t count);
void learner_train(learner *l, int epochs);
void learner_close(learner *l);

#endif
