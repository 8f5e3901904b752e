#include "search/growth.h"
#include "search/pareto.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* Two clouds of many points on the front: in one all of them are, in the other all are the same. */
Test(pareto, a_front_of_very_many_points, .timeout = 20)
{
    enum { MANY = 1000000 };
    const eex_sense senses[2] = {EEX_MINIMISE, EEX_MAXIMISE};
    double *many = calloc(2 * MANY, sizeof *many);
    size_t *front = calloc(MANY, sizeof *front), count = 0;
    cr_assert(many && front);
    for (int same = 0; same < 2; same++) {
        for (size_t i = 0; i < MANY && !same; i++)
            many[2 * i] = many[2 * i + 1] = (double)(i * 7919 % MANY);
        cr_assert_eq(eex_pareto_front(front, &count, many, MANY, senses, 2), EEX_OK);
        cr_assert_eq(count, MANY);
        cr_assert_eq(eex_pareto_sort(front, many, MANY, senses, 2), EEX_OK);
        for (size_t i = 0; i < MANY; i++)
            cr_assert_eq(front[i], 0);
        memset(many, 0, 2 * MANY * sizeof *many);
    }
    free(many);
    free(front);
}

/* The front and the area after each point, against those of all points so far. */
static void check_growth(const double (*cloud)[EEX_GROWTH_OBJECTIVES])
{
    static const eex_sense minimised[EEX_GROWTH_OBJECTIVES];
    const double corner[EEX_GROWTH_OBJECTIVES] = {15, 4};
    size_t front[POINTS];
    eex_growth *growth;
    cr_assert_eq(eex_growth_new(&growth, cloud, POINTS, corner), EEX_OK);
    for (size_t i = 0; i < POINTS; i++) {
        size_t count = 0;
        double area = 0;
        bool on_front = false;
        const bool entered = eex_growth_add(growth, i);
        cr_assert_eq(eex_pareto_front(front, &count, *cloud, i + 1, minimised, 2), EEX_OK);
        cr_assert_eq(eex_pareto_hypervolume(&area, *cloud, i + 1, minimised, 2, corner), EEX_OK);
        for (size_t k = 0; k < count; k++)
            on_front = on_front || front[k] == i;
        cr_assert_eq(entered, on_front, "point %zu", i);
        cr_assert_eq(eex_growth_count(growth), count, "point %zu", i);
        cr_assert_float_eq(eex_growth_area(growth), area, 1e-9, "point %zu", i);
    }
    eex_growth_free(growth);
}

Test(pareto, a_front_grows_as_its_points_say)
{
    double cloud[POINTS][EEX_GROWTH_OBJECTIVES];
    eex_rng rng;
    eex_rng_seed(&rng, 3, 0);
    for (int round = 0; round < 200; round++) {
        const uint64_t values = round % 2 ? 20 : 400;
        for (size_t i = 0; i < POINTS; i++) {
            cloud[i][0] = (double)eex_rng_below(&rng, values) / 7;
            cloud[i][1] = round % 3 ? (double)eex_rng_below(&rng, values) / 7 : 5 - cloud[i][0] / 9;
        }
        check_growth((const double(*)[EEX_GROWTH_OBJECTIVES])cloud);
    }
}

Test(pareto, very_many_points_come_one_after_the_other, .timeout = 20)
{
    enum { MANY = 1000000 };
    const double corner[EEX_GROWTH_OBJECTIVES] = {MANY, MANY};
    double(*many)[EEX_GROWTH_OBJECTIVES] = calloc(MANY + 1, sizeof *many);
    eex_growth *growth;
    cr_assert(many);
    for (size_t i = 0; i < MANY; i++) {
        many[i][0] = (double)(i * 7919 % MANY);
        many[i][1] = (double)(MANY - i * 7919 % MANY);
    }
    cr_assert_eq(
        eex_growth_new(&growth, (const double(*)[EEX_GROWTH_OBJECTIVES])many, MANY + 1, corner),
        EEX_OK);
    for (size_t i = 0; i < MANY; i++)
        cr_assert(eex_growth_add(growth, i));
    cr_assert_eq(eex_growth_count(growth), MANY);
    cr_assert_float_eq(eex_growth_area(growth) / MANY / MANY, 0.5, 1e-5);
    cr_assert(eex_growth_add(growth, MANY)); /* (0, 0) is better than all */
    cr_assert_eq(eex_growth_count(growth), 1);
    cr_assert_float_eq(eex_growth_area(growth) / MANY / MANY, 1, 1e-9);
    eex_growth_free(growth);
    free(many);
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
    cr_assert_eq(eex_pareto_front(out, &count, points, 1, sense, 0), EEX_EINVAL);
    cr_assert_eq(eex_pareto_sort(out, points, 1, sense, EEX_MAX_OBJECTIVES + 1), EEX_EINVAL);
    double volume;
    cr_assert_eq(eex_pareto_hypervolume(&volume, points, 1, sense, 0, points), EEX_EINVAL);
    cr_assert_eq(eex_pareto_hypervolume(&volume, points, 1, sense, EEX_MAX_OBJECTIVES + 1, points),
                 EEX_EINVAL);
    cr_assert_eq(eex_pareto_front(out, &count, points, 0, sense, 2), EEX_OK);
    cr_assert_eq(count, 0);
}
