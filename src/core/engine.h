/* The engine: adaptive execution. Runs a batch segment by segment; at each exit the samples that
 * the policy accepts or rejects leave, and the batch really shrinks to the survivors. */
#ifndef EEX_CORE_ENGINE_H
#define EEX_CORE_ENGINE_H

#include "core/decide.h"
#include "core/model.h"
#include "core/plan.h"

typedef struct eex_engine eex_engine;

/* graph and policy must have the same exits. Everything is borrowed and must outlive the engine;
 * the policy NULL runs to the end (the base network). */
int eex_engine_new(eex_engine **out, const eex_graph *graph, eex_params *params,
                   const eex_policy *policy, const eex_augment *normalise, int batch);
/* The same for a model, with the policy that it has now. */
int eex_engine_open(eex_engine **out, const eex_model *model, int batch);
void eex_engine_close(eex_engine *engine);

/* Classifies count (1..batch) images, (count, H, W, C) uint8; results in the same order. Allocates
 * nothing. */
int eex_engine_run(eex_engine *engine, eex_result *results, const uint8_t *images, int count);

/* Milliseconds of one input that leaves at exit k (batch 1): median of `rounds` runs after a
 * warm-up. ms[k] has room for every exit; cumulative, as a user would wait. */
int eex_engine_latency(eex_engine *engine, double *ms, const uint8_t *image, int rounds);

typedef struct eex_latency {
    double mean, p50, p95, p99; /* milliseconds of one input at batch 1 */
} eex_latency;
/* Batch-1 latency over the given images, each run once after a warm-up. */
int eex_engine_measure(eex_engine *engine, eex_latency *out, const uint8_t *images, int count);

#endif
