/* Gates that are skipped: the engine computes them for the rows alone that ask, in batches too, and
 * decides about every sample what replay decides. */
#include "core/engine/predict.h"
#include "core/policy/replay.h"
#include "core/train/survey.h"
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
static bed b;
static uint8_t *images;
static eex_policy *policy;
static eex_exit_predictor predictor; /* nobody trained it: its scores are as good as any */
static float *score;                 /* (gates, SAMPLES) */
static eex_charges charges;

static int read_scores(void *context, const eex_survey_place *at, int exit)
{
    float logits[SAMPLES * 32];
    const int outputs = eex_graph_classes(at->graph);
    EEX_TRY(eex_plan_logits(at->plan, exit, logits, at->batch->count));
    for (int k = 0; k < predictor.gates; k++)
        for (int i = 0; i < at->batch->count; i++)
            score[k * SAMPLES + (int)at->first + i] = eex_skip_score(logits[i * outputs + k]);
    return EEX_OK;
}

static void find_scores(void)
{
    static const eex_visitor visitor = {read_scores, NULL};
    const eex_inference how = bed_inference(&b, 50);
    const eex_survey survey = {.graph = predictor.graph,
                               .params = predictor.params,
                               .data = b.data,
                               .samples = b.samples,
                               .count = SAMPLES,
                               .how = &how,
                               .exits = 1,
                               .visitor = &visitor};
    score = malloc((size_t)predictor.gates * SAMPLES * sizeof *score);
    cr_assert_not_null(score);
    OK(eex_survey_run(&survey));
}

static void setup(void)
{
    const eex_calibration how = {
        .kind = EEX_POLICY_CONFIDENCE, .temperature = 1, .a = 0.6, .b = 0.3};
    test_folder_make(folder);
    b = bed_of_patches(folder);
    bed_know(&b);
    const eex_dataset_info *facts = eex_dataset_facts(b.data);
    predictor = (eex_exit_predictor){.gates = eex_graph_exits(b.net.graph) - 1};
    images = malloc(SAMPLES * b.image);
    cr_assert_not_null(images);
    OK(eex_dataset_gather(images, b.data, b.samples, SAMPLES));
    OK(eex_calibrate(&policy, b.trace, b.net.dev, &how, NULL));
    OK(eex_exit_predictor_graph(&predictor.graph, EEX_PREDICTOR_SEPARABLE, facts->height,
                                facts->width, facts->channels, predictor.gates));
    OK(eex_params_new(&predictor.params, b.net.dev, predictor.graph, 3));
    eex_model_charges(&charges, b.net.graph, predictor.graph);
    find_scores();
}

static void teardown(void)
{
    free(score);
    eex_params_free(predictor.params);
    eex_graph_free(predictor.graph);
    eex_policy_free(policy);
    free(images);
    bed_close(&b);
    test_folder_remove(folder);
}

TestSuite(predict, .init = setup, .fini = teardown, .timeout = 240);

static int by_value(const void *x, const void *y)
{
    const float a = *(const float *)x, c = *(const float *)y;
    return (a > c) - (a < c);
}

/* Between two scores that are not the same but for rounding: nobody stands on it. */
static float between(int gate, int at)
{
    float sorted[SAMPLES];
    memcpy(sorted, score + gate * SAMPLES, sizeof sorted);
    qsort(sorted, SAMPLES, sizeof *sorted, by_value);
    while (at > 0 && sorted[at] - sorted[at - 1] < 1e-5F)
        at--;
    return at == 0 ? 0 : (sorted[at] + sorted[at - 1]) / 2;
}

static void draw_gammas(eex_rng *rng)
{
    for (int k = 0; k < predictor.gates; k++) {
        const int at = (int)eex_rng_below(rng, SAMPLES + 20);
        predictor.gamma[k] = at < SAMPLES ? between(k, at) : INFINITY;
    }
}

/* ---- what the walk tells ---- */

typedef struct counter {
    eex_guest guest;
    int reached[EEX_MAX_EXITS], computed[EEX_MAX_EXITS];
} counter;

static void count(eex_guest *guest, const eex_leg *leg)
{
    counter *c = (counter *)guest;
    if (leg->kind == EEX_LEG_SEGMENT)
        c->computed[leg->exit] += leg->rows;
    if (leg->kind == EEX_LEG_EXIT)
        c->reached[leg->exit] += leg->rows;
}

static void compare_batches(eex_engine *engine, int batch, const eex_policy *by,
                            const expected *want, const eex_skip_outcome *outcome)
{
    eex_result results[SAMPLES];
    counter c = {.guest.leg = count};
    eex_walk walk = eex_engine_walk(engine);
    OK(eex_walk_invite(&walk, &c.guest));
    for (int at = 0; at < SAMPLES; at += batch) {
        const int n = SAMPLES - at < batch ? SAMPLES - at : batch;
        OK(eex_walk_run(&walk, results + at, images + (size_t)at * b.image, n));
    }
    for (int i = 0; i < SAMPLES; i++)
        bed_compare(&b, by, want, &results[i], (uint32_t)i);
    for (int k = 0; device_repeats_bits() && k <= predictor.gates; k++)
        cr_expect_eq(c.computed[k], (int)lround(outcome->computed[k] * SAMPLES), "exit %d", k);
}

