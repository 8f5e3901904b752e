/* A data set and an experiment of a few kilobytes, for runs from end to end. */
#ifndef EEX_TESTS_SUPPORT_CORNERS_H
#define EEX_TESTS_SUPPORT_CORNERS_H

#include "core/run/experiment.h"

/* folder/corners.h5: 240 images of 8x8x3 to train with and 60 to test, each of three classes with
 * its own bright corner under noise. */
void test_corners_make(const char *folder);

/* The same under the same name and description, but with training and test images exchanged as far
 * as they go. */
void test_corners_exchange(const char *folder);

/* The tiny network with gates of 0 or 1 blocks at its three merges, trained on it for two epochs;
 * 20 trials by replay, 3 by training. For eex_experiment_free. */
eex_experiment *test_corners_experiment(eex_evaluator_kind evaluator);

/* The same search on the small elastic network (elastic.h): gates of 0 or 1 blocks behind
 * "layer3.add" and "last.act", 6 trials, by its own judge or by training. */
eex_experiment *test_corners_elastic(eex_evaluator_kind evaluator);

#endif
