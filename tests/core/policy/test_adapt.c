/* Thresholds by bandwidth: replay, the best settings, regressors, and files of them. */
#include "core/policy/adapt.h"
#include "core/policy/adapt_ways.h"
#include "core/policy/forecast.h"
#include "core/policy/replay.h"
#include "support/folder.h"
#include "support/traces.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { SAMPLES = 600, EXITS = 3 };

/* VGG16-BN on CIFAR-100 with 2,048 bytes to send (Tables III and V of the paper on early exit
 * prediction). */
static const eex_parts parts = {.exits = EXITS,
                                .trunk = {1966080, 56983552},
                                .gate = {17432676, 14602340},
                                .predictor = 0,
                                .server = 274501732,
                                .bytes = 2048};
static const eex_line pi3 = {.device = 3.62e9, .server = INFINITY, .bits = 1e6};
static const double bandwidths[] = {0.1e6, 0.2e6, 0.3e6, 0.6e6, 1e6, 2e6, 4e6, 1e7, 3e7, 1e8};
enum { BANDWIDTHS = sizeof bandwidths / sizeof *bandwidths, LATENCY = 30 };

typedef struct world {
    eex_trace *trace;
    eex_policy *policy;
    eex_adapter *adapter;
    float *scores;
} world;

/* Scores of a predictor that is often right about who will be confident. */
static float *scores_of(const eex_trace *t)
{
    eex_rng rng;
    float *scores = malloc(sizeof *scores * (size_t)(EXITS - 1) * (size_t)t->samples);
    cr_assert_not_null(scores);
    eex_rng_seed(&rng, 4, 0);
    for (int i = 0; i < (EXITS - 1) * t->samples; i++) {
        const double s = (double)t->confidence[i] + 0.3 * (eex_rng_uniform(&rng) - 0.5);
        scores[i] = (float)fmin(fmax(s, 0), 1);
    }
    return scores;
}

static world open_world(eex_policy_kind kind, bool predicted)
{
    world w = {.trace = NULL};
    float temperature[EXITS] = {1, 1, 1};
    eex_parts all = parts;
    all.predictor = predicted ? 398224 : 0;
    OK(eex_trace_new(&w.trace, SAMPLES, EXITS, 10));
    test_trace_fill(w.trace, 3);
    OK(eex_trace_score(w.trace, test_head_device(), temperature));
    eex_calibration how = eex_calibration_default();
    eex_calibration_use_kind(&how, kind);
    how.temperature = 1;
    OK(eex_calibrate(&w.policy, w.trace, test_head_device(), &how, NULL));
    w.scores = predicted ? scores_of(w.trace) : NULL;
    OK(eex_adapter_new(&w.adapter, w.trace, w.policy, &all, w.scores));
    return w;
}

static void close_world(world *w)
{
    eex_adapter_free(w->adapter);
    eex_policy_free(w->policy);
    eex_trace_free(w->trace);
    free(w->scores);
}

/* Without a predictor settings are a policy, and their latency is the cost of replay. */
Test(adapt, judges_as_replay_does)
{
    for (int kind = 0; kind < EEX_POLICY_KINDS; kind++) {
        world w = open_world((eex_policy_kind)kind, false);
        double ms[EXITS];
        eex_settings s;
        eex_settled got;
        eex_outcome want;
        OK(eex_line_costs(ms, &parts, &pi3));
        eex_adapter_static(&s, w.adapter);
        memcpy(w.policy->a, s.a, (EXITS - 1) * sizeof *s.a);
        eex_policy_apply(w.policy);
        const eex_exit_costs costs = {EXITS, ms, ms[EXITS - 1]};
        OK(eex_replay(&want, w.trace, w.policy, &costs, NULL, NULL));
        OK(eex_adapter_judge(&got, w.adapter, &s, &pi3, LATENCY));
        cr_expect_float_eq(got.accuracy, want.accuracy, 1e-12);
        cr_expect_float_eq(got.ms, want.cost, 1e-9);
        cr_expect_float_eq(got.sent, want.share[EXITS - 1], 1e-12);
        cr_expect_float_eq(got.bytes, 2048 * got.sent, 1e-9);
        close_world(&w);
    }
}

