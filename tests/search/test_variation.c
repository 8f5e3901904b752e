#include "search/variation.h"
#include "support/toy.h"

#include <criterion/criterion.h>
#include <string.h>

enum { DRAWS = 20000 };

/* From every option of a gene to every option, the first and the last too. */
static void expect_everything_reached(int options, double eta)
{
    const eex_space space = toy_space(1, options);
    eex_rng rng;
    eex_rng_seed(&rng, 1, (uint64_t)options);
    for (int from = 0; from<options; from += options> 4 ? options - 1 : 1) {
        int reached[64] = {0}, kinds = 0;
        for (int i = 0; i < DRAWS; i++) {
            int gene = from;
            eex_mutate_polynomial(&gene, &space, 1.0, eta, &rng);
            cr_assert(gene >= 0 && gene < options);
            kinds += reached[gene]++ == 0;
        }
        cr_assert_eq(kinds, options, "from %d of %d: %d reached", from, options, kinds);
    }
}

Test(variation, mutation_reaches_every_option)
{
    for (int options = 2; options <= 64; options++)
        expect_everything_reached(options, 1.0);
    expect_everything_reached(8, 3.0);
}

Test(variation, mutation_prefers_what_is_near_and_is_symmetric)
{
    const eex_space space = toy_space(1, 101);
    int below = 0, above = 0, near[2] = {0};
    eex_rng rng;
    eex_rng_seed(&rng, 2, 0);
    for (int sharp = 0; sharp < 2; sharp++)
        for (int i = 0; i < DRAWS; i++) {
            int gene = 50;
            eex_mutate_polynomial(&gene, &space, 1.0, sharp ? 20.0 : 1.0, &rng);
            below += gene < 50;
            above += gene > 50;
            near[sharp] += gene >= 45 && gene <= 55;
        }
    cr_assert_lt(abs(below - above), DRAWS / 50);
    cr_assert_gt(near[1], 2 * near[0]);
}

Test(variation, mutation_changes_genes_at_its_rate)
{
    const int options[] = {50, 1, 50, 50, 1};
    eex_space space;
    cr_assert_eq(eex_space_init(&space, options, 5), 0);
    cr_assert_float_eq(eex_mutation_rate(&space), 1.0 / 3.0, 1e-15);
    int changed = 0;
    eex_rng rng;
    eex_rng_seed(&rng, 3, 0);
    for (int i = 0; i < DRAWS; i++) {
        int genome[] = {25, 0, 25, 25, 0};
        eex_mutate_polynomial(genome, &space, eex_mutation_rate(&space), 1.0, &rng);
        cr_assert(genome[1] == 0 && genome[4] == 0);
        changed += (genome[0] != 25) + (genome[2] != 25) + (genome[3] != 25);
    }
    cr_assert_float_eq(changed / (double)DRAWS, 1.0, 0.05);
    const eex_space fixed = toy_space(3, 1);
    cr_assert_eq(eex_mutation_rate(&fixed), 0.0);
}

Test(variation, two_points_exchange_a_stretch_that_may_lie_anywhere)
{
    const eex_space space = toy_space(6, 12);
    int exchanged[6] = {0};
    eex_rng rng;
    eex_rng_seed(&rng, 4, 0);
    for (int i = 0; i < DRAWS; i++) {
        int a[] = {0, 1, 2, 3, 4, 5}, b[] = {6, 7, 8, 9, 10, 11}, changes = 0, count = 0;
        eex_cross_two_points(a, b, &space, &rng);
        for (int g = 0; g < 6; g++) {
            const bool here = a[g] == g + 6;
            cr_assert(here ? b[g] == g : a[g] == g && b[g] == g + 6);
            changes += g > 0 && here != (a[g - 1] == g + 5);
            exchanged[g] += here;
            count += here;
        }
        cr_assert_leq(changes, 2);
        cr_assert(count > 0 && count < 6, "both give something");
    }
    for (int g = 0; g < 6; g++)
        cr_assert(exchanged[g] > DRAWS / 10, "gene %d", g);
    const eex_space single = toy_space(1, 2);
    int a = 0, b = 1;
    eex_cross_two_points(&a, &b, &single, &rng);
    cr_assert(a == 0 && b == 1);
}

Test(variation, binary_crossover_stays_in_place_and_in_the_middle)
{
    const eex_space space = toy_space(2, 1 << 20);
    double sum = 0.0;
    int outside = 0;
    eex_rng rng;
    eex_rng_seed(&rng, 5, 0);
    for (int i = 0; i < DRAWS; i++) {
        int a[] = {400000, 1000}, b[] = {600000, 1000};
        eex_cross_binary(a, b, &space, 15.0, &rng);
        cr_assert(a[1] == 1000 && b[1] == 1000, "alike parents have alike children");
        cr_assert_eq(eex_space_check(&space, a) + eex_space_check(&space, b), 0);
        sum += a[0] + b[0];
        outside += a[0] < 400000 || a[0] > 600000;
    }
    cr_assert_float_eq(sum / (2.0 * DRAWS), 500000.0, 1000.0);
    cr_assert_gt(outside, DRAWS / 8);
}

Test(variation, binary_crossover_at_the_ends_stays_in_the_space)
{
    const eex_space space = toy_space(1, 3);
    eex_rng rng;
    eex_rng_seed(&rng, 6, 0);
    for (int i = 0; i < DRAWS; i++) {
        int a = 0, b = 2;
        eex_cross_binary(&a, &b, &space, 1.0, &rng);
        cr_assert(a >= 0 && a < 3 && b >= 0 && b < 3);
    }
}
