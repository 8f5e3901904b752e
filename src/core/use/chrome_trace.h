/* Timelines: what happens to a few inputs, operation by operation, as a file that chrome://tracing
 * and Perfetto load (the Chrome trace event format: complete events, microseconds). */
#ifndef EEX_CORE_USE_CHROME_TRACE_H
#define EEX_CORE_USE_CHROME_TRACE_H

#include "core/engine/engine.h"

#include "base/buffer.h"
#include "base/json.h"

typedef struct eex_chrome_trace eex_chrome_trace;

int eex_chrome_trace_new(eex_chrome_trace **out, const eex_model *model);
void eex_chrome_trace_free(eex_chrome_trace *trace); /* accepts NULL */

/* Runs `count` images as one batch, as the engine would but with every operation waited for, and
 * adds what happened: the batch, in it bringing the images in, each segment with its operations,
 * and each exit with the number of images that came and left. `sample` are their numbers, `labels`
 * their classes, -1 where nobody knows. The engine is of
 * the trace's model; count is at most eex_engine_rows. */
int eex_chrome_trace_run(eex_chrome_trace *trace, eex_engine *engine, const uint8_t *images,
                         const uint32_t *sample, const int32_t *labels, int count);

/* Ends the trace and writes it atomically. */
int eex_chrome_trace_write(eex_chrome_trace *trace, const char *path);

#endif