/* A gate that is skipped costs nothing and lets nobody go; all skipped, everybody is sent. */
Test(adapt, gamma_skips_gates)
{
    world w = open_world(EEX_POLICY_CONFIDENCE, true);
    const eex_settings none = {.exits = EXITS, .a = {0.1, 0.1}, .gamma = {1.5, 1.5}};
    eex_settled got;
    OK(eex_adapter_judge(&got, w.adapter, &none, &pi3, LATENCY));
    cr_expect_eq(got.sent, 1);
    cr_expect_float_eq(got.ms, (398224 + parts.trunk[0] + parts.trunk[1]) / 3.62e6 + 2048 * 8 / 1e3,
                       1e-9);
    cr_expect_not(got.kept && got.ms > LATENCY);
    close_world(&w);
}

/* More bandwidth is never worse, the requirement is kept where the fastest settings keep it, and
 * an oracle is the upper bound. */
static void best_at_all(bool predicted)
{
    world w = open_world(EEX_POLICY_CONFIDENCE, predicted);
    double before = 0;
    for (int i = 0; i < BANDWIDTHS; i++) {
        eex_line line = pi3;
        eex_settings s, own;
        eex_settled best, oracle, fixed;
        line.bits = bandwidths[i];
        OK(eex_adapter_best(&s, &best, w.adapter, &line, LATENCY, false));
        OK(eex_adapter_best(&own, &oracle, w.adapter, &line, LATENCY, true));
        eex_adapter_static(&own, w.adapter);
        OK(eex_adapter_judge(&fixed, w.adapter, &own, &line, LATENCY));
        cr_expect(best.kept && oracle.kept, "%g", line.bits);
        cr_expect_geq(best.accuracy, before - 0.01);
        cr_expect_geq(oracle.accuracy, best.accuracy - 0.01);
        if (fixed.kept)
            cr_expect_geq(best.accuracy, fixed.accuracy - 0.01);
        before = best.accuracy;
    }
    close_world(&w);
}

Test(adapt, the_best_settings_keep_the_requirement)
{
    best_at_all(false);
}

Test(adapt, with_a_predictor_too)
{
    best_at_all(true);
}

/* Nobody can be as fast as that: then the fastest. */
Test(adapt, a_requirement_out_of_reach_gives_the_fastest)
{
    world w = open_world(EEX_POLICY_CONFIDENCE, false);
    eex_settings s;
    eex_settled best, fastest;
    OK(eex_adapter_best(&s, &best, w.adapter, &pi3, 0.001, false));
    OK(eex_adapter_best(&s, &fastest, w.adapter, &pi3, 5.5, false));
    cr_expect_not(best.kept);
    cr_expect_leq(best.ms, fastest.ms + 1e-9);
    close_world(&w);
}

/* ---- regressors ---- */

static void fitted(eex_policy_kind kind, bool predicted)
{
    world w = open_world(kind, predicted);
    eex_adapt *adapt;
    OK(eex_adapt_fit(&adapt, w.adapter, eex_adapt_published, EEX_ADAPT_PUBLISHED, &pi3, LATENCY));
    cr_expect_eq(eex_adapt_latency(adapt), LATENCY);
    cr_expect(eex_adapt_counted(adapt) > 0 && eex_adapt_counted(adapt) <= 1);
    for (int i = 0; i < 40; i++) {
        eex_line line = pi3;
        eex_settings s, b;
        eex_settled got, best;
        line.bits = 0.1e6 * pow(1000, i / 39.0);
        OK(eex_adapt_thresholds(&s, adapt, line.bits));
        OK(eex_adapter_judge(&got, w.adapter, &s, &line, LATENCY));
        OK(eex_adapter_best(&b, &best, w.adapter, &line, LATENCY, false));
        cr_expect_leq(got.ms, best.kept ? LATENCY * 1.02 : INFINITY, "%g bit/s: %g ms", line.bits,
                      got.ms);
        cr_expect_geq(got.accuracy, best.accuracy - 0.06, "%g bit/s: %g, not %g", line.bits,
                      got.accuracy, best.accuracy);
    }
    eex_adapt_free(adapt);
    close_world(&w);
}

Test(adapt, regressors_give_what_was_found)
{
    fitted(EEX_POLICY_CONFIDENCE, false);
    fitted(EEX_POLICY_CONFIDENCE, true);
}

