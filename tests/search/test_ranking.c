#include "search/rank.h"
#include "search/ranking.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>

enum { MOST = 40, TIMES = 3 };

typedef struct sample {
    double guess[MOST], cost[MOST], truth[MOST * TIMES], real[MOST];
    size_t trainings[MOST];
    eex_ranking_data data;
} sample;

/* Candidates whose real values are spread evenly over 1; the judge errs by `error`, each training
 * by `noise`, and costs are unrelated. Every third candidate is trained TIMES times. */
static void make(sample *s, size_t n, double error, double noise, uint64_t seed)
{
    eex_rng rng;
    size_t done = 0;
    eex_rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < n; i++) {
        s->real[i] = (double)i / (double)n;
        s->guess[i] = s->real[i] + error * eex_rng_normal(&rng);
        s->cost[i] = eex_rng_uniform(&rng);
        s->trainings[i] = i % 3 == 0 ? TIMES : 1;
        for (size_t t = 0; t < s->trainings[i]; t++)
            s->truth[done++] = s->real[i] + noise * eex_rng_normal(&rng);
    }
    s->data = (eex_ranking_data){n, s->guess, s->cost, s->truth, s->trainings};
}

Test(ranking, tau_is_kendalls_over_the_means)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        sample s;
        eex_ranking r;
        double mean[MOST], tau;
        make(&s, 30, 0.1, 0.05, seed);
        cr_assert_eq(eex_ranking_of(&r, &s.data, 1), EEX_OK);
        for (size_t i = 0, at = 0; i < 30; at += s.trainings[i++]) {
            mean[i] = 0;
            for (size_t t = 0; t < s.trainings[i]; t++)
                mean[i] += s.truth[at + t] / (double)s.trainings[i];
        }
        cr_assert_eq(eex_rank_kendall(&tau, s.guess, mean, 30), EEX_OK);
        cr_expect_float_eq(r.judge.tau, tau, 1e-12);
        cr_assert_eq(eex_rank_kendall(&tau, s.cost, mean, 30), EEX_OK);
        cr_expect_float_eq(r.null.tau, fabs(tau), 1e-12);
        cr_expect_leq(r.judge.low, r.judge.tau);
        cr_expect_geq(r.judge.high, r.judge.tau);
        cr_expect_leq(r.null.low, r.null.tau);
        cr_expect_geq(r.null.high, r.null.tau);
        cr_expect_eq(r.repeated, 10);
        cr_expect_eq(r.pairs, 435);
    }
}

Test(ranking, finds_the_noise_that_was_put_in)
{
    double sum = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        sample s;
        eex_ranking r;
        make(&s, 30, 0, 0.05, seed);
        cr_assert_eq(eex_ranking_of(&r, &s.data, 1), EEX_OK);
        sum += r.noise * r.noise / 200;
    }
    cr_expect_float_eq(sqrt(sum), 0.05, 0.003, "%g", sqrt(sum));
}

/* The ceiling is what a judge without error does reach. */
Test(ranking, a_perfect_judge_reaches_the_ceiling)
{
    double reached = 0, ceiling = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        sample s;
        eex_ranking r;
        make(&s, 30, 0, 0.15, seed);
        cr_assert_eq(eex_ranking_of(&r, &s.data, seed), EEX_OK);
        reached += r.judge.tau / 100;
        ceiling += r.ceiling / 100;
        cr_expect_lt(r.ceiling, 0.95);
    }
    cr_expect_float_eq(reached, ceiling, 0.03, "%g, ceiling %g", reached, ceiling);
}

/* 95 % intervals hold the tau that very many candidates have, more or less that often. */
Test(ranking, intervals_hold_the_tau_of_the_population)
{
    double truth = 0;
    int held = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        sample s;
        eex_ranking r;
        make(&s, 40, 0.3, 0.1, 1000 + seed);
        cr_assert_eq(eex_ranking_of(&r, &s.data, 1), EEX_OK);
        truth += r.judge.tau / 200;
    }
    for (uint64_t seed = 0; seed < 200; seed++) {
        sample s;
        eex_ranking r;
        make(&s, 40, 0.3, 0.1, 1000 + seed);
        cr_assert_eq(eex_ranking_of(&r, &s.data, 1), EEX_OK);
        held += r.judge.low <= truth && truth <= r.judge.high;
    }
    cr_expect_geq(held, 180, "%d of 200", held);
}

Test(ranking, near_pairs_are_left_out_of_the_clear_tau)
{
    sample s;
    eex_ranking r;
    make(&s, 40, 0.05, 0.03, 7);
    cr_assert_eq(eex_ranking_of(&r, &s.data, 1), EEX_OK);
    cr_expect_lt(r.clear_pairs, r.pairs);
    cr_expect_gt(r.clear_pairs, r.pairs / 2);
    cr_expect_gt(r.clear, r.judge.tau);
}

Test(ranking, regret_is_what_the_judges_first_lacks)
{
    const double guess[] = {3, 5, 1}, cost[] = {1, 2, 3}, truth[] = {0.7, 0.8, 0.5, 0.7, 0.4};
    const size_t trainings[] = {1, 3, 1};
    const eex_ranking_data data = {3, guess, cost, truth, trainings};
    eex_ranking r;
    cr_assert_eq(eex_ranking_of(&r, &data, 0), EEX_OK);
    cr_expect_eq(r.best, 0);
    cr_expect_eq(r.chosen, 1);
    cr_expect_float_eq(r.regret, 0.7 - 2.0 / 3, 1e-12);
    cr_expect_float_eq(r.spread, 0.3, 1e-12);
}

Test(ranking, without_repetitions_the_noise_is_not_known)
{
    const double x[] = {1, 2, 3};
    const size_t once[] = {1, 1, 1};
    const eex_ranking_data data = {3, x, x, x, once};
    eex_ranking r;
    cr_assert_eq(eex_ranking_of(&r, &data, 0), EEX_OK);
    cr_expect(isnan(r.noise) && isnan(r.ceiling) && isnan(r.clear));
    cr_expect_eq(r.judge.tau, 1);
}

Test(ranking, refuses_what_cannot_be_ranked)
{
    const double x[] = {1, 2}, bad[] = {1, NAN};
    const size_t once[] = {1, 1}, never[] = {1, 0};
    eex_ranking r;
    const eex_ranking_data one = {1, x, x, x, once}, untrained = {2, x, x, x, never},
                           nan = {2, bad, x, x, once};
    cr_expect_eq(eex_ranking_of(&r, &one, 0), EEX_EINVAL);
    cr_expect_eq(eex_ranking_of(&r, &untrained, 0), EEX_EINVAL);
    cr_expect_eq(eex_ranking_of(&r, &nan, 0), EEX_EINVAL);
}
