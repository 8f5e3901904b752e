/* A data set that a tiny network learns in seconds: 8x8 images of four classes, each a noisy patch
 * of its own colour in its own corner. */
#ifndef EEX_TESTS_SUPPORT_PATCHES_H
#define EEX_TESTS_SUPPORT_PATCHES_H

#include "core/data/dataset.h"

enum { PATCH_CLASSES = 4 };

/* Writes folder/patches.h5 and opens it; any failure fails the test. `noise` is the deviation of
 * the pixels in 0..255: the higher, the harder. */
eex_dataset *patches_open(const char *folder, uint32_t train, uint32_t test, double noise);

#endif
