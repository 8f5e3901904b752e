#include "support/population.h"

#include "support/traces.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>

static const double cost[TEST_POPULATION_EXITS] = {30, 60, 110};
const eex_exit_costs test_population_costs = {TEST_POPULATION_EXITS, cost, 100};

eex_trace *test_population(void)
{
    eex_trace *t;
    cr_assert_eq(eex_trace_new(&t, TEST_POPULATION, TEST_POPULATION_EXITS, TEST_POPULATION_CLASSES),
                 EEX_OK);
    test_trace_fill(t, 21);
    return t;
}

eex_trace *test_population_draw(const eex_trace *from, int samples, uint64_t seed)
{
    uint32_t rows[TEST_POPULATION];
    eex_trace *t;
    eex_rng rng;
    eex_rng_seed(&rng, seed, 3);
    for (int i = 0; i < samples; i++)
        rows[i] = (uint32_t)eex_rng_below(&rng, (uint64_t)from->samples);
    cr_assert_eq(eex_trace_take(&t, from, rows, samples), EEX_OK);
    return t;
}

eex_calibration test_at_temperature_two(eex_policy_kind kind)
{
    eex_calibration how = eex_calibration_default();
    how.kind = kind;
    how.temperature = 2;
    return how;
}
