#include "core/engine/race.h"

#include "base/clock.h"
#include "base/progress.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { WARM_UP = 5 };

typedef struct laps {
    eex_race *race;
    int units;  /* batches */
    double *ms; /* (racers, units + 1, rounds) */
    double *unit_ms;
    eex_result *results;
    double (*clock)(void);
} laps;

/* Doubles of one racer. */
static size_t each(const laps *l)
{
    return ((size_t)l->units + 1) * (size_t)l->race->rounds;
}

/* ---- running ---- */

static int run_unit(const eex_racer *r, const laps *l, int unit)
{
    const eex_race *race = l->race;
    if (!r->engine)
        return r->run(r->context, unit);
    const uint8_t *images = race->images + (size_t)unit * (size_t)race->batch * race->image_bytes;
    return r->forced ? eex_engine_force(r->engine, l->results, images, r->exit)
                     : eex_engine_run(r->engine, l->results, images, race->batch);
}

static int time_unit(double *ms, const eex_racer *r, const laps *l, int unit)
{
    if (eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "interrupted while measuring latencies");
    const double begin = l->clock();
    EEX_TRY(run_unit(r, l, unit));
    *ms = 1e3 * (l->clock() - begin);
    return EEX_OK;
}

/* One turn: the first units once more than is timed. */
static int turn(const eex_racer *r, const laps *l, double *ms, int round)
{
    double ignored;
    for (int u = 0; u < WARM_UP; u++)
        EEX_TRY(time_unit(&ignored, r, l, u % l->units));
    for (int u = 0; u < l->units; u++)
        EEX_TRY(time_unit(&ms[u * l->race->rounds + round], r, l, u));
    return EEX_OK;
}

static int settle(const eex_racer *racers, int count, const laps *l)
{
    for (int i = 0; i < count && l->race->batch == 1; i++)
        if (racers[i].engine)
            EEX_TRY(eex_engine_settle(racers[i].engine, l->race->images));
    return EEX_OK;
}

static bool out_of_time(const laps *l, double begin)
{
    const eex_race *race = l->race;
    return race->seconds > 0 && race->ran >= EEX_RACE_LEAST && l->clock() - begin > race->seconds;
}

static int run_rounds(const eex_racer *racers, int count, const laps *l)
{
    eex_race *race = l->race;
    const double begin = l->clock();
    uint64_t done = 0;
    EEX_TRY(settle(racers, count, l));
    for (race->ran = 0; race->ran < race->rounds && !out_of_time(l, begin); race->ran++)
        for (int at = 0; at < count; at++) {
            const int i = race->ran % 2 ? count - 1 - at : at;
            EEX_TRY(turn(&racers[i], l, l->ms + (size_t)i * each(l), race->ran));
            if (race->title)
                eex_progress_update(++done, NULL);
        }
    return EEX_OK;
}

/* ---- what comes of it ---- */

/* Rounds that were not run leave no gaps. */
static void close_up(double *ms, const laps *l)
{
    const size_t asked = (size_t)l->race->rounds, ran = (size_t)l->race->ran;
    for (size_t u = 0; u < (size_t)l->units && ran < asked; u++)
        memmove(ms + u * ran, ms + u * asked, ran * sizeof *ms);
}

static void reduce(eex_racer *racers, int count, const laps *l)
{
    eex_race *race = l->race;
    race->disturbed = false;
    for (int i = 0; i < count; i++) {
        eex_racer *r = &racers[i];
        const eex_laps own = {.units = l->units,
                              .rounds = race->ran,
                              .inputs = race->batch,
                              .ms = l->ms + (size_t)i * each(l)};
        close_up(own.ms, l);
        eex_laps_reduce(&r->times, r->unit_ms ? r->unit_ms : l->unit_ms, &own);
        race->disturbed = race->disturbed || r->times.disturbed;
    }
}

/* ---- all of it ---- */

static int check_racer(const eex_racer *r, int number, const eex_race *race)
{
    if (r->forced && race->batch > 1)
        return eex_fail(EEX_EINVAL, "race: batches of %d as far as exit %d, expected 1 image",
                        race->batch, r->exit);
    if (r->engine ? !race->images : !r->run)
        return eex_fail(EEX_EINVAL,
                        "race: contestant %d has nothing to run: expected an "
                        "engine and images, or a function",
                        number);
    if (r->engine && race->image_bytes != eex_engine_image_bytes(r->engine))
        return eex_fail(EEX_EINVAL,
                        "race: images of %zu bytes, and the network of contestant %d takes images "
                        "of %zu",
                        race->image_bytes, number, eex_engine_image_bytes(r->engine));
    return EEX_OK;
}

/* Each factor has 31 bits: the first product cannot run over, and the second is not made. */
static int check_size(int count, const eex_race *race)
{
    const uint64_t units = (uint64_t)(race->count / race->batch);
    const uint64_t one = (units + 1) * (uint64_t)race->rounds;
    if (one <= EEX_RACE_MOST && (uint64_t)count <= EEX_RACE_MOST / one)
        return EEX_OK;
    return eex_fail(EEX_EINVAL,
                    "race: %d networks, %llu batches and %d rounds are more than %d times to be "
                    "kept: expected fewer rounds or images",
                    count, (unsigned long long)units, race->rounds, EEX_RACE_MOST);
}

static int check(const eex_racer *racers, int count, const eex_race *race)
{
    if (count < 1 || race->batch < 1 || race->count < race->batch)
        return eex_fail(EEX_EINVAL,
                        "race: %d networks on %d images in batches of %d: nothing to measure, "
                        "expected at least one of each",
                        count, race->count, race->batch);
    if (race->rounds < EEX_LAPS_ROUNDS_MIN)
        return eex_fail(EEX_EINVAL,
                        "race: %d round%s, nothing to compare a time with: expected at least %d",
                        race->rounds, race->rounds == 1 ? "" : "s", EEX_LAPS_ROUNDS_MIN);
    EEX_TRY(check_size(count, race));
    for (int i = 0; i < count; i++)
        EEX_TRY(check_racer(&racers[i], i + 1, race));
    return EEX_OK;
}

static int allocate(laps *l, int count)
{
    const size_t all = (size_t)count * each(l);
    l->ms = calloc(all, sizeof *l->ms);
    l->unit_ms = calloc((size_t)l->units, sizeof *l->unit_ms);
    l->results = calloc((size_t)l->race->batch, sizeof *l->results);
    return l->ms && l->unit_ms && l->results
               ? EEX_OK
               : eex_fail(EEX_ENOMEM, "out of memory for %zu measurements", all);
}

int eex_race_run(eex_racer *racers, int count, eex_race *race)
{
    EEX_NEED(racers, "racers");
    EEX_NEED(race, "race");
    EEX_TRY(check(racers, count, race));
    laps l = {.race = race,
              .units = race->count / race->batch,
              .clock = race->clock ? race->clock : eex_clock_seconds};
    int code = allocate(&l, count);
    if (code == EEX_OK) {
        if (race->title)
            eex_progress_begin(race->title, (uint64_t)count * (uint64_t)race->rounds, "turns");
        code = run_rounds(racers, count, &l);
        if (race->title)
            eex_progress_end();
    }
    if (code == EEX_OK)
        reduce(racers, count, &l);
    free(l.ms);
    free(l.unit_ms);
    free(l.results);
    return code;
}
