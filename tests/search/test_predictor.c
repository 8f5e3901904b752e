#include "search/bend.h"
#include "search/genomes.h"
#include "search/predictor.h"
#include "search/rank.h"
#include "support/toy.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GENES = 10, KNOWN = 80, UNSEEN = 200 };

static int genomes[(KNOWN + UNSEEN) * GENES];
static double values[KNOWN + UNSEEN];

typedef double (*worth)(const int *genome);

/* Options that have nothing to do with their numbers. */
static double by_choice(const int *genome)
{
    double sum = 0.0;
    for (int g = 0; g < GENES; g++)
        sum += (1 + g % 3) * (genome[g] * 3 % 4 == 1);
    return sum;
}

/* A smooth one of many. */
static double by_bowl(const int *genome)
{
    double sum = 0.0;
    for (int g = 0; g < GENES; g++)
        sum += (genome[g] - 0.7 * g / GENES) * (genome[g] - 1.0);
    return sum * sum + genome[0] * genome[1];
}

static eex_space draw(worth f)
{
    const eex_space space = toy_space(GENES, 4);
    eex_genomes seen;
    eex_rng rng;
    eex_rng_seed(&rng, 1, 0);
    eex_genomes_init(&seen, &space);
    for (int i = 0; i < KNOWN + UNSEEN;) {
        eex_space_random(genomes + i * GENES, &space, &rng);
        if (eex_genomes_find(NULL, &seen, genomes + i * GENES))
            continue;
        cr_assert_eq(eex_genomes_add(&seen, genomes + i * GENES), EEX_OK);
        values[i] = f(genomes + i * GENES);
        i++;
    }
    eex_genomes_free(&seen);
    return space;
}

static double tau_of_unseen(const eex_predictor *p)
{
    double predicted[UNSEEN], tau = NAN;
    cr_assert_eq(eex_predictor_predict(predicted, p, genomes + KNOWN * GENES, UNSEEN), EEX_OK);
    cr_assert_eq(eex_rank_kendall(&tau, predicted, values + KNOWN, UNSEEN), EEX_OK);
    return tau;
}

static eex_predictor *fitted(const eex_space *space, eex_surrogate_set kinds)
{
    const eex_samples samples = {genomes, values, KNOWN};
    eex_predictor *p = NULL;
    cr_assert_eq(eex_predictor_fit(&p, space, &samples, kinds, 1), EEX_OK, "%s", eex_error());
    return p;
}

/* Whatever is right for it, is chosen: at least nearly as good as each alone. */
static void check_choice(worth f)
{
    const eex_space space = draw(f);
    eex_predictor *chosen = fitted(&space, 0);
    const double tau = tau_of_unseen(chosen);
    for (int kind = 0; kind < EEX_SURROGATES; kind++) {
        if (kind == EEX_SURROGATE_MLP)
            continue;
        eex_predictor *alone = fitted(&space, 1U << kind);
        cr_assert_eq(eex_predictor_chosen(alone)->kind, (eex_surrogate_kind)kind);
        cr_assert_gt(tau, tau_of_unseen(alone) - 0.05, "%s has %g, chosen was %s with %g",
                     eex_surrogate_kind_name((eex_surrogate_kind)kind), tau_of_unseen(alone),
                     eex_surrogate_kind_name(eex_predictor_chosen(chosen)->kind), tau);
        eex_predictor_free(alone);
    }
    cr_assert_float_eq(eex_predictor_chosen(chosen)->tau, tau, 0.15, "validation is no fiction");
    eex_predictor_free(chosen);
}

Test(predictor, takes_what_ranks_best)
{
    check_choice(by_choice);
    check_choice(by_bowl);
}

Test(predictor, what_is_linear_in_choices_is_seen_through)
{
    const eex_space space = draw(by_choice);
    eex_predictor *p = fitted(&space, 0);
    cr_assert_gt(tau_of_unseen(p), 0.85);
    cr_assert_eq(eex_predictor_chosen(p)->coding, EEX_CODE_SIMPLEX);
    eex_predictor_free(p);
}

