/* How a batch shrinks: after each segment the policy decides about every sample that is still
 * there; those that leave get their result, the others move up to the front (compaction), and the
 * next segment runs on fewer rows. */
#include "core/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/status.h"

struct eex_engine {
    eex_plan *plan;
    eex_device *device;
    const eex_policy *policy; /* NULL: only the end decides */
    int batch, exits;
    size_t image_bytes;
    int32_t *row;   /* (batch) which input each surviving row is */
    int32_t *index; /* (batch) rows that survive the exit at hand */
    int32_t *top;   /* (batch) scores on the host */
    float *score;   /* (3, batch) */
    double *ms;     /* scratch of the measurements */
    int ms_count;
};

static int set_temperatures(eex_engine *e)
{
    for (int k = 0; k < e->exits && e->policy; k++)
        EEX_TRY(eex_plan_temperature(e->plan, k, e->policy->temperature[k]));
    return EEX_OK;
}

static int open_engine(eex_engine *e, const eex_graph *graph, eex_params *params,
                       const eex_augment *normalise)
{
    size_t n = (size_t)e->batch;
    const eex_node *input = eex_graph_node(graph, 0);
    e->image_bytes = (size_t)input->h * (size_t)input->w * (size_t)input->c;
    e->row = malloc(n * sizeof *e->row);
    e->index = malloc(n * sizeof *e->index);
    e->top = malloc(n * sizeof *e->top);
    e->score = malloc(3 * n * sizeof *e->score);
    if (!e->row || !e->index || !e->top || !e->score)
        return eex_fail(EEX_ENOMEM, "engine: out of memory for a batch of %d", e->batch);
    eex_plan_options options = {.batch = e->batch, .augment = *normalise};
    EEX_TRY(eex_plan_new(&e->plan, &options, graph, params));
    return set_temperatures(e);
}

int eex_engine_open(eex_engine **out, const eex_graph *graph, eex_params *params,
                    const eex_policy *policy, const eex_augment *normalise, int batch)
{
    *out = NULL;
    int exits = eex_graph_exits(graph);
    if (policy && (policy->exits != exits || policy->classes != eex_graph_classes(graph)))
        return eex_fail(
            EEX_EINVAL, "engine: the policy is for %d exits and %d classes, %s has %d and %d",
            policy->exits, policy->classes, eex_graph_name(graph), exits, eex_graph_classes(graph));
    if (batch < 1)
        return eex_fail(EEX_EINVAL, "engine: batch %d, expected at least 1", batch);
    eex_engine *e = calloc(1, sizeof *e);
    if (!e)
        return eex_fail(EEX_ENOMEM, "out of memory for an engine");
    e->device = params->device;
    e->policy = policy;
    e->batch = batch;
    e->exits = exits;
    int code = open_engine(e, graph, params, normalise);
    if (code < 0) {
        eex_engine_close(e);
        return code;
    }
    *out = e;
    return EEX_OK;
}

void eex_engine_close(eex_engine *e)
{
    if (!e)
        return;
    eex_plan_free(e->plan);
    free(e->row);
    free(e->index);
    free(e->top);
    free(e->score);
    free(e->ms);
    free(e);
}

/* ---- deciding ---- */

/* Scores of the first `count` rows at exit k, on the host. */
static int fetch_scores(eex_engine *e, eex_scores *out, int k, int count)
{
    EEX_TRY(eex_plan_scores(e->plan, k, out));
    EEX_TRY(e->device->vtable->sync(e->device));
    if (e->device->host_memory)
        return EEX_OK;
    size_t n = (size_t)count, b = (size_t)e->batch;
    int (*get)(eex_device *, void *, const void *, size_t) = e->device->vtable->download;
    EEX_TRY(get(e->device, e->top, out->top, n * sizeof(int32_t)));
    EEX_TRY(get(e->device, e->score, out->confidence, n * sizeof(float)));
    EEX_TRY(get(e->device, e->score + b, out->margin, n * sizeof(float)));
    EEX_TRY(get(e->device, e->score + 2 * b, out->entropy, n * sizeof(float)));
    *out = (eex_scores){e->top, e->score, e->score + b, e->score + 2 * b};
    return EEX_OK;
}