Test(adapt, regressors_of_deviations)
{
    fitted(EEX_POLICY_PER_CLASS, false);
}

Test(adapt, regressors_come_back_from_a_file_bit_for_bit)
{
    world w = open_world(EEX_POLICY_CONFIDENCE, true);
    eex_adapt *adapt, *again;
    eex_store_file *file;
    char folder[TEST_PATH_SIZE];
    test_folder_make(folder);
    const char *path = test_path(folder, "adaptation.h5");
    OK(eex_adapt_fit(&adapt, w.adapter, eex_adapt_published, EEX_ADAPT_PUBLISHED, &pi3, LATENCY));
    OK(eex_store_create(&file, path, "policy", 1));
    OK(eex_adapt_save(adapt, file, "adaptation"));
    OK(eex_store_commit(&file));
    OK(eex_store_open(&file, path, "policy", 1));
    OK(eex_adapt_load(&again, file, "adaptation"));
    eex_store_close(file);
    for (int i = 0; i < BANDWIDTHS; i++) {
        eex_settings a, b;
        OK(eex_adapt_thresholds(&a, adapt, bandwidths[i]));
        OK(eex_adapt_thresholds(&b, again, bandwidths[i]));
        cr_expect_eq(a.exits, b.exits);
        cr_expect_arr_eq(a.a, b.a, sizeof a.a);
        cr_expect_arr_eq(a.gamma, b.gamma, sizeof a.gamma);
    }
    test_folder_remove(folder);
    eex_adapt_free(adapt);
    eex_adapt_free(again);
    close_world(&w);
}

static void refused(const world *w, eex_interval interval, double latency)
{
    eex_adapt *adapt = NULL;
    cr_expect_eq(eex_adapt_fit(&adapt, w->adapter, &interval, 1, &pi3, latency), EEX_EINVAL);
    cr_expect_null(adapt);
}

Test(adapt, nonsense_is_refused)
{
    world w = open_world(EEX_POLICY_CONFIDENCE, false);
    eex_settings s = {.exits = EXITS, .a = {NAN}};
    eex_settled got;
    eex_adapt *adapt;
    eex_adapter *odd;
    eex_parts two = parts;
    two.exits = 2;
    cr_expect_eq(eex_adapter_new(&odd, w.trace, w.policy, &two, NULL), EEX_EINVAL);
    cr_expect_eq(eex_adapter_judge(&got, w.adapter, &s, &pi3, LATENCY), EEX_EINVAL);
    s = (eex_settings){.exits = 2};
    cr_expect_eq(eex_adapter_judge(&got, w.adapter, &s, &pi3, LATENCY), EEX_EINVAL);
    refused(&w, (eex_interval){1, {1e6}}, LATENCY);
    refused(&w, (eex_interval){2, {1e6, 1e6}}, LATENCY);
    refused(&w, (eex_interval){2, {0, 1e6}}, LATENCY);
    refused(&w, (eex_interval){2, {1e5, INFINITY}}, LATENCY);
    refused(&w, (eex_interval){2, {1e5, 1e6}}, 0);
    OK(eex_adapt_fit(&adapt, w.adapter, eex_adapt_published, 1, &pi3, LATENCY));
    cr_expect_eq(eex_adapt_thresholds(&s, adapt, 0), EEX_EINVAL);
    cr_expect_eq(eex_adapt_thresholds(&s, adapt, NAN), EEX_EINVAL);
    eex_adapt_free(adapt);
    close_world(&w);
}

/* ---- ways, compared ---- */

static double ms_of(double operations, double bytes, const eex_line *line)
{
    return 1e3 * (operations / line->device + 8 * bytes / line->bits);
}

/* `within` counts inputs, one by one: nobody without time, everybody with enough of it, and in
 * between those who leave in front of the cut while sending takes too long. */
Test(adapt, inputs_keep_a_requirement_one_by_one)
{
    world w = open_world(EEX_POLICY_CONFIDENCE, false);
    eex_settings s;
    eex_settled got;
    eex_adapter_static(&s, w.adapter);
    OK(eex_adapter_judge(&got, w.adapter, &s, &pi3, 1e-3));
    cr_expect_eq(got.within, 0);
    OK(eex_adapter_judge(&got, w.adapter, &s, &pi3, 1e3));
    cr_expect_eq(got.within, 1);
    const double device = 1e3 * eex_parts_device(&parts, EXITS - 1) / pi3.device;
    OK(eex_adapter_judge(&got, w.adapter, &s, &pi3, device + 1));
    cr_expect(got.sent > 0 && got.sent < 1);
    cr_expect_float_eq(got.within, 1 - got.sent, 1e-12);
    close_world(&w);
}