Test(predictor, the_seed_decides)
{
    double a[UNSEEN], b[UNSEEN];
    const eex_space space = draw(by_bowl);
    eex_predictor *p = fitted(&space, 0), *q = fitted(&space, 0);
    cr_assert_eq(eex_predictor_predict(a, p, genomes + KNOWN * GENES, UNSEEN), EEX_OK);
    cr_assert_eq(eex_predictor_predict(b, q, genomes + KNOWN * GENES, UNSEEN), EEX_OK);
    cr_assert_eq(memcmp(a, b, sizeof a), 0);
    eex_predictor_free(p);
    eex_predictor_free(q);
}

Test(predictor, very_few_or_equal_values_are_no_error)
{
    const eex_space space = draw(by_bowl);
    const double alike[KNOWN] = {0};
    double got[3];
    for (size_t n = 1; n < 20; n++) {
        const eex_samples some = {genomes, values, n}, equal = {genomes, alike, n};
        eex_predictor *p = NULL;
        cr_assert_eq(eex_predictor_fit(&p, &space, &some, 0, 1), EEX_OK, "%s", eex_error());
        cr_assert_eq(isnan(eex_predictor_chosen(p)->tau), n < 6);
        eex_predictor_free(p);
        cr_assert_eq(eex_predictor_fit(&p, &space, &equal, 0, 1), EEX_OK, "%s", eex_error());
        cr_assert_eq(eex_predictor_predict(got, p, genomes, 3), EEX_OK);
        cr_assert_float_eq(got[2], 0.0, 1e-6);
        eex_predictor_free(p);
    }
    const eex_samples none = {genomes, values, 0};
    eex_predictor *p = NULL;
    cr_assert_eq(eex_predictor_fit(&p, &space, &none, 0, 1), EEX_EINVAL);
    const double wrong[] = {1.0, INFINITY};
    const eex_samples infinite = {genomes, wrong, 2};
    cr_assert_eq(eex_predictor_fit(&p, &space, &infinite, 0, 1), EEX_EINVAL);
    cr_assert_str_eq(eex_error(), "predictor: value 1 is not finite");
    eex_predictor_free(NULL);
}

/* ---- bending ---- */

static double skewness(const eex_bend *b, const double *x, size_t n)
{
    double mean = 0.0, second = 0.0, third = 0.0;
    for (size_t i = 0; i < n; i++)
        mean += eex_bend_there(b, x[i]) / (double)n;
    for (size_t i = 0; i < n; i++) {
        const double away = eex_bend_there(b, x[i]) - mean;
        second += away * away / (double)n;
        third += away * away * away / (double)n;
    }
    return third / pow(second, 1.5);
}

Test(bend, takes_the_tail_and_gives_it_back)
{
    double x[1000], sorted[1000];
    eex_rng rng;
    eex_bend b;
    eex_rng_seed(&rng, 1, 0);
    for (int i = 0; i < 1000; i++)
        x[i] = -3.0 + exp(eex_rng_normal(&rng));
    memcpy(sorted, x, sizeof x);
    eex_bend_find(&b, sorted, 1000);
    cr_assert_lt(fabs(skewness(&b, x, 1000)), 0.3);
    for (int i = 0; i < 1000; i++) {
        cr_assert_float_eq(eex_bend_back(&b, eex_bend_there(&b, x[i])), x[i], 1e-9);
        cr_assert(i == 0 ||
                  (x[i] > x[i - 1]) == (eex_bend_there(&b, x[i]) > eex_bend_there(&b, x[i - 1])));
    }
}

Test(bend, leaves_straight_what_has_no_tail)
{
    double x[1001], sorted[1001];
    eex_bend b;
    for (int i = 0; i <= 1000; i++)
        x[i] = 5e6 + 100.0 * i;
    memcpy(sorted, x, sizeof x);
    eex_bend_find(&b, sorted, 1001);
    const double whole = eex_bend_there(&b, x[1000]) - eex_bend_there(&b, x[0]);
    const double half = eex_bend_there(&b, x[500]) - eex_bend_there(&b, x[0]);
    cr_assert_float_eq(half / whole, 0.5, 0.01);
}