static eex_decision decide(const eex_engine *e, int k, int top, float score)
{
    if (!e->policy)
        return k == e->exits - 1 ? EEX_ACCEPT : EEX_GO_ON;
    return eex_policy_decide(e->policy, k, top, score);
}

/* Writes the results of the rows that leave at exit k; returns how many stay. Their rows are in
 * `index`, and `row` already speaks of the compacted batch. */
static int leave(eex_engine *e, eex_result *results, const eex_scores *s, int k, int count)
{
    eex_policy_kind kind = e->policy ? e->policy->kind : EEX_POLICY_CONFIDENCE;
    int stay = 0;
    for (int i = 0; i < count; i++) {
        float score = eex_policy_score(kind, s->confidence[i], s->margin[i], s->entropy[i]);
        eex_decision decision = decide(e, k, s->top[i], score);
        if (decision == EEX_GO_ON) {
            e->index[stay] = i;
            e->row[stay++] = e->row[i];
            continue;
        }
        results[e->row[i]] = (eex_result){.top = s->top[i],
                                          .exit = k,
                                          .decision = decision,
                                          .confidence = s->confidence[i],
                                          .margin = s->margin[i],
                                          .entropy = s->entropy[i]};
    }
    return stay;
}

static int run_segments(eex_engine *e, eex_result *results, int count)
{
    for (int k = 0; k < e->exits && count > 0; k++) {
        /* Without a policy no exit asks anybody: straight to the end. */
        int to = e->policy ? k : e->exits - 1;
        EEX_TRY(eex_plan_segments(e->plan, k, to, count));
        k = to;
        eex_scores scores;
        EEX_TRY(fetch_scores(e, &scores, k, count));
        int stay = leave(e, results, &scores, k, count);
        if (stay > 0 && stay < count)
            EEX_TRY(eex_plan_compact(e->plan, k, e->index, stay));
        count = stay;
    }
    return EEX_OK;
}

int eex_engine_run(eex_engine *e, eex_result *results, const uint8_t *images, int count)
{
    if (count < 1 || count > e->batch)
        return eex_fail(EEX_EINVAL, "engine: %d images, expected 1 to %d", count, e->batch);
    EEX_TRY(eex_plan_upload(e->plan, images, NULL, NULL, count));
    for (int i = 0; i < count; i++)
        e->row[i] = i;
    return run_segments(e, results, count);
}

/* ---- measuring ---- */

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

/* Milliseconds of one image that is made to leave at exit k. */
static int time_exit(eex_engine *e, double *ms, const uint8_t *image, int k)
{
    eex_scores scores;
    double begin = eex_clock_seconds();
    EEX_TRY(eex_plan_upload(e->plan, image, NULL, NULL, 1));
    for (int j = 0; j <= k; j++) {
        EEX_TRY(eex_plan_segments(e->plan, j, j, 1));
        EEX_TRY(fetch_scores(e, &scores, j, 1));
    }
    *ms = 1e3 * (eex_clock_seconds() - begin);
    return EEX_OK;
}

int eex_engine_latency(eex_engine *e, double *ms, const uint8_t *image, int rounds)
{
    EEX_TRY(scratch(e, rounds));
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

static double quantile(const double *sorted, int count, double q)
{
    int at = (int)ceil(q * count) - 1;
    return sorted[at < 0 ? 0 : at];
}

int eex_engine_measure(eex_engine *e, eex_latency *out, const uint8_t *images, int count)
{
    eex_result result;
    if (count < 1)
        return eex_fail(EEX_EINVAL, "engine: no images to measure with");
    EEX_TRY(scratch(e, count));
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
