/* Races: engines that take turns on the same images, so that a change of the machine's mood falls
 * on all of them alike. */
#ifndef EEX_CORE_ENGINE_RACE_H
#define EEX_CORE_ENGINE_RACE_H

#include "core/engine/engine.h"

typedef struct eex_racer {
    eex_engine *engine; /* borrowed */
    bool forced;        /* one image at a time goes as far as `exit`, whatever exits decide */
    int exit;
    eex_latency latency; /* out */
} eex_racer;

typedef struct eex_race {
    const uint8_t *images; /* (count, H, W, C) */
    size_t image_bytes;
    int count;
    int batch;         /* images that go in together; the last ones of count that do not fill a
                        * batch are left out */
    int rounds;        /* turns of each engine over all images */
    const char *title; /* for progress; NULL: none */
} eex_race;

/* Milliseconds of one image: for each batch the lower quartile over the rounds (what else the
 * machine does only ever adds), divided by its size; mean and percentiles are over batches.
 * EEX_EINTERRUPTED once a signal came. */
int eex_race_run(eex_racer *racers, int count, const eex_race *race);

#endif
