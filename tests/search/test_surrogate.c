#include "search/surrogate.h"
#include "support/toy.h"
#include "surrogates_sklearn.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const eex_samples known = {genomes, values, KNOWN};

/* What takes seconds to fit is fitted to less, or left out. */
static bool is_slow(int kind)
{
    return kind == EEX_SURROGATE_MLP;
}

static eex_coding coding_of(eex_coding_kind kind)
{
    eex_space space;
    eex_coding coding;
    cr_assert_eq(eex_space_init(&space, options_of_genes, GENES), EEX_OK);
    eex_coding_init(&coding, &space, kind);
    return coding;
}

static eex_surrogate *fitted(eex_surrogate_kind kind, const eex_coding *coding,
                             const eex_samples *samples)
{
    eex_surrogate *s = NULL;
    cr_assert_eq(eex_surrogate_fit(&s, kind, coding, samples, 1, NULL), EEX_OK, "%s", eex_error());
    return s;
}

static double error_of(const eex_surrogate *s, size_t first, size_t n)
{
    double predicted[KNOWN + UNSEEN], sum = 0.0;
    cr_assert_eq(eex_surrogate_predict(predicted, s, genomes + first * GENES, n), EEX_OK);
    for (size_t i = 0; i < n; i++)
        sum += pow(predicted[i] - values[first + i], 2) / (double)n;
    return sqrt(sum);
}

/* As far as the method leaves no choice the same, else no worse than 5 %. */
static double tolerance_of(eex_surrogate_kind kind)
{
    return kind == EEX_SURROGATE_RBF || kind == EEX_SURROGATE_RIDGE ? 1e-6 : 0.05;
}

Test(surrogate, errs_no_more_than_its_counterpart)
{
    for (size_t i = 0; i < sizeof sklearn_errors / sizeof *sklearn_errors; i++) {
        const eex_surrogate_kind kind = sklearn_errors[i].kind;
        const double theirs = sklearn_errors[i].error;
        const eex_coding coding = coding_of(sklearn_errors[i].coding);
        const eex_samples some = {genomes, values, (size_t)sklearn_errors[i].known};
        eex_surrogate *s = fitted(kind, &coding, &some);
        const double ours = error_of(s, KNOWN, UNSEEN);
        cr_log_info("%s, coding %d: %.6f, theirs %.6f", eex_surrogate_kind_name(kind), coding.kind,
                    ours, theirs);
        cr_assert_leq(ours, (1.0 + tolerance_of(kind)) * theirs, "%s: %g, theirs %g",
                      eex_surrogate_kind_name(kind), ours, theirs);
        eex_surrogate_free(s);
    }
}

Test(surrogate, rbf_and_ridge_are_those_of_scipy_and_scikit_learn)
{
    for (size_t i = 0; i < sizeof sklearn_errors / sizeof *sklearn_errors; i++) {
        const eex_coding coding = coding_of(sklearn_errors[i].coding);
        if (tolerance_of(sklearn_errors[i].kind) > 1e-3)
            continue;
        eex_surrogate *s = fitted(sklearn_errors[i].kind, &coding, &known);
        cr_assert_float_eq(error_of(s, KNOWN, UNSEEN), sklearn_errors[i].error, 1e-6);
        eex_surrogate_free(s);
    }
}

Test(surrogate, rbf_passes_through_what_it_knows)
{
    for (int c = EEX_CODE_ORDERED; c <= EEX_CODE_SIMPLEX; c++) {
        const eex_coding coding = coding_of((eex_coding_kind)c);
        /* Also with as few as the tail has columns, and fewer. */
        for (size_t n = KNOWN; n > 0; n /= 2) {
            const eex_samples some = {genomes, values, n};
            eex_surrogate *s = fitted(EEX_SURROGATE_RBF, &coding, &some);
            cr_assert_lt(error_of(s, 0, n), 1e-6, "%zu of them", n);
            eex_surrogate_free(s);
        }
    }
}

/* One sample, or all alike: a constant. Genes that never vary: no harm. */
Test(surrogate, little_to_learn_from_is_no_error)
{
    int few[4][GENES] = {{0}};
    double alike[] = {2.5, 2.5, 2.5, 2.5}, got[4];
    for (int i = 1; i < 4; i++)
        few[i][i] = 1;
    for (int kind = 0; kind < EEX_SURROGATES; kind++)
        for (int c = EEX_CODE_ORDERED; c <= EEX_CODE_SIMPLEX; c++)
            for (size_t n = 1; n <= 4; n += is_slow(kind) ? 3 : 1) {
                const eex_coding coding = coding_of((eex_coding_kind)c);
                const eex_samples samples = {few[0], alike, n};
                eex_surrogate *s = fitted((eex_surrogate_kind)kind, &coding, &samples);
                cr_assert_eq(eex_surrogate_predict(got, s, few[0], 4), EEX_OK);
                for (int i = 0; i < 4; i++)
                    cr_assert(fabs(got[i] - 2.5) < 0.75, "%s of %zu: %g",
                              eex_surrogate_kind_name((eex_surrogate_kind)kind), n, got[i]);
                eex_surrogate_free(s);
            }
}

