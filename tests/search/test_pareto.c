#include "search/pareto.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { POINTS = 120 };

static double points[POINTS * EEX_MAX_OBJECTIVES];
static eex_sense sense[EEX_MAX_OBJECTIVES];

/* Coarse values, so that there are ties and equal points, and a NaN now and then. */
static void draw(eex_rng *rng, int objectives, uint64_t values)
{
    for (int i = 0; i < POINTS * objectives; i++)
        points[i] = eex_rng_below(rng, 200) == 0 ? NAN : (double)eex_rng_below(rng, values);
    for (int k = 0; k < objectives; k++)
        sense[k] = eex_rng_below(rng, 2) == 0 ? EEX_MINIMISE : EEX_MAXIMISE;
}

/* The definition, written once more. */
static bool better(double a, double b, eex_sense s)
{
    if (isnan(a) || isnan(b))
        return !isnan(a) && isnan(b);
    return s == EEX_MAXIMISE ? a > b : a < b;
}

static bool dominates(size_t a, size_t b, int objectives)
{
    bool somewhere = false;
    for (int k = 0; k < objectives; k++) {
        const double x = points[a * (size_t)objectives + (size_t)k];
        const double y = points[b * (size_t)objectives + (size_t)k];
        if (better(y, x, sense[k]))
            return false;
        somewhere = somewhere || better(x, y, sense[k]);
    }
    return somewhere;
}

/* Ranks by peeling fronts off. */
static void peel(size_t *rank, int objectives)
{
    for (size_t i = 0; i < POINTS; i++)
        rank[i] = SIZE_MAX;
    for (size_t front = 0, left = POINTS; left > 0; front++) {
        for (size_t i = 0; i < POINTS; i++) {
            bool dominated = rank[i] < front;
            for (size_t k = 0; k < POINTS && !dominated; k++)
                dominated = rank[k] >= front && dominates(k, i, objectives);
            if (!dominated && rank[i] > front) {
                rank[i] = front;
                left--;
            }
        }
    }
}

typedef void (*check)(const size_t *rank, int objectives);

static void for_many_clouds(check fn)
{
    size_t rank[POINTS];
    eex_rng rng;
    eex_rng_seed(&rng, 1, 0);
    for (int round = 0; round < 40; round++) {
        const int objectives = 1 + round % EEX_MAX_OBJECTIVES;
        draw(&rng, objectives, round < 20 ? 6 : 1000);
        peel(rank, objectives);
        fn(rank, objectives);
    }
}

static void check_sort(const size_t *rank, int objectives)
{
    size_t sorted[POINTS];
    cr_assert_eq(eex_pareto_sort(sorted, points, POINTS, sense, objectives), EEX_OK);
    for (size_t i = 0; i < POINTS; i++)
        cr_assert_eq(sorted[i], rank[i], "point %zu of %d objectives", i, objectives);
}

Test(pareto, sorting_peels_fronts_off)
{
    for_many_clouds(check_sort);
}

static void check_front(const size_t *rank, int objectives)
{
    size_t front[POINTS], count = 0, expected = 0;
    cr_assert_eq(eex_pareto_front(front, &count, points, POINTS, sense, objectives), EEX_OK);
    for (size_t i = 0; i < POINTS; i++)
        expected += rank[i] == 0;
    cr_assert_eq(count, expected);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(rank[front[i]], 0);
        if (i == 0)
            continue;
        const double a = points[front[i - 1] * (size_t)objectives];
        const double b = points[front[i] * (size_t)objectives];
        cr_assert_not(better(b, a, sense[0]), "in order of the first objective");
        cr_assert_neq(front[i], front[i - 1]);
    }
}

Test(pareto, the_front_is_what_nothing_dominates)
{
    for_many_clouds(check_front);
}

static void check_dominates(const size_t *rank, int objectives)
{
    for (size_t a = 0; a < POINTS; a += 3)
        for (size_t b = 0; b < POINTS; b += 2)
            cr_assert_eq(eex_pareto_dominates(points + a * (size_t)objectives,
                                              points + b * (size_t)objectives, sense, objectives),
                         dominates(a, b, objectives));
}

Test(pareto, dominance)
{
    for_many_clouds(check_dominates);
}

