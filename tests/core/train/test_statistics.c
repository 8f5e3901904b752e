/* Statistics taken anew: of the batches alone, whatever was there before. */
#include "core/train/statistics.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/net.h"
#include "support/patches.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { COUNT = 25, BATCH = 10 };

static char folder[TEST_PATH_SIZE];
static net n;
static eex_dataset *data;
static uint32_t samples[COUNT];
static eex_inference how;

static void setup(void)
{
    test_folder_make(folder);
    data = patches_open(folder, COUNT, 4, 40);
    n = net_open(net_tiny, 1, 2);
    how = (eex_inference){.batch = BATCH};
    for (int c = 0; c < 3; c++)
        how.normalise.std[c] = 1;
    for (uint32_t i = 0; i < COUNT; i++)
        samples[i] = COUNT - 1 - i;
}

static void teardown(void)
{
    net_close(&n);
    eex_dataset_close(data);
    test_folder_remove(folder);
}

TestSuite(statistics, .init = setup, .fini = teardown, .timeout = 60);

static float *states(void)
{
    return fetch_floats(n.dev, n.params->state, n.params->state_count);
}

static float *estimate(size_t first, size_t count)
{
    OK(eex_statistics_estimate(n.params, data, samples + first, count, &how));
    return states();
}

/* What a training step with these samples moves the running ones by. */
static double *by_training(size_t first, size_t count)
{
    static const float ones[EEX_MAX_EXITS] = {1, 1, 1};
    eex_plan_options o = net_training(BATCH, ones, eex_graph_exits(n.graph));
    const eex_dataset_info *facts = eex_dataset_facts(data);
    const size_t bytes = (size_t)facts->height * (size_t)facts->width * (size_t)facts->channels;
    uint8_t *images = malloc(count * bytes);
    int32_t *labels = calloc(count, sizeof *labels);
    const eex_step step = {.batch = (int)count, .step = 1};
    eex_plan *plan;
    o.augment = how.normalise;
    o.gradient_only = true;
    OK(eex_optimizer_state_new(&o.state, n.params, &o.optimizer));
    OK(eex_plan_new(&plan, &o, n.graph, n.params));
    OK(eex_dataset_gather(images, data, samples + first, count));
    float *before = states();
    OK(eex_plan_upload(plan, images, labels, samples + first, (int)count));
    OK(eex_plan_step(plan, &step));
    float *after = states();
    double *batch = malloc(n.params->state_count * sizeof *batch);
    for (size_t i = 0; i < n.params->state_count; i++)
        batch[i] = ((double)after[i] - 0.9 * (double)before[i]) / 0.1;
    eex_plan_free(plan);
    eex_optimizer_state_free(o.state);
    free(images);
    free(labels);
    free(before);
    free(after);
    return batch;
}

static void expect_near(const float *got, const double *want, const char *what)
{
    double off = 0, size = 0;
    for (size_t i = 0; i < n.params->state_count; i++) {
        off = fmax(off, fabs((double)got[i] - want[i]));
        size = fmax(size, fabs(want[i]));
    }
    cr_expect_lt(off, 2e-5 * size, "%s: off by %g of %g", what, off, size);
}

Test(statistics, are_those_of_the_batch)
{
    double *want = by_training(0, BATCH);
    float *got = estimate(0, BATCH);
    expect_near(got, want, "one batch");
    free(want);
    free(got);
}

/* Of images that are augmented where a training's would be. */
Test(statistics, are_those_of_augmented_images)
{
    float *clean = estimate(0, BATCH);
    how.normalise.enabled = true;
    how.normalise.crop_pad = 2;
    how.normalise.flip = true;
    double *want = by_training(0, BATCH);
    float *got = estimate(0, BATCH);
    expect_near(got, want, "one batch");
    cr_expect_neq(memcmp(clean, got, n.params->state_count * sizeof *got), 0);
    free(clean);
    free(want);
    free(got);
}

/* Of 103 samples that are sorted, each batch has some of each fifth; none is there twice. */
Test(statistics, batches_have_samples_from_all_over)
{
    enum { TOTAL = 103, LEAST = 20 };
    uint32_t sorted[TOTAL], chosen[TOTAL];
    for (uint32_t i = 0; i < TOTAL; i++)
        sorted[i] = 1000 + i;
    for (size_t count = LEAST; count <= TOTAL; count++) {
        bool there[TOTAL] = {false};
        eex_statistics_choose(chosen, count, sorted, TOTAL, BATCH);
        for (size_t first = 0; first < count; first += BATCH) {
            const size_t end = first + BATCH < count ? first + BATCH : count;
            unsigned fifths = 0;
            for (size_t i = first; i < end; i++) {
                cr_assert(chosen[i] >= 1000 && chosen[i] < 1000 + TOTAL &&
                          !there[chosen[i] - 1000]);
                there[chosen[i] - 1000] = true;
                fifths |= 1U << (5 * (chosen[i] - 1000) / TOTAL);
            }
            cr_expect(end - first < BATCH || fifths == 31, "%zu of %zu: %x", first, count, fifths);
        }
    }
}

Test(statistics, of_batches_are_weighed_by_their_samples)
{
    double want[4096] = {0};
    cr_assert_leq(n.params->state_count, 4096);
    for (size_t first = 0; first < COUNT; first += BATCH) {
        const size_t count = COUNT - first < BATCH ? COUNT - first : BATCH;
        float *one = estimate(first, count);
        for (size_t i = 0; i < n.params->state_count; i++)
            want[i] += (double)count * (double)one[i] / COUNT;
        free(one);
    }
    float *got = estimate(0, COUNT);
    expect_near(got, want, "three batches");
    free(got);
}

Test(statistics, depend_on_nothing_else_and_leave_the_weights)
{
    float *before = fetch_floats(n.dev, n.params->w, n.params->count);
    float *first = estimate(0, COUNT), *again = estimate(0, COUNT);
    float *after = fetch_floats(n.dev, n.params->w, n.params->count);
    cr_expect_eq(memcmp(first, again, n.params->state_count * sizeof *first), 0);
    cr_expect_eq(memcmp(before, after, n.params->count * sizeof *before), 0);
    free(before);
    free(after);
    free(first);
    free(again);
}

Test(statistics, of_nothing_are_refused)
{
    cr_expect_eq(eex_statistics_estimate(n.params, data, samples, 0, &how), EEX_EINVAL);
}
