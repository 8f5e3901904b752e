/* The built-in data set: drawn, ten classes, with deliberately graded difficulty.
 *
 * Seven classes are shapes, three are textures on a shape that says nothing. Pose and colours are
 * random. The level of a sample (0..4, stored as /train/difficulty) drives contrast, size, clutter
 * behind, occlusion in front, blur and noise: level 0 is a clean drawing, which an early exit can
 * tell; level 4 needs the whole network. Classes and levels are balanced.
 *
 * A sample depends on (seed, part, number) alone. */
#ifndef EEX_CORE_DATA_SYNTHETIC_H
#define EEX_CORE_DATA_SYNTHETIC_H

#include <stdbool.h>
#include <stdint.h>

enum {
    EEX_SYNTHETIC_SIDE = 32,
    EEX_SYNTHETIC_CLASSES = 10,
    EEX_SYNTHETIC_LEVELS = 5,
    EEX_SYNTHETIC_TRAIN = 20000, /* the default sizes */
    EEX_SYNTHETIC_TEST = 4000
};

extern const char *const eex_synthetic_class_names[EEX_SYNTHETIC_CLASSES];

/* Draws one sample: image is (32, 32, 3). Its class is number % 10, its level number / 10 % 5. */
void eex_synthetic_draw(uint8_t *image, uint64_t seed, bool test, uint32_t number);

/* Draws a whole data set into a file. */
int eex_synthetic_make(const char *out_path, const char *name, uint32_t train, uint32_t test,
                       uint64_t seed);

#endif
