/* The engine decides about every sample as the replay of the trace does, bit for bit, whatever the
 * batch and the order. */
#include "base/rng.h"
#include "base/status.h"
#include "core/engine.h"
#include "core/replay.h"
#include "core/synthetic.h"
#include "core/train.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/net.h"
#include "support/patches.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { SAMPLES = 150 };

static char folder[TEST_PATH_SIZE];

static void setup(void)
{
    test_folder_make(folder);
}

static void teardown(void)
{
    test_folder_remove(folder);
}

TestSuite(engine, .init = setup, .fini = teardown, .timeout = 240);

typedef struct bed {
    net net;
    eex_dataset *data;
    eex_augment normalise;
    uint32_t samples[SAMPLES];
    eex_trace *trace;
    size_t image;
} bed;

/* A little training makes exits that agree on some samples and not on others. */
static void train(bed *b, int epochs)
{
    eex_recipe r = eex_recipe_default();
    eex_trainer *trainer;
    eex_epoch_report report;
    r.epochs = epochs;
    r.batch = 16;
    r.lr = 0.02;
    r.augment = b->normalise;
    OK(eex_trainer_new(&trainer, b->net.params, &r, b->data, b->samples, SAMPLES, 1));
    for (int i = 0; i < epochs; i++)
        OK(eex_trainer_epoch(trainer, &report));
    eex_trainer_free(trainer);
}

static bed open_bed(net_builder build, eex_dataset *data, int epochs)
{
    bed b = {.net = net_open(build, 1, 2), .data = data};
    const eex_dataset_info *facts = eex_dataset_facts(data);
    memcpy(b.normalise.mean, facts->mean, sizeof facts->mean);
    memcpy(b.normalise.std, facts->std, sizeof facts->std);
    b.image = (size_t)facts->height * (size_t)facts->width * (size_t)facts->channels;
    for (uint32_t i = 0; i < SAMPLES; i++)
        b.samples[i] = i;
    train(&b, epochs);
    OK(eex_trace_record(&b.trace, b.net.graph, b.net.params, data, b.samples, SAMPLES, &b.normalise,
                        50));
    return b;
}

static void close_bed(bed *b)
{
    eex_trace_free(b->trace);
    net_close(&b->net);
    eex_dataset_close(b->data);
}

static bed patches_bed(void)
{
    return open_bed(net_tiny, patches_open(folder, SAMPLES, 4, 40), 6);
}

static bed drawings_bed(void)
{
    eex_dataset *data;
    const char *path = test_path(folder, "drawings.h5");
    OK(eex_synthetic_make(path, "drawings", SAMPLES, 10, 1));
    OK(eex_dataset_open(&data, path));
    return open_bed(net_mobilenetv2, data, 1);
}

/* ---- engine against replay ---- */

typedef struct expected {
    int32_t exit[SAMPLES];
    eex_decision decision[SAMPLES];
} expected;

