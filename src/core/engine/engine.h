/* The engine: adaptive execution. Runs a batch segment by segment; at each exit the samples that
 * the policy accepts or rejects leave, and the batch really shrinks to the survivors.
 *
 * There are two ways to use one: eex_engine_run classifies a batch and returns when it is done;
 * eex_engine_submit and eex_engine_poll put images into a queue that a thread of the engine works
 * off. A program may have any number of engines, also several on one device and in several threads:
 * they take turns. What an image's result is does not depend on which images are beside it.
 *
 * What a function needs and is not given it refuses with EEX_EINVAL; functions that only say
 * something say 0. After a fork the child has no threads of its parent's devices: there every
 * function that would run something is refused with EEX_EDEVICE, and closing what the parent opened
 * leaves it to the parent. */
#ifndef EEX_CORE_ENGINE_ENGINE_H
#define EEX_CORE_ENGINE_ENGINE_H

#include "core/engine/queue.h"
#include "core/model/model.h"
#include "core/plan/plan.h"
#include "core/train/inference.h"
#include "device/decide.h"

#include "base/laps.h"

typedef struct eex_engine eex_engine;

enum { EEX_ENGINE_MAX_BATCH = 1 << 16 };

/* graph and policy must have the same exits. Graph and parameters are borrowed and must outlive the
 * engine; the policy's thresholds are copied, NULL runs to the end (the base network).
 *
 * how->batch is the largest that will come, up to EEX_ENGINE_MAX_BATCH. Smaller ones lose nothing
 * by it: no op of the CPU depends on it, so there is one plan and not one for each size. */
int eex_engine_new(eex_engine **out, const eex_graph *graph, eex_params *params,
                   const eex_policy *policy, const eex_inference *how);
/* The same with a predictor (core/model/predictor.h) that says which gates are computed for an
 * image; borrowed, on the device of params. NULL, or without a policy: all are. */
int eex_engine_new_predicting(eex_engine **out, const eex_graph *graph, eex_params *params,
                              const eex_policy *policy, const eex_inference *how,
                              const eex_exit_predictor *predictor);
/* The same for a model, with the policy and the predictor that it has now, in the precision that it
 * runs in. EEX_EUNSUPPORTED: its device does not calculate in that; see eex_model_set_precision. */
int eex_engine_open(eex_engine **out, const eex_model *model, int batch);
/* Accepts NULL. Images that are still in the queue and results that nobody polled are lost. */
void eex_engine_close(eex_engine *engine);

/* Other thresholds, of the same exits and classes, from the next batch on: of those who are in it
 * all by the old ones or all by the new. gamma: (exits - 1) for the predictor; NULL: as it is. Whom
 * the policy rejects by distance stays as it was. EEX_EINVAL: the engine has no policy, because
 * then nobody decides on the way. */
int eex_engine_decide(eex_engine *engine, const eex_policy *policy, const float *gamma);

/* Where how->part says so an engine has a part of the network alone, with the memory of that alone:
 * for eex_onset_new or eex_rest_new (part.h), and nothing else runs it. */

/* Bytes of one image: height x width x channels of the model's input. */
size_t eex_engine_image_bytes(const eex_engine *engine);

/* Classifies count (1..batch) images, (count, H, W, C) uint8; results in the same order. Allocates
 * nothing. */
int eex_engine_run(eex_engine *engine, eex_result *results, const uint8_t *images, int count);

/* ---- the queue ----
 *
 *     eex_engine_submit(engine, 7, image);                    // copies the image
 *     eex_engine_poll(engine, done, 64, 100, &count);         // done[i].id, done[i].result
 *
 * One thread an engine, started by the first submit, takes what is there, up to a batch, and runs
 * it. Results come in the order of submission. An image keeps its place in the queue until its
 * result was polled, so the queue bounds both. Nothing is allocated after the first submit. Submit,
 * poll and wait may be called from any threads. These are those of queue.h, which says what they
 * promise. */

typedef eex_queue_options eex_engine_options;
typedef eex_queue_result eex_engine_result;
enum { EEX_ENGINE_MAX_QUEUE = EEX_QUEUE_MAX };

/* Sets the queue up, before the first submit; without it everything is 0. NULL: likewise. */
int eex_engine_queue(eex_engine *engine, const eex_engine_options *options);

/* Puts a copy of an image, (H, W, C) uint8, into the queue. Never waits: EEX_EBUSY when it is full;
 * but without eex_engine_queue the first one opens the queue, which on a GPU waits its turn at the
 * device. After a failure of the worker: its code. */
int eex_engine_submit(eex_engine *engine, uint64_t id, const uint8_t *image);

/* Hands over at most `max` results in the order of submission; *count says how many. Waits for the
 * first one, at most timeout_ms; negative: as long as something is in the queue, so that
 *
 *     while (eex_engine_poll(engine, done, 64, -1, &count) == EEX_OK && count > 0) ...
 *
 * empties it. When the worker has failed, the results before that come first, then its code, from
 * then on; *count is 0. The engine is then of no more use. */
int eex_engine_poll(eex_engine *engine, eex_engine_result *results, int max, int timeout_ms,
                    int *count);

/* Waits, at most timeout_ms (negative: as long as it takes), until every image that was submitted
 * has a result to be polled. EEX_EBUSY: not within that time. */
int eex_engine_wait(eex_engine *engine, int timeout_ms);

/* ---- measuring ---- */

/* Runs an image to the end as often as it takes until single images are run in the way that stays:
 * before they are timed. */
int eex_engine_settle(eex_engine *engine, const uint8_t *image);

/* One image that goes as far as exit k, whatever the exits on the way decide. */
int eex_engine_force(eex_engine *engine, eex_result *result, const uint8_t *image, int exit);

/* Milliseconds of one input that leaves at exit k (batch 1): exits take turns, and each counts with
 * the lower quartile of its `rounds` (at least 2; base/laps.h). ms[k] has room for every exit;
 * cumulative, as a user would wait. race.h compares networks. */
int eex_engine_latency(eex_engine *engine, double *ms, const uint8_t *image, int rounds);

/* Batch-1 latency over the given images, each with the lower quartile of its rounds (11). */
int eex_engine_measure(eex_engine *engine, eex_latency *out, const uint8_t *images, int count);

/* Images that pass the network together: a larger batch is run in parts of so many, so that what a
 * layer writes is still in the processor's cache when the next one reads it. The engine's batch
 * where that does not matter. */
int eex_engine_rows(const eex_engine *engine);

#endif
