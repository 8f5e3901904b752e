/* Races: contestants that take turns on the same images in rounds, so that a change of the
 * machine's mood falls on all of them alike. Every time and every speed-up by the clock that eex
 * tells of networks comes from one; what is made of the laps, base/laps.h says. */
#ifndef EEX_CORE_ENGINE_RACE_H
#define EEX_CORE_ENGINE_RACE_H

#include "core/engine/engine.h"

#include "base/laps.h"

/* An engine, or anything else that can be run on a unit: a batch of images. */
typedef struct eex_racer {
    eex_engine *engine; /* borrowed */
    bool forced;        /* one image at a time goes as far as `exit`, whatever exits decide */
    int exit;
    int (*run)(void *context, int unit); /* where there is no engine */
    void *context;
    double *unit_ms;     /* (units) NULL, or gets each unit's lower quartile for one image */
    eex_lap_times times; /* out */
} eex_racer;

typedef struct eex_race {
    const uint8_t *images; /* (count, H, W, C); NULL where nobody is an engine */
    size_t image_bytes;    /* H x W x C, as every engine's own */
    int count;
    int batch;             /* images that go in together, a unit; the last ones of count that do not
                            * fill a batch are left out */
    int rounds;            /* turns of each over all images, at least EEX_LAPS_ROUNDS_MIN */
    double seconds;        /* 0: as many rounds as that; else no round begins when so much time has
                            * passed and EEX_RACE_LEAST of them are done */
    double (*clock)(void); /* seconds that only grow; NULL: eex_clock_seconds */
    const char *title;     /* for progress; NULL: none */
    int ran;               /* out: rounds */
    bool disturbed;        /* out: any of the racers was, see eex_lap_times */
} eex_race;

enum { EEX_RACE_LEAST = 5, EEX_RACE_MOST = 1 << 27 };

/* In each round all take their turn over all units, in the next one in the opposite order; a turn
 * begins with some units that are not timed, because the caches hold another contestant. Times are
 * of one image, in racer[i].times. EEX_EINVAL: nothing to measure; a single round, which nothing
 * could be compared with; more than EEX_RACE_MOST times (racers x (units + 1) x rounds); images of
 * another size than an engine's. EEX_EINTERRUPTED once a signal came. */
int eex_race_run(eex_racer *racers, int count, eex_race *race);

/* How many times as fast as `base` the other one is. */
static inline eex_speedup eex_race_speedup(const eex_racer *base, const eex_racer *own)
{
    return eex_speedup_of(&base->times, &own->times);
}

#endif