static bool same(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* A score of the sample lies so close to a threshold of an exit on its way, or two classes lie so
 * close together, that rounding may decide: allowed where bits do not repeat. */
static bool undecided(const bed *b, const eex_policy *p, uint32_t sample)
{
    const float close = 1e-4f;
    for (int k = 0; p && k < p->exits; k++) {
        size_t at = (size_t)k * SAMPLES + sample;
        size_t of = (size_t)(k * p->classes + b->trace->top[at]);
        float score = eex_policy_score(p->kind, b->trace->confidence[at], b->trace->margin[at],
                                       b->trace->entropy[at]);
        if (fabsf(score - p->high[of]) < close || fabsf(score - p->low[of]) < close ||
            b->trace->margin[at] < close)
            return true;
    }
    return false;
}

static bool scores_alike(const eex_result *got, const eex_trace *t, size_t at)
{
    const float close = 1e-4f;
    return fabsf(got->confidence - t->confidence[at]) < close &&
           fabsf(got->margin - t->margin[at]) < close &&
           fabsf(got->entropy - t->entropy[at]) < 10 * close;
}

static void compare(const bed *b, const eex_policy *policy, const expected *want,
                    const eex_result *got, uint32_t sample)
{
    if (!device_repeats_bits() && undecided(b, policy, sample))
        return;
    size_t at = (size_t)want->exit[sample] * SAMPLES + sample;
    cr_expect_eq(got->exit, want->exit[sample], "sample %u leaves at %d, not %d", sample, got->exit,
                 want->exit[sample]);
    cr_expect_eq(got->decision, want->decision[sample]);
    cr_expect_eq(got->top, b->trace->top[at]);
    if (!device_repeats_bits()) {
        cr_expect(scores_alike(got, b->trace, at), "sample %u has other scores", sample);
        return;
    }
    cr_expect(same(got->confidence, b->trace->confidence[at]) &&
                  same(got->margin, b->trace->margin[at]) &&
                  same(got->entropy, b->trace->entropy[at]),
              "sample %u has other scores than in the trace", sample);
}

static void run_in_batches(const bed *b, const eex_policy *policy, const expected *want, int batch,
                           const uint32_t *order)
{
    eex_engine *engine;
    uint8_t *images = malloc((size_t)batch * b->image);
    eex_result *results = malloc((size_t)batch * sizeof *results);
    cr_assert(images && results);
    OK(eex_engine_new(&engine, b->net.graph, b->net.params, policy, &b->normalise, batch));
    for (int at = 0; at < SAMPLES; at += batch) {
        int count = SAMPLES - at < batch ? SAMPLES - at : batch;
        OK(eex_dataset_gather(images, b->data, order + at, (size_t)count));
        memset(results, 0xff, (size_t)batch * sizeof *results);
        OK(eex_engine_run(engine, results, images, count));
        for (int i = 0; i < count; i++)
            compare(b, policy, want, &results[i], order[at + i]);
    }
    eex_engine_close(engine);
    free(results);
    free(images);
}

/* Calibrates, replays and runs. Adds to used[k] the samples that leave at exit k, and to
 * used[exits] those that are rejected. */
static void check_policy(bed *b, const eex_calibration *how, int *used)
{
    static const int batches[] = {1, 7, 64};
    expected want;
    eex_outcome outcome;
    eex_policy *policy;
    uint32_t order[SAMPLES];
    eex_rng rng;
    eex_rng_seed(&rng, 5, 5);
    OK(eex_calibrate(&policy, b->trace, b->net.dev, how, NULL));
    OK(eex_replay(&outcome, b->trace, policy, NULL, want.exit, want.decision));
    for (int i = 0; i < SAMPLES; i++) {
        used[want.exit[i]]++;
        used[b->trace->exits] += want.decision[i] == EEX_REJECT;
    }
    memcpy(order, b->samples, sizeof order);
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        run_in_batches(b, policy, &want, batches[i], order);
        eex_rng_shuffle(&rng, order, SAMPLES);
    }
    eex_policy_free(policy);
}

static void check_policies(bed *b)
{
    const eex_calibration hows[] = {
        eex_calibration_default(),
        {.kind = EEX_POLICY_PER_CLASS, .temperature = 2, .a = 0.8, .b = 1.5, .by_label = true},
        {.kind = EEX_POLICY_PER_CLASS, .temperature = 0, .a = -0.2, .b = INFINITY},
        {.kind = EEX_POLICY_MARGIN, .temperature = 1, .a = 0.3, .b = INFINITY},
        {.kind = EEX_POLICY_CONFIDENCE, .temperature = 0, .a = 0.6, .b = 0.3},
        {.kind = EEX_POLICY_ENTROPY, .temperature = 1, .a = -0.9, .b = INFINITY},
    };
    int used[EEX_MAX_EXITS] = {0}, exits = b->trace->exits;
    for (size_t i = 0; i < sizeof hows / sizeof *hows; i++)
        check_policy(b, &hows[i], used);
    for (int k = 0; k <= exits; k++)
        cr_expect_gt(used[k], 0, "%d of %d: none", k, exits);
}

