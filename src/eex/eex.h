/* eex: trained early-exit networks in programs of your own.
 *
 *     #include <eex/eex.h>
 *
 *     eex_init();                                                  // once
 *     eex_device_open(&device, "cpu", NULL);                       // or "cuda"
 *     eex_model_open(&model, "runs/mine", EEX_MODEL_BEST, device); // a run's folder or a file
 *     eex_engine_open(&engine, model, 32);                         // batches of up to 32 images
 *     eex_engine_run(engine, results, images, count);              // or submit and poll
 *
 * and everything is closed in the opposite order. Every function that can fail returns EEX_OK or a
 * negative code; eex_error() says, for this thread, what was wrong and what helps. Objects that a
 * function gives through its first argument belong to the caller; pointers that it returns are
 * borrowed. Nothing here ends the program or changes how it treats signals, and nothing is printed
 * but a warning on stderr where a model of an earlier eex cannot be compared with its data.
 *
 * docs/running-models.md explains all of it, docs/examples/classify is a whole program. The headers
 * below this one are the reference. */
#ifndef EEX_EEX_EEX_H
#define EEX_EEX_EEX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "core/engine/engine.h"
#include "core/engine/race.h"
#include "core/frames/frames.h"
#include "core/graph/cost.h"
#include "core/model/model.h"
#include "core/model/model_data.h"
#include "device/device.h"

#include "base/status.h"

/* Makes the devices of this build known to eex_device_open: "cpu", and "cuda" where it was built
 * in. Any thread may call it, any number of times. */
int eex_init(void);

/* "0.1.0": of the library that the program runs with. */
const char *eex_version(void);

#ifdef __cplusplus
}
#endif
#endif
