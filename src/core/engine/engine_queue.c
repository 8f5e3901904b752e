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
                                     .context = e,
                                     .device = e->device};
    return eex_queue_new(&e->queue, &runner);
}

int eex_engine_queue(eex_engine *e, const eex_engine_options *options)
{
    EEX_NEED(e, "engine");
    return eex_queue_open(e->queue, options);
}

int eex_engine_submit(eex_engine *e, uint64_t id, const uint8_t *image)
{
    EEX_NEED(e, "engine");
    return eex_queue_submit(e->queue, id, image);
}

int eex_engine_poll(eex_engine *e, eex_engine_result *results, int max, int timeout_ms, int *count)
{
    EEX_NEED(e, "engine");
    return eex_queue_poll(e->queue, results, max, timeout_ms, count);
}

int eex_engine_wait(eex_engine *e, int timeout_ms)
{
    EEX_NEED(e, "engine");
    return eex_queue_wait(e->queue, timeout_ms);
}