Test(surrogate, shifted_and_scaled_values_give_the_same_fit)
{
    double other[KNOWN], a[UNSEEN], b[UNSEEN];
    for (int i = 0; i < KNOWN; i++)
        other[i] = 3e6 * values[i] - 5e6;
    const eex_samples samples = {genomes, other, KNOWN};
    const eex_coding coding = coding_of(EEX_CODE_ORDERED);
    for (int kind = 0; kind < EEX_SURROGATES; kind++) {
        if (is_slow(kind)) /* and its rounding grows */
            continue;
        eex_surrogate *s = fitted((eex_surrogate_kind)kind, &coding, &known);
        eex_surrogate *t = fitted((eex_surrogate_kind)kind, &coding, &samples);
        cr_assert_eq(eex_surrogate_predict(a, s, genomes + KNOWN * GENES, UNSEEN), EEX_OK);
        cr_assert_eq(eex_surrogate_predict(b, t, genomes + KNOWN * GENES, UNSEEN), EEX_OK);
        for (int i = 0; i < UNSEEN; i++)
            cr_assert_float_eq((b[i] + 5e6) / 3e6, a[i], 1e-5, "%s",
                               eex_surrogate_kind_name((eex_surrogate_kind)kind));
        eex_surrogate_free(s);
        eex_surrogate_free(t);
    }
}

Test(surrogate, the_seed_decides_and_a_batch_is_as_one_by_one)
{
    const eex_coding coding = coding_of(EEX_CODE_SIMPLEX);
    double all[UNSEEN], again[UNSEEN], one;
    for (int kind = 0; kind < EEX_SURROGATES; kind++) {
        const eex_samples some = {genomes, values, is_slow(kind) ? 10 : KNOWN};
        eex_surrogate *s = fitted((eex_surrogate_kind)kind, &coding, &some);
        eex_surrogate *t = fitted((eex_surrogate_kind)kind, &coding, &some);
        cr_assert_eq(eex_surrogate_predict(all, s, genomes + KNOWN * GENES, UNSEEN), EEX_OK);
        cr_assert_eq(eex_surrogate_predict(again, t, genomes + KNOWN * GENES, UNSEEN), EEX_OK);
        cr_assert_eq(memcmp(all, again, sizeof all), 0);
        for (int i = 0; i < UNSEEN; i += 31) {
            cr_assert_eq(eex_surrogate_predict(&one, s, genomes + (KNOWN + i) * GENES, 1), EEX_OK);
            cr_assert_float_eq(one, all[i], 1e-5);
        }
        eex_surrogate_free(s);
        eex_surrogate_free(t);
    }
}

Test(surrogate, hyperparameters_may_be_taken_over)
{
    const eex_coding coding = coding_of(EEX_CODE_SIMPLEX);
    const eex_samples most = {genomes, values, KNOWN - 10};
    for (int kind = 0; kind < EEX_SURROGATES; kind++) {
        if (is_slow(kind)) /* and has none */
            continue;
        eex_surrogate *whole = fitted((eex_surrogate_kind)kind, &coding, &known), *part = NULL;
        cr_assert_eq(eex_surrogate_fit(&part, (eex_surrogate_kind)kind, &coding, &most, 1, whole),
                     EEX_OK);
        cr_assert_lt(error_of(part, KNOWN, UNSEEN), 1.3 * error_of(whole, KNOWN, UNSEEN));
        eex_surrogate_free(whole);
        eex_surrogate_free(part);
    }
}

Test(surrogate, wrong_values_are_refused)
{
    const eex_coding coding = coding_of(EEX_CODE_ORDERED);
    const double wrong[] = {1.0, NAN};
    const eex_samples none = {genomes, values, 0}, samples = {genomes, wrong, 2};
    eex_surrogate *s = NULL;
    cr_assert_eq(eex_surrogate_fit(&s, EEX_SURROGATE_RBF, &coding, &none, 1, NULL), EEX_EINVAL);
    cr_assert_eq(eex_surrogate_fit(&s, EEX_SURROGATE_RBF, &coding, &samples, 1, NULL), EEX_EINVAL);
    cr_assert_str_eq(eex_error(), "surrogate: value 1 is not finite");
    cr_assert_null(s);
    eex_surrogate_free(NULL);
}

Test(coding, corners_are_equally_far_apart)
{
    const int options[] = {2, 3, 8, 9, 1};
    eex_space space;
    eex_coding simplex, ordered;
    double a[16], b[16];
    cr_assert_eq(eex_space_init(&space, options, 5), EEX_OK);
    eex_coding_init(&simplex, &space, EEX_CODE_SIMPLEX);
    eex_coding_init(&ordered, &space, EEX_CODE_ORDERED);
    cr_assert_eq(simplex.columns, 1 + 2 + 7 + 1);
    cr_assert_eq(ordered.columns, 4);
    for (int gene = 0; gene < 3; gene++)
        for (int from = 0; from < options[gene]; from++)
            for (int to = 0; to < from; to++) {
                int x[5] = {0}, y[5] = {0};
                double square = 0.0;
                x[gene] = from;
                y[gene] = to;
                eex_code(a, &simplex, x, 1);
                eex_code(b, &simplex, y, 1);
                for (int k = 0; k < simplex.columns; k++)
                    square += pow(a[k] - b[k], 2);
                cr_assert_float_eq(square, 2.0, 1e-12);
            }
    const int last[] = {1, 2, 7, 8, 0};
    eex_code(a, &ordered, last, 1);
    for (int k = 0; k < 4; k++)
        cr_assert_eq(a[k], 1.0);
    eex_code(a, &simplex, last, 1);
    cr_assert_float_eq(a[10], M_SQRT2, 1e-12);
}