Test(adapt, ways_take_what_they_compute_and_send)
{
    world w = open_world(EEX_POLICY_CONFIDENCE, true);
    eex_adapter *plain;
    eex_adapt *adapt;
    eex_settings own, foretold;
    eex_settled rows[2 * EEX_WAYS];
    eex_way_mean mean[EEX_WAYS];
    const double trunk = 1966080 + 56983552, all = trunk + 274501732;
    eex_line line = pi3;
    eex_parts with = parts;
    with.predictor = 398224;
    OK(eex_adapter_new(&plain, w.trace, w.policy, &parts, NULL));
    OK(eex_adapt_fit(&adapt, w.adapter, eex_adapt_published, EEX_ADAPT_PUBLISHED, &pi3, LATENCY));
    eex_adapter_static(&own, plain);
    foretold = own;
    foretold.gamma[0] = 2; /* nobody's gate is computed */
    eex_ways ways = {.parts = &with,
                     .end = 0.75,
                     .image = 3072,
                     .fixed = plain,
                     .own = &own,
                     .adaptive = w.adapter,
                     .foretold = &foretold,
                     .adapt = adapt,
                     .latency = LATENCY};
    for (int i = 0; i < 2; i++) {
        eex_settled *row = rows + (ptrdiff_t)i * EEX_WAYS;
        line.bits = i ? 1e8 : 2e6;
        OK(eex_ways_judge(row, &ways, &line));
        cr_expect_float_eq(row[EEX_WAY_DEVICE].ms, ms_of(all, 0, &line), 1e-9);
        cr_expect_float_eq(row[EEX_WAY_SERVER].ms, ms_of(0, 3072, &line), 1e-9);
        cr_expect_float_eq(row[EEX_WAY_SPLIT].ms, ms_of(trunk, 2048, &line), 1e-9);
        cr_expect_eq(row[EEX_WAY_SERVER].bytes, 3072);
        cr_expect_eq(row[EEX_WAY_DEVICE].sent, 0);
        cr_expect_eq(row[EEX_WAY_DEVICE].accuracy, 0.75);
        cr_expect(!row[EEX_WAY_DEVICE].kept && row[EEX_WAY_SERVER].kept);
        cr_expect(row[EEX_WAY_PREDICTED].sent >= row[EEX_WAY_STATIC].sent);
        cr_expect(row[EEX_WAY_ORACLE].kept);
        cr_expect(!row[EEX_WAY_ADAPTIVE].kept ||
                  row[EEX_WAY_ORACLE].accuracy >= row[EEX_WAY_ADAPTIVE].accuracy - 0.01);
        cr_expect_eq(row[EEX_WAY_JPEG].ms, 0);
    }
    eex_ways_mean(mean, rows, 2);
    cr_expect_float_eq(mean[EEX_WAY_SPLIT].ms,
                       (rows[EEX_WAY_SPLIT].ms + rows[EEX_WAYS + EEX_WAY_SPLIT].ms) / 2, 1e-9);
    cr_expect_eq(mean[EEX_WAY_DEVICE].kept, 0);
    cr_expect_eq(mean[EEX_WAY_SERVER].kept, 1);
    ways.jpeg = 900;
    ways.foretold = NULL;
    cr_expect(eex_ways_have(&ways, EEX_WAY_JPEG) && !eex_ways_have(&ways, EEX_WAY_PREDICTED));
    OK(eex_ways_judge(rows, &ways, &line));
    cr_expect_float_eq(rows[EEX_WAY_JPEG].ms, ms_of(0, 900, &line), 1e-9);
    ways.filtered = plain; /* of times that count by a speed of their own, that of twice the line */
    ways.filtered_speed = 2 * line.device;
    line.bits = 1e15; /* nothing is waited for but the device */
    OK(eex_ways_judge(rows, &ways, &line));
    cr_expect_float_eq(rows[EEX_WAY_FILTERED].ms, rows[EEX_WAY_STATIC].ms / 2, 1e-6);
    ways.filtered_speed = 0;
    OK(eex_ways_judge(rows, &ways, &line));
    cr_expect_float_eq(rows[EEX_WAY_FILTERED].ms, rows[EEX_WAY_STATIC].ms, 1e-9);
    line.bits = 0;
    cr_expect_eq(eex_ways_judge(rows, &ways, &line), EEX_EINVAL);
    eex_adapt_free(adapt);
    eex_adapter_free(plain);
    close_world(&w);
}