Test(engine, decides_as_the_replay_does)
{
    bed b = patches_bed();
    check_policies(&b);
    close_bed(&b);
}

Test(engine, decides_as_the_replay_does_on_mobilenetv2)
{
    if (tests_are_quick() > 1)
        cr_skip_test("too slow under sanitizers");
    bed b = drawings_bed();
    check_policies(&b);
    close_bed(&b);
}

/* ---- the rest of its interface ---- */

Test(engine, without_a_policy_everything_goes_to_the_end)
{
    bed b = patches_bed();
    expected want;
    for (int i = 0; i < SAMPLES; i++) {
        want.exit[i] = b.trace->exits - 1;
        want.decision[i] = EEX_ACCEPT;
    }
    run_in_batches(&b, NULL, &want, 32, b.samples);
    close_bed(&b);
}

Test(engine, a_policy_for_other_exits_is_refused)
{
    bed b = patches_bed();
    eex_policy *policy;
    eex_engine *engine = NULL;
    OK(eex_policy_new(&policy, EEX_POLICY_MARGIN, 2, NET_CLASSES));
    cr_expect_eq(eex_engine_new(&engine, b.net.graph, b.net.params, policy, &b.normalise, 4),
                 EEX_EINVAL);
    cr_expect_null(engine);
    eex_policy_free(policy);
    OK(eex_policy_new(&policy, EEX_POLICY_MARGIN, 3, NET_CLASSES + 1));
    cr_expect_eq(eex_engine_new(&engine, b.net.graph, b.net.params, policy, &b.normalise, 4),
                 EEX_EINVAL);
    cr_expect_eq(eex_engine_new(&engine, b.net.graph, b.net.params, NULL, &b.normalise, 0),
                 EEX_EINVAL);
    eex_engine_close(NULL);
    eex_policy_free(policy);
    close_bed(&b);
}

Test(engine, batches_beyond_its_size_are_refused)
{
    bed b = patches_bed();
    eex_engine *engine;
    eex_result results[3];
    uint8_t *images = malloc(3 * b.image);
    cr_assert_not_null(images);
    OK(eex_dataset_gather(images, b.data, b.samples, 3));
    OK(eex_engine_new(&engine, b.net.graph, b.net.params, NULL, &b.normalise, 2));
    cr_expect_eq(eex_engine_run(engine, results, images, 3), EEX_EINVAL);
    cr_expect_eq(eex_engine_run(engine, results, images, 0), EEX_EINVAL);
    OK(eex_engine_run(engine, results, images, 2));
    eex_engine_close(engine);
    free(images);
    close_bed(&b);
}

Test(engine, measures_latency)
{
    bed b = patches_bed();
    eex_engine *engine;
    eex_latency latency;
    double ms[EEX_MAX_EXITS];
    uint8_t *images = malloc(SAMPLES * b.image);
    cr_assert_not_null(images);
    OK(eex_dataset_gather(images, b.data, b.samples, SAMPLES));
    OK(eex_engine_new(&engine, b.net.graph, b.net.params, NULL, &b.normalise, 1));
    OK(eex_engine_measure(engine, &latency, images, SAMPLES));
    cr_expect(latency.p50 > 0 && latency.p50 <= latency.p95 && latency.p95 <= latency.p99);
    cr_expect(latency.mean > 0 && latency.mean < 1e3);
    OK(eex_engine_latency(engine, ms, images, 50));
    for (int k = 0; k < b.trace->exits; k++)
        cr_expect(ms[k] > 0 && ms[k] < 1e3);
    cr_expect_eq(eex_engine_measure(engine, &latency, images, 0), EEX_EINVAL);
    eex_engine_close(engine);
    free(images);
    close_bed(&b);
}
