/* A convolution that is known by heart: all ones, 3x3, with a bias of 1, a residual of -30 and
 * ReLU, on images of 8 x 8 with four channels. */
#ifndef EEX_TESTS_CUDA_ONES_H
#define EEX_TESTS_CUDA_ONES_H

#include "support/folder.h"
#include "support/tensor.h"

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum {
    ONES_BATCH = 2,
    ONES_SIZE = 8,
    ONES_CHANNELS = 4,
    ONES = ONES_BATCH * ONES_SIZE * ONES_SIZE * ONES_CHANNELS
};

typedef struct ones {
    eex_device *dev; /* its own */
    bench b;
    tensor y;
    eex_op op; /* "first"; tests change it before it is prepared */
} ones;

void ones_on(ones *c, eex_device *dev);
void ones_close(ones *c); /* the device too; fails where memory is left on it */

/* The op's state for ONES_BATCH images; the test finishes it. */
void *ones_prepared(ones *c);
int ones_run(ones *c, void *state);

/* What the op comes to, as it was made: inside 36 + 1 - 30, in the corner 16 + 1 - 30. */
void ones_expect(ones *c);

/* A folder for the file of choices, which the test removes, and a device that times them. */
void ones_folder(char folder[TEST_PATH_SIZE]);
eex_device *ones_timing_device(void);

/* How often a text says something. */
int ones_said(const char *text, const char *what);

#endif
