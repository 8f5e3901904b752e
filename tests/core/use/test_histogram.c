/* Histogram and timeline: figures of a stream in constant memory. */
#include "core/use/histogram.h"
#include "core/use/timeline.h"

#include "base/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static eex_histogram *empty(void)
{
    eex_histogram *h = calloc(1, sizeof *h);
    cr_assert_not_null(h);
    return h;
}

/* Against sorting them, over nine decades. */
Test(histogram, quantiles_are_within_half_a_percent)
{
    enum { VALUES = 20001 };
    static const double quantiles[] = {0, 0.001, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1};
    double *values = malloc(VALUES * sizeof *values), sum = 0;
    eex_histogram *h = empty();
    eex_rng rng;
    cr_assert_not_null(values);
    eex_rng_seed(&rng, 1, 1);
    for (int i = 0; i < VALUES; i++) {
        values[i] = pow(10, -4 + 9 * eex_rng_uniform(&rng));
        sum += values[i];
        eex_histogram_add(h, values[i], 1);
    }
    qsort(values, VALUES, sizeof *values, by_value);
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        const int rank = (int)ceil(quantiles[i] * VALUES);
        const double want = values[rank < 1 ? 0 : rank - 1];
        const double got = eex_histogram_quantile(h, quantiles[i]);
        cr_expect_float_eq(got, want, 0.004 * want, "%g: %g, not %g", quantiles[i], got, want);
    }
    cr_expect_float_eq(eex_histogram_mean(h), sum / VALUES, 1e-9 * sum / VALUES);
    cr_expect(h->least == values[0] && h->largest == values[VALUES - 1]);
    free(values);
    free(h);
}

Test(histogram, at_its_ends)
{
    eex_histogram *h = empty();
    cr_expect(isnan(eex_histogram_mean(h)) && isnan(eex_histogram_quantile(h, 0.5)));
    eex_histogram_add(h, NAN, 1);
    eex_histogram_add(h, 3, 0);
    cr_expect_eq(h->count, 0);
    eex_histogram_add(h, 0, 1);
    eex_histogram_add(h, 1e-30, 1);
    eex_histogram_add(h, 1e30, 1);
    eex_histogram_add(h, 5, 3);
    cr_expect_eq(h->count, 6);
    cr_expect_float_eq(eex_histogram_quantile(h, 0.5), 5, 0.02);
    cr_expect_eq(h->least, 0);
    cr_expect_eq(h->largest, 1e30);
    free(h);
}

Test(timeline, keeps_every_frame_in_a_handful_of_rows)
{
    static const int lengths[] = {1, 63, 64, 65, 1024, 1025, 100000};
    eex_timeline *t = malloc(sizeof *t);
    cr_assert_not_null(t);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint64_t frames = 0, rejected = 0, first = 0;
        double ms = 0;
        *t = (eex_timeline){.rows = 0};
        for (int k = 0; k < lengths[i]; k++) /* the second half leaves elsewhere */
            eex_timeline_add(t, 2 * k >= lengths[i], k % 10 == 0, k == 5 ? 7 : 0.5);
        cr_expect_leq(t->rows, EEX_TIMELINE_ROWS);
        cr_expect(lengths[i] < 1000 || t->rows > EEX_TIMELINE_ROWS / 2);
        for (int r = 0; r < t->rows; r++) {
            cr_expect(r == t->rows - 1 || t->row[r].frames == t->per_row);
            cr_expect_eq(t->row[r].left[0] + t->row[r].left[1], t->row[r].frames);
            frames += t->row[r].frames;
            rejected += t->row[r].rejected;
            first += t->row[r].left[0];
            ms += t->row[r].ms;
        }
        cr_expect_eq(frames, (uint64_t)lengths[i]);
        cr_expect_eq(rejected, (uint64_t)(lengths[i] + 9) / 10);
        cr_expect_eq(first, (uint64_t)(lengths[i] + 1) / 2);
        cr_expect_float_eq(ms, 0.5 * lengths[i] + (lengths[i] > 5 ? 6.5 : 0), 1e-6);
        cr_expect_eq(t->row[0].slowest, lengths[i] > 5 ? 7 : 0.5);
    }
    free(t);
}