static void check_archive(const size_t *rank, int objectives)
{
    eex_archive archive;
    bool entered, on_front[POINTS] = {false};
    cr_assert_eq(eex_archive_init(&archive, sense, objectives), EEX_OK);
    for (size_t i = 0; i < POINTS; i++) {
        bool dominated = false;
        for (size_t k = 0; k < i; k++)
            dominated = dominated || dominates(k, i, objectives);
        cr_assert_eq(eex_archive_add(&archive, &entered, points + i * (size_t)objectives, i),
                     EEX_OK);
        cr_assert_eq(entered, !dominated);
    }
    for (size_t i = 0; i < archive.count; i++) {
        on_front[archive.ids[i]] = true;
        for (int k = 0; k < objectives; k++) {
            const double kept = archive.points[i][k];
            const double given = points[archive.ids[i] * (size_t)objectives + (size_t)k];
            cr_assert(kept == given || (isnan(kept) && isnan(given)));
        }
    }
    for (size_t i = 0; i < POINTS; i++)
        cr_assert_eq(on_front[i], rank[i] == 0);
    eex_archive_free(&archive);
}

Test(pareto, the_archive_ends_as_the_front_in_any_case)
{
    for_many_clouds(check_archive);
}

/* Coordinates are integers below this, so volumes are counts of unit cells. */
enum { CELLS = 20 };

static bool covers(size_t point, const double *corner, int objectives)
{
    for (int k = 0; k < objectives; k++) {
        const double value = points[point * (size_t)objectives + (size_t)k];
        if (isnan(value) || better(corner[k], value, sense[k]))
            return false;
    }
    return true;
}

/* The cells of `side` a dimension next to the reference point that some point covers. */
static int count_cells(const double *reference, int objectives, int side)
{
    int cells = 0, all = 1;
    for (int k = 0; k < objectives; k++)
        all *= side;
    for (int cell = 0; cell < all; cell++) {
        double corner[EEX_MAX_OBJECTIVES];
        bool covered = false;
        for (int k = 0, rest = cell; k < objectives; k++, rest /= side)
            corner[k] = reference[k] + (sense[k] == EEX_MAXIMISE ? 1 : -1) * (rest % side + 1);
        for (size_t i = 0; i < POINTS && !covered; i++)
            covered = covers(i, corner, objectives);
        cells += covered;
    }
    return cells;
}

static void check_volume(eex_rng *rng, int objectives, int values)
{
    double volume = -1.0, reference[EEX_MAX_OBJECTIVES];
    for (int k = 0; k < EEX_MAX_OBJECTIVES; k++)
        reference[k] = (double)eex_rng_below(rng, (uint64_t)values);
    draw(rng, objectives, (uint64_t)values);
    cr_assert_eq(eex_pareto_hypervolume(&volume, points, POINTS, sense, objectives, reference),
                 EEX_OK);
    cr_assert_eq(volume, count_cells(reference, objectives, values), "%d objectives", objectives);
}

Test(pareto, hypervolume_is_what_the_points_dominate)
{
    eex_rng rng;
    eex_rng_seed(&rng, 2, 0);
    for (int round = 0; round < 40; round++) {
        check_volume(&rng, 1, CELLS);
        check_volume(&rng, 2, CELLS);
        check_volume(&rng, 3, CELLS);
        check_volume(&rng, 4, 6);
    }
}

Test(pareto, hypervolume_of_a_few_points)
{
    const double few[] = {0.9, 100.0, 0.8, 50.0, 0.7, 60.0}, reference[2] = {0.5, 120.0};
    const eex_sense senses[2] = {EEX_MAXIMISE, EEX_MINIMISE};
    double area = -1.0;
    cr_assert_eq(eex_pareto_hypervolume(&area, few, 3, senses, 2, reference), EEX_OK);
    cr_assert_float_eq(area, 0.4 * 20.0 + 0.3 * 50.0, 1e-12);
    cr_assert_eq(eex_pareto_hypervolume(&area, few, 0, senses, 2, reference), EEX_OK);
    cr_assert_eq(area, 0.0);
}

Test(pareto, wrong_dimensions_are_refused)
{
    size_t out[1], count;
    eex_archive archive;
    cr_assert_eq(eex_pareto_front(out, &count, points, 1, sense, 0), EEX_EINVAL);
    cr_assert_eq(eex_pareto_sort(out, points, 1, sense, EEX_MAX_OBJECTIVES + 1), EEX_EINVAL);
    cr_assert_eq(eex_archive_init(&archive, sense, 0), EEX_EINVAL);
    double volume;
    cr_assert_eq(eex_pareto_hypervolume(&volume, points, 1, sense, 0, points), EEX_EINVAL);
    cr_assert_eq(eex_pareto_hypervolume(&volume, points, 1, sense, EEX_MAX_OBJECTIVES + 1, points),
                 EEX_EINVAL);
    cr_assert_eq(eex_pareto_front(out, &count, points, 0, sense, 2), EEX_OK);
    cr_assert_eq(count, 0);
}
