/* The engine decides about every sample as the replay of the trace does, bit for bit, whatever the
 * batch and the order. */
#include "core/engine/engine.h"
#include "core/policy/replay.h"
#include "support/bed.h"
#include "support/devices.h"
#include "support/folder.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

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

/* ---- engine against replay ---- */

static void run_in_batches(const bed *b, const eex_policy *policy, const expected *want, int batch,
                           const uint32_t *order)
{
    eex_engine *engine;
    uint8_t *images = malloc((size_t)batch * b->image);
    eex_result *results = malloc((size_t)batch * sizeof *results);
    cr_assert(images && results);
    const eex_inference how = bed_inference(b, batch);
    OK(eex_engine_new(&engine, b->net.graph, b->net.params, policy, &how));
    for (int at = 0; at < SAMPLES; at += batch) {
        int count = SAMPLES - at < batch ? SAMPLES - at : batch;
        OK(eex_dataset_gather(images, b->data, order + at, (size_t)count));
        memset(results, 0xff, (size_t)batch * sizeof *results);
        OK(eex_engine_run(engine, results, images, count));
        for (int i = 0; i < count; i++)
            bed_compare(b, policy, want, &results[i], order[at + i]);
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

/* Of the first `few` kinds of policies; 0: of all. */
static void check_policies(bed *b, size_t few)
{
    const eex_calibration hows[] = {
        eex_calibration_default(),
        {.kind = EEX_POLICY_PER_CLASS, .temperature = 2, .a = 0.8, .b = 1.5, .by_label = true},
        {.kind = EEX_POLICY_PER_CLASS, .temperature = 0, .a = -0.2, .b = INFINITY},
        {.kind = EEX_POLICY_MARGIN, .temperature = 1, .a = 0.3, .b = INFINITY},
        {.kind = EEX_POLICY_CONFIDENCE, .temperature = 0, .a = 0.6, .b = 0.3},
        {.kind = EEX_POLICY_ENTROPY, .temperature = 1, .a = -0.9, .b = INFINITY},
    };
    const size_t count = sizeof hows / sizeof *hows;
    int used[EEX_MAX_EXITS] = {0}, exits = b->trace->exits;
    for (size_t i = 0; i < (few && few < count ? few : count); i++)
        check_policy(b, &hows[i], used);
    for (int k = 0; k <= exits; k++)
        cr_expect_gt(used[k], 0, "%d of %d: none", k, exits);
}

Test(engine, decides_as_the_replay_does)
{
    bed b = bed_of_patches(folder);
    check_policies(&b, 0);
    bed_close(&b);
}

/* The images are the data's, whatever size the network reads. */
Test(engine, decides_as_the_replay_does_on_images_of_another_size)
{
    const eex_calibration how = eex_calibration_default();
    int used[EEX_MAX_EXITS] = {0};
    bed b = bed_of_enlarged(folder);
    cr_assert_eq(eex_graph_node(b.net.graph, 0)->h, 12);
    cr_assert_eq(b.image, 8 * 8 * 3);
    check_policy(&b, &how, used);
    cr_expect_gt(SAMPLES - used[b.trace->exits - 1], 0, "nobody leaves early");
    bed_close(&b);
}

Test(engine, decides_as_the_replay_does_on_mobilenetv2)
{
    if (tests_are_quick() > 1)
        cr_skip_test("too slow under sanitizers");
    bed b = bed_of_drawings(folder);
    check_policies(&b, tests_are_quick() ? 2 : 0);
    bed_close(&b);
}

/* Strangers are rejected whatever their score, alone and in batches. */
static void check_strangers(bed *b)
{
    static const int batches[] = {1, 7, 64};
    const eex_calibration how = {.kind = EEX_POLICY_CONFIDENCE, .a = 0.6, .b = INFINITY};
    expected want;
    eex_outcome outcome;
    eex_policy *policy;
    int rejected[EEX_MAX_EXITS] = {0};
    bed_know(b);
    OK(eex_calibrate(&policy, b->trace, b->net.dev, &how, NULL));
    for (int k = 0; k + 1 < policy->exits; k++)
        policy->far[k] = k ? 1.4 : 1.2;
    OK(eex_replay(&outcome, b->trace, policy, NULL, want.exit, want.decision));
    for (int i = 0; i < SAMPLES; i++)
        rejected[want.exit[i]] += want.decision[i] == EEX_REJECT;
    cr_expect(rejected[0] > 0 && rejected[0] < SAMPLES, "%d", rejected[0]);
    cr_expect_gt(rejected[1], 0);
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
        run_in_batches(b, policy, &want, batches[i], b->samples);
    eex_policy_free(policy);
}

Test(engine, rejects_strangers_as_the_replay_does)
{
    bed b = bed_of_patches(folder);
    check_strangers(&b);
    bed_close(&b);
}

/* A policy made from scores of a precision decides about scores of the same. */
Test(engine, decides_as_the_replay_does_in_another_precision)
{
    bed b = bed_of_patches(folder);
    if (!(b.net.dev->precisions & 1u << EEX_BF16_PRODUCTS)) {
        bed_close(&b);
        cr_skip_test("the device does not calculate in bfloat16-products");
    }
    bed_trace_in(&b, EEX_BF16_PRODUCTS);
    check_policies(&b, 0);
    bed_close(&b);
}

Test(engine, decides_as_the_replay_does_in_another_precision_on_mobilenetv2)
{
    if (tests_are_quick() > 1)
        cr_skip_test("too slow under sanitizers");
    bed b = bed_of_drawings(folder);
    if (!(b.net.dev->precisions & 1u << EEX_BF16_PRODUCTS)) {
        bed_close(&b);
        cr_skip_test("the device does not calculate in bfloat16-products");
    }
    bed_trace_in(&b, EEX_BF16_PRODUCTS);
    check_policies(&b, tests_are_quick() ? 2 : 0);
    bed_close(&b);
}

/* ---- the rest of its interface ---- */

Test(engine, without_a_policy_everything_goes_to_the_end)
{
    bed b = bed_of_patches(folder);
    expected want;
    for (int i = 0; i < SAMPLES; i++) {
        want.exit[i] = b.trace->exits - 1;
        want.decision[i] = EEX_ACCEPT;
    }
    run_in_batches(&b, NULL, &want, 32, b.samples);
    bed_close(&b);
}

Test(engine, a_policy_for_other_exits_is_refused)
{
    bed b = bed_of_patches(folder);
    const eex_inference how = bed_inference(&b, 4), none = bed_inference(&b, 0);
    eex_policy *policy;
    eex_engine *engine = NULL;
    OK(eex_policy_new(&policy, EEX_POLICY_MARGIN, 2, NET_CLASSES));
    cr_expect_eq(eex_engine_new(&engine, b.net.graph, b.net.params, policy, &how), EEX_EINVAL);
    cr_expect_null(engine);
    eex_policy_free(policy);
    OK(eex_policy_new(&policy, EEX_POLICY_MARGIN, 3, NET_CLASSES + 1));
    cr_expect_eq(eex_engine_new(&engine, b.net.graph, b.net.params, policy, &how), EEX_EINVAL);
    cr_expect_eq(eex_engine_new(&engine, b.net.graph, b.net.params, NULL, &none), EEX_EINVAL);
    eex_engine_close(NULL);
    eex_policy_free(policy);
    bed_close(&b);
}

Test(engine, precisions_that_it_cannot_decide_in_are_refused)
{
    bed b = bed_of_patches(folder);
    eex_inference how = bed_inference(&b, 1);
    eex_engine *engine = NULL;
    const unsigned had = b.net.dev->precisions;
    b.net.dev->precisions = 1u << EEX_F32 | 1u << EEX_BF16;
    how.precision = EEX_BF16_PRODUCTS;
    cr_expect_eq(eex_engine_new(&engine, b.net.graph, b.net.params, NULL, &how), EEX_EUNSUPPORTED);
    cr_expect(strstr(eex_error(), "does not calculate in bfloat16-products"), "%s", eex_error());
    how.precision = EEX_BF16;
    cr_expect_eq(eex_engine_new(&engine, b.net.graph, b.net.params, NULL, &how), EEX_EUNSUPPORTED);
    cr_expect(strstr(eex_error(), "for training"), "%s", eex_error());
    cr_expect_null(engine);
    b.net.dev->precisions = had;
    bed_close(&b);
}

Test(engine, batches_beyond_its_size_are_refused)
{
    bed b = bed_of_patches(folder);
    const eex_inference how = bed_inference(&b, 2);
    eex_engine *engine;
    eex_result results[3];
    uint8_t *images = malloc(3 * b.image);
    cr_assert_not_null(images);
    OK(eex_dataset_gather(images, b.data, b.samples, 3));
    OK(eex_engine_new(&engine, b.net.graph, b.net.params, NULL, &how));
    cr_expect_eq(eex_engine_run(engine, results, images, 3), EEX_EINVAL);
    cr_expect_eq(eex_engine_run(engine, results, images, 0), EEX_EINVAL);
    OK(eex_engine_run(engine, results, images, 2));
    eex_engine_close(engine);
    free(images);
    bed_close(&b);
}

Test(engine, measures_latency)
{
    bed b = bed_of_patches(folder);
    const eex_inference how = bed_inference(&b, 1);
    eex_engine *engine;
    eex_latency latency;
    double ms[EEX_MAX_EXITS];
    uint8_t *images = malloc(SAMPLES * b.image);
    cr_assert_not_null(images);
    OK(eex_dataset_gather(images, b.data, b.samples, SAMPLES));
    OK(eex_engine_new(&engine, b.net.graph, b.net.params, NULL, &how));
    OK(eex_engine_measure(engine, &latency, images, SAMPLES));
    cr_expect(latency.p50 > 0 && latency.p50 <= latency.p95 && latency.p95 <= latency.p99);
    cr_expect(latency.mean > 0 && latency.mean < 1e3);
    OK(eex_engine_latency(engine, ms, images, 50));
    for (int k = 0; k < b.trace->exits; k++)
        cr_expect(ms[k] > 0 && ms[k] < 1e3);
    cr_expect_eq(eex_engine_measure(engine, &latency, images, 0), EEX_EINVAL);
    eex_engine_close(engine);
    free(images);
    bed_close(&b);
}
