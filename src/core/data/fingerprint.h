/* The fingerprint of a data set: SHA-256 over what its samples are, in their order.
 *
 * One hash a part takes its images as they come, so parts may be written side by side; labels and
 * names join at the end. The text that is hashed last is, one a line:
 *
 *     eex data set 1
 *     HEIGHT x WIDTH x CHANNELS
 *     class LENGTH NAME                    (a line each, in order)
 *     PART COUNT IMAGES LABELS             (a line for each part that has samples: the SHA-256 of
 * its bytes, and of its labels as little-endian int32) */
#ifndef EEX_CORE_DATA_FINGERPRINT_H
#define EEX_CORE_DATA_FINGERPRINT_H

#include "core/data/dataset.h"

#include "base/sha256.h"

typedef struct eex_fingerprint {
    eex_sha256 images[EEX_PARTS], labels[EEX_PARTS];
    uint64_t count[EEX_PARTS];
} eex_fingerprint;

void eex_fingerprint_begin(eex_fingerprint *f);

/* The next `count` samples of a part: `bytes` bytes of images, and their labels. */
void eex_fingerprint_add(eex_fingerprint *f, eex_part part, const uint8_t *images, size_t bytes,
                         const int32_t *labels, size_t count);

/* EEX_ENOMEM. */
int eex_fingerprint_end(char out[EEX_FINGERPRINT], eex_fingerprint *f, int height, int width,
                        int channels, const char *const *classes, size_t class_count);

#endif
