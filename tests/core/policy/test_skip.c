/* Exits that are skipped: what that costs, and thresholds that are chosen by replay. */
#include "core/policy/skip.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { CLASSES = 3 };

typedef struct bench {
    eex_trace *trace;
    eex_policy *policy;
    eex_charges charges;
    float *score, gamma[EEX_MAX_EXITS];
    eex_skips skips;
} bench;

static void bench_free(bench *b)
{
    free(b->score);
    eex_policy_free(b->policy);
    eex_trace_free(b->trace);
}

/* Confidences that grow from exit to exit, right about as often as they say; scores that foretell
 * them with some noise. */
static bench bench_random(int samples, int exits, uint64_t seed)
{
    bench b = {.trace = NULL};
    eex_rng rng;
    eex_rng_seed(&rng, seed, 0);
    OK(eex_trace_new(&b.trace, samples, exits, CLASSES));
    OK(eex_policy_new(&b.policy, EEX_POLICY_CONFIDENCE, exits, CLASSES));
    b.score = malloc((size_t)samples * (size_t)exits * sizeof *b.score);
    cr_assert_not_null(b.score);
    b.charges = (eex_charges){.exits = exits, .predictor = 0.4};
    for (int k = 0; k < exits; k++) {
        b.policy->a[k] = k == exits - 1 ? -INFINITY : 0.8;
        b.charges.trunk[k] = 1 + k;
        b.charges.gate[k] = k == exits - 1 ? 0 : 5 - k;
    }
    eex_policy_apply(b.policy);
    for (int i = 0; i < samples; i++) {
        const double easy = eex_rng_uniform(&rng);
        b.trace->labels[i] = i % CLASSES;
        for (int k = 0; k < exits; k++) {
            const size_t at = (size_t)k * (size_t)samples + (size_t)i;
            const double sure = fmin(0.999, 0.4 + 0.6 * easy + 0.05 * k);
            const bool right = eex_rng_uniform(&rng) < sure;
            b.trace->confidence[at] = (float)sure;
            b.trace->top[at] = right ? i % CLASSES : (i + 1) % CLASSES;
            b.score[at] = (float)fmax(0, easy + 0.3 * (eex_rng_uniform(&rng) - 0.5));
        }
    }
    b.skips = (eex_skips){exits - 1, b.score, NULL};
    return b;
}

static eex_skip_outcome replay(const bench *b, const float *gamma)
{
    eex_skip_outcome out;
    const eex_skips skips = {b->skips.gates, b->score, gamma};
    OK(eex_replay_skips(&out, b->trace, b->policy, &b->charges, gamma ? &skips : NULL, NULL, NULL));
    return out;
}

/* Dong et al. III: VGG16-BN, 66.62, 19.81 and 13.57 % leave at its three exits; an oracle
 * skips what does not accept. */
Test(skip, worked_example_of_the_paper)
{
    enum { N = 10000 };
    static const int left[] = {6662, 1981, 1357};
    bench b = bench_random(N, 3, 1);
    b.charges = (eex_charges){.exits = 3,
                              .trunk = {1.966080, 56.983552, 333.082634 - 1.966080 - 56.983552},
                              .gate = {16.695306, 14.233610, 0}};
    for (int i = 0; i < N; i++) {
        const int exit = i < left[0] ? 0 : i < left[0] + left[1] ? 1 : 2;
        for (int k = 0; k < 3; k++) {
            b.trace->confidence[k * N + i] = k == exit ? 0.9F : 0.1F;
            b.score[k * N + i] = k == exit ? 1 : 0;
        }
    }
    const float all[] = {0.5F, 0.5F};
    const eex_skip_outcome plain = replay(&b, NULL), oracle = replay(&b, all);
    cr_expect(fabs(plain.device - 42.44) < 0.01, "%g", plain.device);
    cr_expect(fabs(plain.total - 79.64) < 0.01, "%g", plain.total);
    cr_expect(fabs(oracle.device - 34.93) < 0.01, "%g", oracle.device);
    cr_expect(fabs(oracle.total - 72.13) < 0.01, "%g", oracle.total);
    bench_free(&b);
}

Test(skip, the_predictor_is_always_charged)
{
    bench b = bench_random(500, 3, 2);
    const float none[] = {0, 0}, all[] = {INFINITY, INFINITY};
    const eex_skip_outcome plain = replay(&b, NULL), same = replay(&b, none), end = replay(&b, all);
    cr_expect(fabs(same.device - plain.device - 0.4) < 1e-9);
    cr_expect(same.accuracy == plain.accuracy && same.share[2] == plain.share[2]);
    cr_expect(fabs(end.device - (0.4 + 1 + 2)) < 1e-9 && end.share[2] == 1);
    cr_expect_eq(end.computed[0], 0);
    bench_free(&b);
}

/* Every pair of scores as thresholds: none that may be taken is cheaper by more than the grid's
 * steps allow. */
