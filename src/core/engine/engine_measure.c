/* What a single input takes. */
#include "core/engine/engine_impl.h"

#include "base/clock.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

enum { WARM_UP = 20 };

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int scratch(eex_engine *e, int count)
{
    if (count <= e->ms_count)
        return EEX_OK;
    double *larger = realloc(e->ms, (size_t)count * sizeof *larger);
    if (!larger)
        return eex_fail(EEX_ENOMEM, "engine: out of memory for %d measurements", count);
    e->ms = larger;
    e->ms_count = count;
    return EEX_OK;
}

/* Milliseconds of one image that goes as far as exit k: everything that is done for it, whatever
 * the exits on the way decide. */
static int time_exit(const eex_engine *e, double *ms, const uint8_t *image, int k)
{
    eex_walk walk = e->walk;
    eex_result result;
    walk.leaves = walk.forced = true;
    walk.last = k;
    double begin = eex_clock_seconds();
    EEX_TRY(eex_walk_run(&walk, &result, image, 1));
    *ms = 1e3 * (eex_clock_seconds() - begin);
    return EEX_OK;
}

int eex_engine_time(eex_engine *e, double *ms, const uint8_t *image, int k)
{
    EEX_NEED(e, "engine");
    EEX_NEED(ms, "place for the milliseconds");
    EEX_NEED(image, "image");
    if (k < 0 || k >= e->exits)
        return eex_fail(EEX_EINVAL, "engine: exit %d, expected 0 to %d", k, e->exits - 1);
    EEX_TRY(eex_device_lock(e->device));
    const int code = time_exit(e, ms, image, k);
    eex_device_unlock(e->device);
    return code;
}

static int settle(const eex_engine *e, const uint8_t *image)
{
    double ignored;
    for (int i = 0; i < EEX_SETTLING_RUNS; i++)
        EEX_TRY(time_exit(e, &ignored, image, e->exits - 1));
    return EEX_OK;
}

int eex_engine_settle(eex_engine *e, const uint8_t *image)
{
    EEX_NEED(e, "engine");
    EEX_NEED(image, "image");
    EEX_TRY(eex_device_lock(e->device));
    const int code = settle(e, image);
    eex_device_unlock(e->device);
    return code;
}

static int time_exits(eex_engine *e, double *ms, const uint8_t *image, int rounds)
{
    EEX_TRY(settle(e, image));
    for (int k = 0; k < e->exits; k++) {
        double one;
        for (int i = 0; i < WARM_UP; i++)
            EEX_TRY(time_exit(e, &one, image, k));
        for (int i = 0; i < rounds; i++)
            EEX_TRY(time_exit(e, &e->ms[i], image, k));
        qsort(e->ms, (size_t)rounds, sizeof *e->ms, by_value);
        ms[k] = e->ms[rounds / 2];
    }
    return EEX_OK;
}

int eex_engine_latency(eex_engine *e, double *ms, const uint8_t *image, int rounds)
{
    EEX_NEED(e, "engine");
    EEX_NEED(ms, "place for the milliseconds");
    EEX_NEED(image, "image");
    if (rounds < 1)
        return eex_fail(EEX_EINVAL, "engine: a median of %d rounds, expected at least 1", rounds);
    EEX_TRY(scratch(e, rounds));
    EEX_TRY(eex_device_lock(e->device));
    const int code = time_exits(e, ms, image, rounds);
    eex_device_unlock(e->device);
    return code;
}

static double quantile(const double *sorted, int count, double q)
{
    int at = (int)ceil(q * count) - 1;
    return sorted[at < 0 ? 0 : at];
}

int eex_engine_measure(eex_engine *e, eex_latency *out, const uint8_t *images, int count)
{
    EEX_NEED(e, "engine");
    EEX_NEED(out, "place for the latency");
    EEX_NEED(images, "images");
    eex_result result;
    if (count < 1)
        return eex_fail(EEX_EINVAL, "engine: no images to measure with");
    EEX_TRY(scratch(e, count));
    EEX_TRY(eex_engine_settle(e, images));
    for (int i = 0; i < WARM_UP; i++)
        EEX_TRY(eex_engine_run(e, &result, images, 1));
    double sum = 0;
    for (int i = 0; i < count; i++) {
        double begin = eex_clock_seconds();
        EEX_TRY(eex_engine_run(e, &result, images + (size_t)i * e->image_bytes, 1));
        e->ms[i] = 1e3 * (eex_clock_seconds() - begin);
        sum += e->ms[i];
    }
    qsort(e->ms, (size_t)count, sizeof *e->ms, by_value);
    *out = (eex_latency){.mean = sum / count,
                         .p50 = quantile(e->ms, count, 0.5),
                         .p95 = quantile(e->ms, count, 0.95),
                         .p99 = quantile(e->ms, count, 0.99)};
    return EEX_OK;
}
