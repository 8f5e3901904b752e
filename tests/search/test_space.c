#include "search/genomes.h"
#include "search/space.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static eex_space make_space(const int *options, int genes)
{
    eex_space space;
    cr_assert_eq(eex_space_init(&space, options, genes), EEX_OK, "%s", eex_error());
    return space;
}

static const int mixed[] = {3, 1, 2, 5};

Test(space, refuses_what_is_no_space)
{
    eex_space space;
    const int none[] = {2, 0};
    cr_assert_eq(eex_space_init(&space, mixed, 0), EEX_EINVAL);
    cr_assert_eq(eex_space_init(&space, mixed, EEX_MAX_GENES + 1), EEX_EINVAL);
    cr_assert_eq(eex_space_init(&space, none, 2), EEX_EINVAL);
    cr_assert_str_eq(eex_error(), "search space: gene 1 has from 1 to 1048576 options, got 0");
}

Test(space, sizes)
{
    uint64_t size = 7;
    int options[80];
    eex_space space = make_space(mixed, 4);
    cr_assert(eex_space_size(&size, &space));
    cr_assert_eq(size, 30);
    cr_assert_float_eq(eex_space_size_log2(&space), log2(30.0), 1e-12);
    for (int i = 0; i < 80; i++)
        options[i] = 2;
    space = make_space(options, 63);
    cr_assert(eex_space_size(&size, &space));
    cr_assert_eq(size, UINT64_C(1) << 63);
    space = make_space(options, 64);
    cr_assert_not(eex_space_size(&size, &space));
    cr_assert_eq(size, UINT64_C(1) << 63, "untouched");
    space = make_space(options, 80);
    cr_assert_float_eq(eex_space_size_log2(&space), 80.0, 1e-12);
}

Test(space, numbers_and_genomes_are_one_to_one)
{
    const eex_space space = make_space(mixed, 4);
    int genome[4], before[4] = {-1, -1, -1, -1};
    for (uint64_t i = 0; i < 30; i++) {
        eex_space_genome(genome, &space, i);
        cr_assert_eq(eex_space_check(&space, genome), EEX_OK);
        cr_assert_not(eex_space_equal(&space, genome, before));
        cr_assert_eq(eex_space_index(&space, genome), i);
        memcpy(before, genome, sizeof before);
    }
}

/* Whoever has gene 0 off is the same whatever gene 1 says. */
static void switch_off(int *genome, const void *context)
{
    if (genome[0] == 0)
        genome[1] = 0;
}

Test(space, counts_its_candidates)
{
    const int options[] = {3, 4}, many[] = {1 << 10, (1 << 10) + 1};
    eex_space space;
    uint64_t count = 7;
    cr_assert_eq(eex_space_init(&space, options, 2), 0);
    cr_assert(eex_space_candidates(&count, &space));
    cr_assert_eq(count, 12);
    space.canonical = switch_off;
    cr_assert(eex_space_candidates(&count, &space));
    cr_assert_eq(count, 9);
    cr_assert_eq(eex_space_init(&space, many, 2), 0);
    cr_assert_not(eex_space_candidates(&count, &space));
    cr_assert_eq(count, 9);
}

Test(space, check_names_the_gene)
{
    const eex_space space = make_space(mixed, 4);
    const int high[] = {0, 0, 2, 0}, low[] = {0, 0, 0, -1};
    cr_assert_eq(eex_space_check(&space, high), EEX_EINVAL);
    cr_assert_str_eq(eex_error(), "genome: gene 2 is from 0 to 1, got 2");
    cr_assert_eq(eex_space_check(&space, low), EEX_EINVAL);
}

Test(space, random_genomes_are_uniform)
{
    enum { DRAWS = 60000 };
    const eex_space space = make_space(mixed, 4);
    int genome[4], counts[30] = {0};
    eex_rng rng;
    eex_rng_seed(&rng, 1, 0);
    for (int i = 0; i < DRAWS; i++) {
        eex_space_random(genome, &space, &rng);
        counts[eex_space_index(&space, genome)]++;
    }
    for (int i = 0; i < 30; i++)
        cr_assert_float_eq(counts[i], DRAWS / 30.0, 5.0 * sqrt(DRAWS / 30.0), "genome %d", i);
}

/* From one parent each neighbour is reached: every gene alike, then every other value alike, the
 * last one included. */
