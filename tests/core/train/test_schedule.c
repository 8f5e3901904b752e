/* Learning rates against values worked out by hand. */
#include "core/train/train.h"

#include <criterion/criterion.h>
#include <math.h>

static void expect(const eex_schedule *s, double at, double want)
{
    double got = eex_schedule_rate(s, 0.4, at, 10);
    cr_expect(fabs(got - want) < 1e-12, "%g epochs: %.15g, not %.15g", at, got, want);
}

Test(schedule, constant)
{
    eex_schedule s = {.kind = EEX_SCHEDULE_CONSTANT};
    expect(&s, 0, 0.4);
    expect(&s, 9.9, 0.4);
}

Test(schedule, warm_up_is_linear_from_nothing)
{
    eex_schedule s = {.kind = EEX_SCHEDULE_CONSTANT, .warmup = 2};
    expect(&s, 0, 0);
    expect(&s, 0.5, 0.1);
    expect(&s, 1.5, 0.3);
    expect(&s, 2, 0.4);
}

Test(schedule, cosine_goes_over_what_the_warm_up_leaves)
{
    eex_schedule s = {.kind = EEX_SCHEDULE_COSINE, .warmup = 2, .final = 0.1};
    expect(&s, 1, 0.2);
    expect(&s, 2, 0.4);
    expect(&s, 6, 0.22); /* half way: the mean of 0.4 and 0.04 */
    expect(&s, 4, 0.04 + 0.36 * (1 + sqrt(0.5)) / 2);
    expect(&s, 10, 0.04);
    expect(&s, 11, 0.04);
}

Test(schedule, cosine_without_warm_up)
{
    eex_schedule s = {.kind = EEX_SCHEDULE_COSINE};
    expect(&s, 0, 0.4);
    expect(&s, 5, 0.2);
    expect(&s, 10, 0);
}

Test(schedule, steps_come_at_their_epochs)
{
    eex_schedule s = {
        .kind = EEX_SCHEDULE_STEP, .gamma = 0.1, .milestones = 2, .milestone = {5, 8}};
    expect(&s, 0, 0.4);
    expect(&s, 4.999, 0.4);
    expect(&s, 5, 0.04);
    expect(&s, 7.5, 0.04);
    expect(&s, 8, 0.004);
}

Test(schedule, one_cycle_goes_up_and_down)
{
    eex_schedule s = {.kind = EEX_SCHEDULE_ONE_CYCLE, .warmup = 4, .final = 0.01};
    expect(&s, 0, 0.016); /* 0.4 / 25 */
    expect(&s, 2, 0.208); /* the mean of 0.016 and 0.4 */
    expect(&s, 4, 0.4);
    expect(&s, 7, 0.202); /* the mean of 0.4 and 0.004 */
    expect(&s, 10, 0.004);
}

Test(schedule, warm_up_of_the_whole_training)
{
    eex_schedule s = {.kind = EEX_SCHEDULE_COSINE, .warmup = 10, .final = 0.5};
    expect(&s, 5, 0.2);
    expect(&s, 10, 0.2);
}
