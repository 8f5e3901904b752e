#include "core/engine/race.h"

#include "base/clock.h"
#include "base/progress.h"
#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

enum { WARM_UP = 5 };

typedef struct times {
    const eex_race *race;
    int units;  /* batches */
    double *ms; /* (racers, units, rounds) */
    eex_result *results;
} times;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int run_unit(double *ms, const eex_racer *r, const times *t, int unit)
{
    const eex_race *race = t->race;
    const uint8_t *images = race->images + (size_t)unit * (size_t)race->batch * race->image_bytes;
    if (r->forced)
        return eex_engine_time(r->engine, ms, images, r->exit);
    double begin = eex_clock_seconds();
    EEX_TRY(eex_engine_run(r->engine, t->results, images, race->batch));
    *ms = 1e3 * (eex_clock_seconds() - begin);
    return EEX_OK;
}

/* One turn: the first units once more than is timed, because the caches hold another network. */
static int turn(const eex_racer *r, const times *t, double *ms, int round)
{
    double ignored;
    for (int u = 0; u < WARM_UP; u++)
        EEX_TRY(run_unit(&ignored, r, t, u % t->units));
    for (int u = 0; u < t->units; u++)
        EEX_TRY(run_unit(&ms[u * t->race->rounds + round], r, t, u));
    return EEX_OK;
}

static int run_rounds(const eex_racer *racers, int count, const times *t)
{
    const size_t each = (size_t)t->units * (size_t)t->race->rounds;
    uint64_t done = 0;
    for (int i = 0; i < count && t->race->batch == 1; i++)
        EEX_TRY(eex_engine_settle(racers[i].engine, t->race->images));
    for (int round = 0; round < t->race->rounds; round++)
        for (int i = 0; i < count; i++) {
            if (eex_interrupted())
                return eex_fail(EEX_EINTERRUPTED, "interrupted while measuring latencies");
            EEX_TRY(turn(&racers[i], t, t->ms + (size_t)i * each, round));
            if (t->race->title)
                eex_progress_update(++done, NULL);
        }
    return EEX_OK;
}

static double quantile(const double *sorted, int count, double q)
{
    int at = (int)ceil(q * count) - 1;
    return sorted[at < 0 ? 0 : at];
}

/* The lower quartiles of the units take the place of their first rounds. */
static void reduce(eex_latency *out, double *ms, const times *t)
{
    const int rounds = t->race->rounds;
    double sum = 0;
    for (int u = 0; u < t->units; u++) {
        double *unit = ms + (size_t)u * (size_t)rounds;
        qsort(unit, (size_t)rounds, sizeof *unit, by_value);
        ms[u] = unit[rounds / 4] / t->race->batch;
        sum += ms[u];
    }
    qsort(ms, (size_t)t->units, sizeof *ms, by_value);
    *out = (eex_latency){.mean = sum / t->units,
                         .p50 = quantile(ms, t->units, 0.5),
                         .p95 = quantile(ms, t->units, 0.95),
                         .p99 = quantile(ms, t->units, 0.99)};
}

int eex_race_run(eex_racer *racers, int count, const eex_race *race)
{
    if (race->batch < 1 || race->rounds < 1 || race->count < race->batch || count < 1)
        return eex_fail(EEX_EINVAL, "race: %d images, batch %d, %d rounds: nothing to measure",
                        race->count, race->batch, race->rounds);
    times t = {.race = race, .units = race->count / race->batch};
    const size_t each = (size_t)t.units * (size_t)race->rounds;
    t.ms = calloc((size_t)count * each, sizeof *t.ms);
    t.results = calloc((size_t)race->batch, sizeof *t.results);
    int code = t.ms && t.results ? EEX_OK
                                 : eex_fail(EEX_ENOMEM, "out of memory for %zu measurements",
                                            (size_t)count * each);
    if (code == EEX_OK) {
        if (race->title)
            eex_progress_begin(race->title, (uint64_t)count * (uint64_t)race->rounds, "turns");
        code = run_rounds(racers, count, &t);
        if (race->title)
            eex_progress_end();
    }
    for (int i = 0; i < count && code == EEX_OK; i++)
        reduce(&racers[i].latency, t.ms + (size_t)i * each, &t);
    free(t.ms);
    free(t.results);
    return code;
}