Test(space, mutation_reaches_every_neighbour_fairly)
{
    enum { DRAWS = 60000 };
    const eex_space space = make_space(mixed, 4);
    const int parent[] = {1, 0, 1, 4};
    int counts[4][5] = {{0}};
    eex_rng rng;
    eex_rng_seed(&rng, 2, 0);
    for (int i = 0; i < DRAWS; i++) {
        int child[4], changed = 0;
        memcpy(child, parent, sizeof child);
        eex_space_mutate(child, &space, &rng);
        cr_assert_eq(eex_space_check(&space, child), EEX_OK);
        for (int g = 0; g < 4; g++) {
            changed += child[g] != parent[g];
            if (child[g] != parent[g])
                counts[g][child[g]]++;
        }
        cr_assert_eq(changed, 1);
    }
    for (int g = 0; g < 4; g++) {
        for (int v = 0; v < mixed[g]; v++) {
            const double expected = v == parent[g] ? 0.0 : DRAWS / 3.0 / (mixed[g] - 1);
            cr_assert_float_eq(counts[g][v], expected, 5.0 * sqrt(expected) + 0.1,
                               "gene %d value %d: %d", g, v, counts[g][v]);
        }
    }
}

Test(space, a_space_of_one_genome_does_not_mutate)
{
    const int ones[] = {1, 1};
    const eex_space space = make_space(ones, 2);
    int genome[] = {0, 0};
    eex_rng rng;
    eex_rng_seed(&rng, 3, 0);
    eex_space_mutate(genome, &space, &rng);
    cr_assert(genome[0] == 0 && genome[1] == 0);
}

Test(space, hashes_tell_genomes_apart)
{
    const int options[] = {8, 8, 8, 8};
    const eex_space space = make_space(options, 4);
    static uint64_t hashes[4096];
    int genome[4];
    for (uint64_t i = 0; i < 4096; i++) {
        eex_space_genome(genome, &space, i);
        hashes[i] = eex_space_hash(&space, genome);
        for (uint64_t k = 0; k < i; k++)
            cr_assert_neq(hashes[i], hashes[k]);
    }
}

Test(genomes, find_what_was_added_and_not_removed)
{
    const int options[] = {10, 10, 10};
    const eex_space space = make_space(options, 3);
    eex_genomes list;
    int genome[3];
    size_t position;
    eex_genomes_init(&list, &space);
    for (uint64_t i = 0; i < 1000; i += 2) {
        eex_space_genome(genome, &space, i);
        cr_assert_not(eex_genomes_find(NULL, &list, genome));
        cr_assert_eq(eex_genomes_add(&list, genome), EEX_OK);
    }
    for (size_t i = 0; i < 250; i++) /* leaves those whose number is 2 modulo 4 */
        eex_genomes_remove(&list, i);
    cr_assert_eq(list.count, 250);
    for (uint64_t i = 0; i < 1000; i++) {
        eex_space_genome(genome, &space, i);
        cr_assert_eq(eex_genomes_find(&position, &list, genome), i % 4 == 2, "genome %d", (int)i);
        if (i % 4 == 2)
            cr_assert_eq(position, i / 4);
    }
    eex_genomes_free(&list);
    eex_genomes_free(&list);
}

/* Genomes that somebody has chosen by the hash that is known, as a file of trials may have them. */
Test(genomes, that_crowd, .timeout = 20)
{
    enum { GENES = 8, MANY = 1 << 17 };
    static const int options[GENES] = {8, 8, 8, 8, 8, 8, 8, 8};
    eex_space space = make_space(options, GENES);
    eex_genomes list;
    size_t at = 0;
    int genome[GENES];
    eex_genomes_init(&list, &space);
    for (uint32_t i = 0; list.count < MANY; i++) {
        for (int g = 0; g < GENES; g++)
            genome[g] = (int)(i >> 3 * g & 7);
        if (eex_space_hash(&space, genome) % (2 * MANY) >= 2 * MANY / 64)
            continue;
        cr_assert(!eex_genomes_find(NULL, &list, genome));
        cr_assert_eq(eex_genomes_add(&list, genome), EEX_OK);
    }
    cr_assert(eex_genomes_find(&at, &list, genome));
    cr_assert_eq(at, MANY - 1);
    eex_genomes_free(&list);
}