/* `rounds` times other thresholds, batches of several sizes. */
static void compare(int rounds)
{
    static const int batches[] = {1, 7, 64, SAMPLES};
    eex_rng rng;
    int skipped = 0;
    eex_rng_seed(&rng, 7, 0);
    for (int round = 0; round < rounds; round++) {
        const eex_inference how = bed_inference(&b, SAMPLES);
        const eex_skips skips = {predictor.gates, score, predictor.gamma};
        eex_engine *engine = NULL;
        eex_skip_outcome outcome;
        expected want;
        draw_gammas(&rng);
        OK(eex_replay_skips(&outcome, b.trace, policy, &charges, &skips, want.exit, want.decision));
        OK(eex_engine_new_predicting(&engine, b.net.graph, b.net.params, policy, &how, &predictor));
        for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
            compare_batches(engine, batches[i], policy, &want, &outcome);
        skipped += outcome.computed[0] < 1;
        eex_engine_close(engine);
    }
    cr_expect_gt(skipped, 0);
}

Test(predict, engine_decides_what_replay_decides)
{
    compare(tests_are_quick() ? 4 : 12);
}

/* An engine whose thresholds and gammas change is as one that was made with them. */
Test(predict, thresholds_change_between_batches)
{
    const eex_inference how = bed_inference(&b, SAMPLES);
    eex_engine *engine = NULL, *plain = NULL;
    eex_policy *other, *small;
    eex_rng rng;
    int all[EEX_MAX_EXITS] = {0}, changed = 0, before = -1;
    for (int k = 0; k <= predictor.gates; k++)
        all[k] = k;
    OK(eex_policy_select(&other, policy, all, policy->exits));
    OK(eex_policy_select(&small, policy, all, policy->exits - 1));
    OK(eex_engine_new_predicting(&engine, b.net.graph, b.net.params, policy, &how, &predictor));
    eex_rng_seed(&rng, 9, 0);
    for (int round = 0; round < 6; round++) {
        const eex_skips skips = {predictor.gates, score, predictor.gamma};
        eex_skip_outcome outcome;
        expected want;
        draw_gammas(&rng);
        for (int k = 0; k < predictor.gates; k++)
            other->a[k] = policy->a[k] + 0.3 * (eex_rng_uniform(&rng) - 0.5);
        eex_policy_apply(other);
        OK(eex_replay_skips(&outcome, b.trace, other, &charges, &skips, want.exit, want.decision));
        OK(eex_engine_decide(engine, other, predictor.gamma));
        compare_batches(engine, round % 2 ? 7 : SAMPLES, other, &want, &outcome);
        changed += (int)lround(outcome.share[0] * SAMPLES) != before;
        before = (int)lround(outcome.share[0] * SAMPLES);
    }
    cr_expect_gt(changed, 2);
    cr_expect_eq(eex_engine_decide(engine, small, NULL), EEX_EINVAL);
    OK(eex_engine_new(&plain, b.net.graph, b.net.params, NULL, &how));
    cr_expect_eq(eex_engine_decide(plain, policy, NULL), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "without a policy"), "%s", eex_error());
    eex_engine_close(plain);
    eex_engine_close(engine);
    eex_policy_free(small);
    eex_policy_free(other);
}

Test(predict, rejection_by_distance_goes_along)
{
    policy->far[0] = 1.2;
    compare(tests_are_quick() ? 3 : 6);
}

/* Nothing skipped is what there is without a predictor, everything skipped the end for all. */
Test(predict, all_or_nothing)
{
    const eex_inference how = bed_inference(&b, SAMPLES);
    eex_outcome plain;
    eex_skip_outcome outcome;
    eex_result results[SAMPLES];
    eex_engine *engine = NULL;
    const eex_skips skips = {predictor.gates, score, predictor.gamma};
    OK(eex_replay(&plain, b.trace, policy, NULL, NULL, NULL));
    OK(eex_replay_skips(&outcome, b.trace, policy, &charges, &skips, NULL, NULL));
    cr_expect_eq(outcome.accuracy, plain.accuracy);
    for (int k = 0; k <= predictor.gates; k++)
        cr_expect_eq(outcome.share[k], plain.share[k]);
    for (int k = 0; k < predictor.gates; k++)
        predictor.gamma[k] = INFINITY;
    OK(eex_engine_new_predicting(&engine, b.net.graph, b.net.params, policy, &how, &predictor));
    OK(eex_engine_run(engine, results, images, SAMPLES));
    for (int i = 0; i < SAMPLES; i++)
        cr_expect_eq(results[i].exit, predictor.gates);
    eex_engine_close(engine);
}

/* Latencies of an exit are those of an image that goes there, whatever the predictor says. */
Test(predict, forced_images_pass_every_gate)
{
    const eex_inference how = bed_inference(&b, SAMPLES);
    eex_engine *engine = NULL;
    for (int k = 0; k < predictor.gates; k++)
        predictor.gamma[k] = INFINITY;
    OK(eex_engine_new_predicting(&engine, b.net.graph, b.net.params, policy, &how, &predictor));
    eex_result result;
    counter c = {.guest.leg = count};
    eex_walk walk = eex_engine_walk(engine);
    walk.forced = true;
    OK(eex_walk_invite(&walk, &c.guest));
    OK(eex_walk_run(&walk, &result, images, 1));
    for (int k = 0; k <= predictor.gates; k++)
        cr_expect_eq(c.computed[k], 1, "exit %d", k);
    eex_engine_close(engine);
}

Test(predict, a_predictor_of_another_network_is_refused)
{
    const eex_inference how = bed_inference(&b, SAMPLES);
    eex_engine *engine = NULL;
    predictor.gates++;
    cr_expect_eq(
        eex_engine_new_predicting(&engine, b.net.graph, b.net.params, policy, &how, &predictor),
        EEX_EINVAL);
    cr_expect(strstr(eex_error(), "gates, the network has"), "%s", eex_error());
    predictor.gates--;
}
