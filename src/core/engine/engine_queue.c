/* The engine's queue. */
#include "core/engine/engine_impl.h"

#include "base/status.h"

static int run(void *engine, eex_result *results, const uint8_t *images, int count)
{
    return eex_engine_run(engine, results, images, count);
}

int eex__engine_queue_new(eex_engine *e)
{
    const eex_queue_runner runner = {.name = "engine",
                                     .image_bytes = e->image_bytes,
                                     .batch = e->batch,
                                     .run = run,
                                     .context = e};
    return eex_queue_new(&e->queue, &runner);
}

int eex_engine_queue(eex_engine *e, const eex_engine_options *options)
{
    return e ? eex_queue_open(e->queue, options)
             : eex_fail(EEX_EINVAL, "engine: a queue for no engine");
}

int eex_engine_submit(eex_engine *e, uint64_t id, const uint8_t *image)
{
    if (!e || !image)
        return eex_fail(EEX_EINVAL, "engine: submitting needs an engine and an image");
    return eex_queue_submit(e->queue, id, image);
}

int eex_engine_poll(eex_engine *e, eex_engine_result *results, int max, int timeout_ms, int *count)
{
    if (!e || !results || !count || max < 1)
        return eex_fail(EEX_EINVAL, "engine: polling needs an engine, room for at least one result "
                                    "and for their number");
    return eex_queue_poll(e->queue, results, max, timeout_ms, count);
}

int eex_engine_wait(eex_engine *e, int timeout_ms)
{
    return e ? eex_queue_wait(e->queue, timeout_ms)
             : eex_fail(EEX_EINVAL, "engine: waiting for no engine");
}
