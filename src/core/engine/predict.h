/* An exit predictor (core/model/predictor.h) as a guest of a walk: it sees the images of a batch
 * before the network does, and lets the gates be computed for the rows alone that it finds worth
 * it. It runs on the network's device, in a plan of its own. */
#ifndef EEX_CORE_ENGINE_PREDICT_H
#define EEX_CORE_ENGINE_PREDICT_H

#include "core/engine/walk.h"
#include "core/model/predictor.h"

/* For batches of up to how->batch images. The predictor is borrowed, and is on a device. */
int eex_predict_guest_new(eex_guest **out, const eex_exit_predictor *predictor,
                          const eex_inference *how);
/* From now on gates are computed for scores of at least gamma[k], (gates); at first the predictor's
 * own. */
void eex_predict_guest_ask(eex_guest *guest, const float *gamma);
void eex_predict_guest_free(eex_guest *guest); /* accepts NULL */

#endif
