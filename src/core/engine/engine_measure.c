/* What a single input takes. */
#include "core/engine/engine_impl.h"
#include "core/engine/race.h"

#include "base/status.h"

enum { ROUNDS = 11 };

static int force(const eex_engine *e, eex_result *result, const uint8_t *image, int k)
{
    eex_walk walk = e->walk;
    walk.leaves = walk.forced = true;
    walk.last = k;
    return eex_walk_run(&walk, result, image, 1);
}

int eex_engine_force(eex_engine *e, eex_result *result, const uint8_t *image, int k)
{
    EEX_NEED(e, "engine");
    EEX_NEED(result, "place for the result");
    EEX_NEED(image, "image");
    if (k < 0 || k >= e->exits)
        return eex_fail(EEX_EINVAL, "engine: exit %d, expected 0 to %d", k, e->exits - 1);
    EEX_TRY(eex__engine_check_whole(e, __func__));
    EEX_TRY(eex_device_lock(e->device));
    const int code = force(e, result, image, k);
    eex_device_unlock(e->device);
    return code;
}

int eex_engine_settle(eex_engine *e, const uint8_t *image)
{
    EEX_NEED(e, "engine");
    EEX_NEED(image, "image");
    eex_result ignored;
    EEX_TRY(eex__engine_check_whole(e, __func__));
    int code = eex_device_lock(e->device);
    if (code < 0)
        return code;
    for (int i = 0; i < EEX_SETTLING_RUNS && code == EEX_OK; i++)
        code = force(e, &ignored, image, e->exits - 1);
    eex_device_unlock(e->device);
    return code;
}

int eex_engine_latency(eex_engine *e, double *ms, const uint8_t *image, int rounds)
{
    EEX_NEED(e, "engine");
    EEX_NEED(ms, "place for the milliseconds");
    EEX_NEED(image, "image");
    eex_racer racer[EEX_MAX_EXITS];
    EEX_TRY(eex__engine_check_whole(e, __func__));
    eex_race race = {
        .images = image, .image_bytes = e->image_bytes, .count = 1, .batch = 1, .rounds = rounds};
    for (int k = 0; k < e->exits; k++)
        racer[k] = (eex_racer){.engine = e, .forced = true, .exit = k};
    EEX_TRY(eex_race_run(racer, e->exits, &race));
    for (int k = 0; k < e->exits; k++)
        ms[k] = racer[k].times.latency.mean;
    return EEX_OK;
}

int eex_engine_measure(eex_engine *e, eex_latency *out, const uint8_t *images, int count)
{
    EEX_NEED(e, "engine");
    EEX_NEED(out, "place for the latency");
    EEX_NEED(images, "images");
    EEX_TRY(eex__engine_check_whole(e, __func__));
    eex_racer alone = {.engine = e};
    eex_race race = {.images = images,
                     .image_bytes = e->image_bytes,
                     .count = count,
                     .batch = 1,
                     .rounds = ROUNDS};
    EEX_TRY(eex_race_run(&alone, 1, &race));
    *out = alone.times.latency;
    return EEX_OK;
}
