/* A trained network with exits, its data and its trace: what the tests of engines start from. Any
 * failure fails the test. */
#ifndef EEX_TESTS_SUPPORT_BED_H
#define EEX_TESTS_SUPPORT_BED_H

#include "core/data/dataset.h"
#include "core/engine/engine.h"
#include "support/net.h"

enum { SAMPLES = 150 };

typedef struct bed {
    net net;
    eex_dataset *data;
    eex_augment normalise;
    eex_precision precision;   /* of the trace */
    uint32_t samples[SAMPLES]; /* 0, 1, ... */
    eex_familiar *familiar;    /* NULL until bed_know */
    eex_trace *trace;
    size_t image; /* bytes of one */
} bed;

/* The tiny network on patches, one with a bottleneck of 8 bits at its last early exit, one of 12x12
 * that is derived from the elastic network on the same patches of 8x8, MobileNetV2 on synthetic
 * drawings; files go into `folder`. */
bed bed_of_patches(const char *folder);
bed bed_of_quantised(const char *folder);
bed bed_of_enlarged(const char *folder);
bed bed_of_drawings(const char *folder);
void bed_close(bed *b);

/* How its engines run: as its trace was recorded. */
eex_inference bed_inference(const bed *b, int batch);

/* Finds out what is familiar to it, and records the trace anew, with distances. */
void bed_know(bed *b);

/* Records the trace anew, in another precision of the device. */
void bed_trace_in(bed *b, eex_precision precision);

/* Where and how each sample leaves, as a replay says. */
typedef struct expected {
    int32_t exit[SAMPLES];
    eex_decision decision[SAMPLES];
} expected;

/* The result is what the trace and `want` say about the sample: bit for bit on devices that repeat
 * bits, else nearly, and not at all where rounding may decide. `policy` is what `want` came from.
 */
void bed_compare(const bed *b, const eex_policy *policy, const expected *want,
                 const eex_result *got, uint32_t sample);

#endif
