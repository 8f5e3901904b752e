/* Drift: how often it is seen where there is none, and where there is. */
#include "core/use/drift.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { WAYS = 5, CALIBRATION = 2500, WINDOW = 500 };

TestSuite(drift, .timeout = 120);

/* Rates of leaving in each way: most at the first exit, hardly any at the fourth, some rejected. */
static const double usual[WAYS] = {0.8, 0.12, 0.05, 0.004, 0.026};

static int draw(const double *rates, eex_rng *rng)
{
    double u = eex_rng_uniform(rng);
    for (int i = 0; i < WAYS - 1; i++) {
        if (u < rates[i])
            return i;
        u -= rates[i];
    }
    return WAYS - 1;
}

/* A model that was calibrated on samples of these rates. */
static eex_drift begin(const double *rates, eex_rng *rng, double alpha)
{
    uint64_t counts[WAYS] = {0};
    eex_drift d;
    for (int i = 0; i < CALIBRATION; i++)
        counts[draw(rates, rng)]++;
    cr_assert_eq(eex_drift_begin(&d, counts, WAYS, WINDOW, alpha), EEX_OK, "%s", eex_error());
    return d;
}

static int events(eex_drift *d, const double *rates, int frames, eex_rng *rng, eex_drift_event kind)
{
    int count = 0;
    for (int i = 0; i < frames; i++)
        count += eex_drift_add(d, draw(rates, rng)) == kind;
    return count;
}

/* The chance of any false alarm in a stream is at most alpha: of 1,000 streams of 40 windows each
 * with calibration samples of its own. */
Test(drift, no_false_alarms_beyond_the_stated_rate)
{
    enum { STREAMS = 1000 };
    static const double alphas[] = {0.01, 0.2};
    for (uint64_t k = 0; k < 2; k++) {
        const double alpha = alphas[k];
        int alarmed = 0;
        eex_rng rng;
        eex_rng_seed(&rng, 17, k);
        for (int i = 0; i < STREAMS; i++) {
            eex_drift d = begin(usual, &rng, alpha);
            events(&d, usual, 40 * WINDOW, &rng, EEX_DRIFT_BEGINS);
            cr_assert_eq(d.windows, 40);
            alarmed += d.alarms > 0;
        }
        const double limit = STREAMS * alpha + 3 * sqrt(STREAMS * alpha * (1 - alpha));
        cr_expect_lt(alarmed, limit, "%d of %d streams at level %g", alarmed, STREAMS, alpha);
        if (k == 1) /* and the level is used up, not wasted: the test has power */
            cr_expect_gt(alarmed, STREAMS * alpha / 4, "%d of %d streams", alarmed, STREAMS);
    }
}

Test(drift, an_alarm_on_real_drift_and_its_end)
{
    static const double shifted[WAYS] = {0.65, 0.18, 0.1, 0.004, 0.066};
    int found = 0;
    for (uint64_t i = 0; i < 50; i++) {
        eex_rng rng;
        eex_rng_seed(&rng, 23, i);
        eex_drift d = begin(usual, &rng, 1e-4);
        cr_expect_eq(events(&d, usual, 10 * WINDOW, &rng, EEX_DRIFT_BEGINS), 0);
        /* One alarm for the whole episode. */
        cr_expect_leq(events(&d, shifted, 10 * WINDOW, &rng, EEX_DRIFT_BEGINS), 1);
        found += d.drifting;
        cr_expect_lt(d.last.p, 0.05);
        cr_expect(d.last_alarm.observed != d.last_alarm.expected && d.last_alarm.df >= 2);
        cr_expect_gt(d.last_alarm.number, 10);
        cr_expect_leq(d.last_alarm.number, 13, "found in window %d", (int)d.last_alarm.number);
        cr_expect_eq(events(&d, usual, 10 * WINDOW, &rng, EEX_DRIFT_ENDS), 1);
        cr_expect_not(d.drifting);
    }
    cr_expect_eq(found, 50);
}

Test(drift, it_says_what_changed)
{
    static const double rejecting[WAYS] = {0.74, 0.11, 0.046, 0.004, 0.1};
    eex_rng rng;
    eex_rng_seed(&rng, 29, 0);
    eex_drift d = begin(usual, &rng, 0.01);
    events(&d, rejecting, 4 * WINDOW, &rng, EEX_DRIFT_BEGINS);
    cr_assert_gt(d.alarms, 0);
    cr_expect_eq(d.first_alarm.way, WAYS - 1, "way %d", d.first_alarm.way);
    cr_expect_float_eq(d.first_alarm.observed, 0.1, 0.04);
    cr_expect_float_eq(d.first_alarm.expected, 0.026, 0.01);
}

/* Ways that calibration has hardly or never seen do not make p-values of their own. */
Test(drift, rare_ways_are_taken_together)
{
    const uint64_t counts[WAYS] = {2300, 150, 20, 30, 0};
    eex_drift d;
    cr_assert_eq(eex_drift_begin(&d, counts, WAYS, WINDOW, 0.01), EEX_OK);
    cr_expect_eq(d.groups, 3);
    cr_expect(d.group[2] == d.group[3] && d.group[3] == d.group[4] && d.group[2] != d.group[1]);
    const uint64_t fewer[WAYS] = {2300, 180, 10, 10, 0}; /* together still too rare */
    cr_assert_eq(eex_drift_begin(&d, fewer, WAYS, WINDOW, 0.01), EEX_OK);
    cr_expect_eq(d.groups, 2);
    cr_expect(d.group[2] == d.group[1] && d.group[4] == d.group[1] && d.group[0] != d.group[1]);
}

Test(drift, nothing_to_compare_is_refused)
{
    const uint64_t one[WAYS] = {2490, 5, 5, 0, 0}, none[WAYS] = {0}, fine[WAYS] = {1000, 500};
    eex_drift d;
    cr_expect_eq(eex_drift_begin(&d, one, WAYS, WINDOW, 0.01), EEX_EINVAL);
    cr_expect_eq(eex_drift_begin(&d, none, WAYS, WINDOW, 0.01), EEX_EINVAL);
    cr_expect_eq(eex_drift_begin(&d, fine, WAYS, 5, 0.01), EEX_EINVAL);
    cr_expect_eq(eex_drift_begin(&d, fine, WAYS, WINDOW, 0), EEX_EINVAL);
    cr_expect_eq(eex_drift_begin(&d, fine, 0, WINDOW, 0.01), EEX_EINVAL);
    cr_expect_eq(eex_drift_begin(&d, fine, WAYS, WINDOW, 0.01), EEX_OK);
}
