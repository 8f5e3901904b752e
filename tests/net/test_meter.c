/* The bandwidth of a link, from what was acknowledged on it. */
#include "net/meter.h"

#include <criterion/criterion.h>
#include <math.h>

static const double assumed = 3e6, most = 1e8;

Test(meter, assumes_and_then_measures)
{
    eex__meter m;
    eex__meter_begin(&m, assumed, most, 100);
    cr_expect_eq(eex__meter_bits(&m, 100), assumed);
    eex__meter_add(&m, 1000, 0.008, 100.01);
    cr_expect_float_eq(eex__meter_bits(&m, 100.02), 1e6, 1);
}

/* Large exchanges say more than small ones, late ones more than early ones. */
Test(meter, follows_what_changes)
{
    eex__meter m;
    double now = 5, bits = 1e6;
    eex__meter_begin(&m, assumed, most, now);
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

Test(meter, nothing_that_comes_through_is_slow)
{
    eex__meter m;
    eex__meter_begin(&m, assumed, most, 0);
    eex__meter_add(&m, 1000, 0.008, 1);
    for (int i = 0; i < 200; i++)
        eex__meter_add(&m, 0, 1, 1 + 0.01 * i);
    cr_expect(eex__meter_bits(&m, 3) >= 1, "a bandwidth is above 0");
    cr_expect(eex__meter_bits(&m, 3) < 100);
    eex__meter_add(&m, 1000, NAN, 3);
    eex__meter_add(&m, -1, 1, 3);
    cr_expect(isfinite(eex__meter_bits(&m, 3)));
}

/* A link on which nothing is sent is tried again: it is taken for faster, until it is measured. */
Test(meter, idle_links_are_hoped_for)
{
    eex__meter m;
    eex__meter_begin(&m, assumed, most, 0);
    eex__meter_add(&m, 1000, 0.008, 0);
    cr_expect_float_eq(eex__meter_bits(&m, 0.9), 1e6, 1);
    cr_expect_float_eq(eex__meter_bits(&m, 1.1), 2e6, 1);
    cr_expect_float_eq(eex__meter_bits(&m, 3.1), 8e6, 1);
    cr_expect_eq(eex__meter_bits(&m, 1e6), most);
    eex__meter_add(&m, 1e6, 8e6 / 5e8, 1e6); /* it was measured so */
    cr_expect(eex__meter_bits(&m, 2e6) > 4e8);
}
