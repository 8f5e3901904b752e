#include "search/population.h"
#include "search/survival.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>

Test(survival, ranks_and_crowding_of_a_few)
{
    /* Three of a front, one behind it. */
    const double objectives[] = {0, 4, 1, 1, 4, 0, 2, 2};
    eex_standing s[4];
    cr_assert_eq(eex_survival_rank(s, objectives, NULL, 4, 2), EEX_OK);
    cr_assert(s[0].rank == 0 && s[1].rank == 0 && s[2].rank == 0 && s[3].rank == 1);
    cr_assert(isinf(s[0].crowding) && isinf(s[2].crowding) && isinf(s[3].crowding));
    cr_assert_eq(s[1].crowding, 2.0, "the neighbours are a whole range apart in both");
}

Test(survival, less_crowded_ones_come_first)
{
    const double objectives[] = {0, 10, 1, 9, 2, 8, 6, 4, 10, 0};
    eex_standing s[5];
    size_t order[5];
    cr_assert_eq(eex_survival_rank(s, objectives, NULL, 5, 2), EEX_OK);
    cr_assert_eq(eex_survival_order(order, s, 5), EEX_OK);
    const size_t wanted[] = {0, 4, 3, 2, 1};
    for (int i = 0; i < 5; i++)
        cr_assert_eq(order[i], wanted[i], "place %d: %zu", i, order[i]);
}

Test(survival, violations_come_last_the_least_first)
{
    const double objectives[] = {5, 5, 0, 0, 1, 1, 9, 9, 0, 0, 4, 4};
    const double violations[] = {0.0, 2.0, 0.5, -1.0, NAN, 0.5};
    eex_standing s[6];
    size_t order[6];
    cr_assert_eq(eex_survival_rank(s, objectives, violations, 6, 2), EEX_OK);
    cr_assert_eq(eex_survival_order(order, s, 6), EEX_OK);
    const size_t wanted[] = {0, 3, 2, 5, 1, 4};
    for (int i = 0; i < 6; i++)
        cr_assert_eq(order[i], wanted[i], "place %d: %zu", i, order[i]);
    cr_assert_eq(s[2].rank, s[5].rank, "as much violated, as good");
}

Test(survival, not_a_number_is_worst)
{
    const double objectives[] = {NAN, 1, 2, 1, NAN, NAN};
    eex_standing s[3];
    cr_assert_eq(eex_survival_rank(s, objectives, NULL, 3, 2), EEX_OK);
    cr_assert(s[1].rank == 0 && s[0].rank == 1 && s[2].rank == 2);
}

Test(survival, objectives_have_to_be_some)
{
    eex_standing s[1];
    cr_assert_eq(eex_survival_rank(s, (double[]){0}, NULL, 1, 0), EEX_EINVAL);
    cr_assert_eq(eex_survival_rank(s, (double[]){0}, NULL, 1, EEX_MAX_OBJECTIVES + 1), EEX_EINVAL);
    cr_assert_eq(eex_survival_rank(s, (double[]){0}, NULL, 0, 1), EEX_OK);
}

Test(survival, the_best_of_a_population_are_kept_with_what_is_known_of_them)
{
    eex_population p, spare;
    cr_assert_eq(eex_population_init(&p, 1, 2, 6), EEX_OK);
    cr_assert_eq(eex_population_init(&spare, 1, 2, 6), EEX_OK);
    for (int i = 0; i < 6; i++) {
        *eex_population_genome(&p, p.count) = i;
        eex_population_objectives(&p, p.count)[0] = i % 3;
        eex_population_objectives(&p, p.count)[1] = 2 - i % 3 + i / 3;
        p.count++;
    }
    cr_assert_eq(eex_population_survive(&p, &spare, 4), EEX_OK);
    cr_assert_eq(p.count, 4);
    for (size_t i = 0; i < 4; i++) {
        const int genome = *eex_population_genome(&p, i);
        cr_assert_eq(genome < 3, i < 3);
        cr_assert_eq(eex_population_objectives(&p, i)[0], genome % 3);
        cr_assert_eq(p.standings[i].rank, i < 3 ? 0 : 1);
    }
    eex_population_free(&p);
    eex_population_free(&spare);
    eex_population_free(NULL);
}