static double cheapest(const bench *b, double more)
{
    const double last = replay(b, NULL).share[2];
    double best = INFINITY;
    for (int i = -1; i <= b->trace->samples; i += 3)
        for (int j = -1; j <= b->trace->samples; j += 3) {
            const int n = b->trace->samples;
            const float gamma[] = {i < 0    ? 0
                                   : i == n ? INFINITY
                                            : b->score[i],
                                   j < 0    ? 0
                                   : j == n ? INFINITY
                                            : b->score[n + j]};
            const eex_skip_outcome o = replay(b, gamma);
            if (o.share[2] - last < more - 1e-9 && o.device < best)
                best = o.device;
        }
    return best;
}

Test(skip, gammas_are_the_cheapest_that_keep_the_limit)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        bench b = bench_random(150, 3, seed);
        float gamma[2];
        OK(eex_skip_choose(gamma, b.trace, b.policy, &b.charges, &b.skips, 0.1));
        const eex_skip_outcome got = replay(&b, gamma), plain = replay(&b, NULL);
        cr_expect_lt(got.share[2] - plain.share[2], 0.1);
        cr_expect_lt(got.device, plain.device + 0.4, "something is saved");
        cr_expect_leq(got.device, 1.01 * cheapest(&b, 0.1), "seed %d: %g", (int)seed, got.device);
        bench_free(&b);
    }
}

/* No limit: of those who reach the end nobody counts. Limit 0: not one more. */
Test(skip, the_limit_is_kept_at_its_ends)
{
    bench b = bench_random(400, 3, 5);
    float gamma[2];
    OK(eex_skip_choose(gamma, b.trace, b.policy, &b.charges, &b.skips, 0));
    cr_expect_leq(replay(&b, gamma).share[2], replay(&b, NULL).share[2]);
    OK(eex_skip_choose(gamma, b.trace, b.policy, &b.charges, &b.skips, 1));
    cr_expect_leq(replay(&b, gamma).device, replay(&b, NULL).device + 0.4);
    bench_free(&b);
}

Test(skip, many_gates_are_searched_too)
{
    bench b = bench_random(300, 9, 4);
    float gamma[8], zero[8] = {0};
    OK(eex_skip_choose(gamma, b.trace, b.policy, &b.charges, &b.skips, 0.05));
    const eex_skip_outcome got = replay(&b, gamma), plain = replay(&b, NULL);
    cr_expect_lt(got.device, replay(&b, zero).device);
    cr_expect_lt(got.share[8] - plain.share[8], 0.05);
    bench_free(&b);
}

Test(skip, scores_that_are_no_numbers_skip)
{
    bench b = bench_random(60, 2, 6);
    float gamma[1];
    for (int i = 0; i < 60; i++)
        b.score[i] = NAN;
    OK(eex_skip_choose(gamma, b.trace, b.policy, &b.charges, &b.skips, 1));
    gamma[0] = 0;
    cr_expect_eq(replay(&b, gamma).share[1], 1);
    bench_free(&b);
}

Test(skip, lambda_is_the_most_accurate_of_the_grid)
{
    static const double grid[] = {0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99};
    bench b = bench_random(300, 3, 7);
    eex_policy *chosen = NULL;
    double best = 0;
    OK(eex_skip_lambda(&chosen, b.trace, &b.charges));
    for (int i = 0; i < 10; i++)
        for (int j = 0; j < 10; j++) {
            b.policy->a[0] = grid[i];
            b.policy->a[1] = grid[j];
            eex_policy_apply(b.policy);
            best = fmax(best, replay(&b, NULL).accuracy);
        }
    eex_policy_free(b.policy);
    b.policy = chosen;
    cr_expect_eq(replay(&b, NULL).accuracy, best);
    cr_expect_eq((int)chosen->kind, (int)EEX_POLICY_CONFIDENCE);
    bench_free(&b);
}

Test(skip, what_does_not_fit_is_refused)
{
    bench b = bench_random(30, 3, 8);
    eex_policy *policy = (eex_policy *)&b;
    eex_skip_outcome out;
    float gamma[4];
    b.skips.gates = 1;
    cr_expect_eq(eex_skip_choose(gamma, b.trace, b.policy, &b.charges, &b.skips, 0.1), EEX_EINVAL);
    b.skips.gamma = gamma;
    cr_expect_eq(eex_replay_skips(&out, b.trace, b.policy, &b.charges, &b.skips, NULL, NULL),
                 EEX_EINVAL);
    b.trace->temperature[1] = 2;
    cr_expect_eq(eex_replay_skips(&out, b.trace, b.policy, &b.charges, NULL, NULL, NULL),
                 EEX_EINVAL);
    cr_expect(strstr(eex_error(), "score the trace again"), "%s", eex_error());
    b.trace->temperature[0] = 2;
    cr_expect_eq(eex_skip_lambda(&policy, b.trace, &b.charges), EEX_EINVAL);
    cr_expect_null(policy);
    bench_free(&b);
}