/* ---- what settings come to, without a trace ---- */

static int fill_forecast(eex_store_file *file, const void *context)
{
    return eex_forecast_save(context, file, "forecast");
}

Test(adapt, a_forecast_is_what_replay_says)
{
    world w = open_world(EEX_POLICY_CONFIDENCE, true);
    eex_parts with = parts;
    eex_line line = pi3;
    eex_adapt *adapt;
    eex_forecast f;
    eex_settings s;
    eex_settled got, told;
    with.predictor = 398224;
    line.round_trip_ms = 2;
    line.server = 1e12;
    OK(eex_adapt_fit(&adapt, w.adapter, eex_adapt_published, EEX_ADAPT_PUBLISHED, &line, LATENCY));
    OK(eex_forecast_make(&f, adapt, w.adapter, &with, &line));
    cr_expect_eq(f.bits[0], 0.1e6);
    cr_expect_float_eq(f.bits[f.count - 1], 1e8, 1);
    for (int i = 0; i < f.count; i++) {
        line.bits = f.bits[i];
        OK(eex_adapt_thresholds(&s, adapt, line.bits));
        OK(eex_adapter_judge(&got, w.adapter, &s, &line, LATENCY));
        eex_forecast_at(&told, &f, line.bits, LATENCY);
        cr_expect_float_eq(told.ms, got.ms, 1e-9 * got.ms);
        cr_expect_float_eq(told.sent, got.sent, 1e-12);
        cr_expect_float_eq(told.accuracy, got.accuracy, 1e-12);
        cr_expect_eq(told.kept, told.ms <= LATENCY);
    }
    eex_forecast_at(&told, &f, 1e3, LATENCY); /* slower than any: sending takes what it takes */
    cr_expect_float_eq(told.ms, f.device_ms[0] + f.sent[0] * (8e3 * 2048 / 1e3 + f.server_ms),
                       1e-6);
    cr_expect_eq(told.sent, f.sent[0]);
    eex_adapt_free(adapt);
    close_world(&w);
}

Test(adapt, a_forecast_comes_back_from_a_file)
{
    static const eex_forecast good = {.bytes = 100,
                                      .server_ms = 1,
                                      .count = 2,
                                      .bits = {1e6, 2e6},
                                      .device_ms = {3, 4},
                                      .sent = {0, 0.5},
                                      .accuracy = {0.7, 0.8}};
    char folder[TEST_PATH_SIZE];
    eex_store_file *file;
    eex_forecast back;
    test_folder_make(folder);
    const char *path = test_path(folder, "f.h5");
    OK(eex_store_write_file(path, "adaptation", 1, fill_forecast, &good));
    OK(eex_store_open(&file, path, "adaptation", 1));
    OK(eex_forecast_load(&back, file, "forecast"));
    eex_store_close(file);
    cr_expect_eq(memcmp(&back, &good, sizeof good), 0);
    for (int i = 0; i < 6; i++) {
        eex_forecast bad = good;
        bad.bits[1] = i == 0 ? 1e6 : bad.bits[1];
        bad.sent[0] = i == 1 ? 1.5 : bad.sent[0];
        bad.device_ms[1] = i == 2 ? NAN : bad.device_ms[1];
        bad.bytes = i == 3 ? 0 : bad.bytes;
        bad.server_ms = i == 4 ? -1 : bad.server_ms;
        bad.count = i == 5 ? 1 : bad.count;
        OK(eex_store_write_file(path, "adaptation", 1, fill_forecast, &bad));
        OK(eex_store_open(&file, path, "adaptation", 1));
        cr_expect_eq(eex_forecast_load(&back, file, "forecast"), EEX_EFORMAT, "%d", i);
        eex_store_close(file);
    }
    test_folder_remove(folder);
}
