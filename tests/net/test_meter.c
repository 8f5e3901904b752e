/* The bandwidth of a link, from what was acknowledged on it. */
#include "net/meter.h"

#include <criterion/criterion.h>
#include <math.h>

static const double least = 1e5, most = 1e7, assumed = 1e6;

Test(meter, assumes_and_then_measures)
{
    eex__meter m;
    eex__meter_begin(&m, least, most, 100);
    cr_expect_float_eq(eex__meter_bits(&m, 100), assumed, 1e-6);
    eex__meter_add(&m, 1000, 0.002, 100.01);
    cr_expect_float_eq(eex__meter_bits(&m, 100.02), 4e6, 1);
}

/* Large exchanges say more than small ones, late ones more than early ones. */
Test(meter, follows_what_changes)
{
    eex__meter m;
    double now = 5, bits = 1e6;
    eex__meter_begin(&m, least, most, now);
    for (int i = 0; i < 50; i++, now += 0.01)
        eex__meter_add(&m, 1000, 8000 / bits, now);
    cr_expect_float_eq(eex__meter_bits(&m, now), 1e6, 1);
    eex__meter_add(&m, 1, 0.1e-3, now);
    cr_expect_float_eq(eex__meter_bits(&m, now), 1e6, 1e4);
    bits = 0.2e6;
    for (int i = 0; i < 8; i++, now += 0.04)
        eex__meter_add(&m, 1000, 8000 / bits, now);
    cr_expect(eex__meter_bits(&m, now) < 0.3e6 && eex__meter_bits(&m, now) > 0.2e6);
    now += 20; /* what is old counts no more */
    eex__meter_add(&m, 1000, 8000 / 5e6, now);
    cr_expect_float_eq(eex__meter_bits(&m, now), 5e6, 0.2e6);
}

Test(meter, what_answers_nothing_is_slow)
{
    eex__meter m;
    eex__meter_begin(&m, least, most, 0);
    eex__meter_add(&m, 1000, 0.008, 1);
    eex__meter_lose(&m, 1.5);
    cr_expect_eq(eex__meter_bits(&m, 1.6), least);
    cr_expect_float_eq(eex__meter_bits(&m, 4.6), 8 * least, 1, "it is never tried again");
    eex__meter_lose(&m, 4.7);
    cr_expect_eq(eex__meter_bits(&m, 4.8), least);
    eex__meter_add(&m, 1000, 0.008, 4.9);
    cr_expect_float_eq(eex__meter_bits(&m, 5), 1e6, 1);
    eex__meter_add(&m, 1000, NAN, 5); /* no exchanges */
    eex__meter_add(&m, 1000, 0, 5);
    eex__meter_add(&m, 0, 1, 5);
    cr_expect_float_eq(eex__meter_bits(&m, 5), 1e6, 1);
}

/* A link on which nothing is sent is tried again: it is taken for faster, until it is measured. */
Test(meter, idle_links_are_hoped_for)
{
    eex__meter m;
    eex__meter_begin(&m, least, most, 0);
    eex__meter_add(&m, 1000, 0.008, 0);
    cr_expect_float_eq(eex__meter_bits(&m, 0.9), 1e6, 1);
    cr_expect_float_eq(eex__meter_bits(&m, 1.1), 2e6, 1);
    cr_expect_float_eq(eex__meter_bits(&m, 3.1), 8e6, 1);
    cr_expect_eq(eex__meter_bits(&m, 1e6), most);
    eex__meter_add(&m, 1e6, 8e6 / 5e8, 1e6); /* it was measured so */
    cr_expect(eex__meter_bits(&m, 2e6) > 4e8);
}
