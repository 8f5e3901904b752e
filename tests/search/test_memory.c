/* Every allocation of this room fails once. */
#include "search/controller.h"
#include "search/pareto.h"
#include "search/rank.h"
#include "support/memory.h"
#include "support/toy.h"

#include "base/status.h"

#include <criterion/criterion.h>

static const eex_controller_options options = {.seed = 1, .population = 5, .sample = 2};

static int search(eex_controller *c, const eex_space *space, size_t trials)
{
    int genome[EEX_MAX_GENES];
    while (eex_controller_trials(c) < trials) {
        EEX_TRY(eex_controller_ask(c, genome));
        const eex_score score = toy_score(space, genome, 5);
        EEX_TRY(eex_controller_tell(c, genome, &score));
    }
    return EEX_OK;
}

static int search_save_load(const eex__algorithm *algorithm)
{
    const eex_space space = toy_space(8, 4);
    eex_buffer state = EEX_BUFFER_INIT;
    eex_controller *c = NULL, *loaded = NULL;
    int code = eex__controller_open(&c, algorithm, &space, &options);
    if (code == EEX_OK)
        code = search(c, &space, 150);
    if (code == EEX_OK)
        code = eex_controller_save(&state, c);
    if (code == EEX_OK)
        code = eex__controller_open(&loaded, algorithm, &space, &options);
    if (code == EEX_OK)
        code = eex_controller_load(loaded, state.data, state.size);
    eex_controller_free(loaded);
    eex_controller_free(c);
    eex_buffer_free(&state);
    return code;
}

static int search_aging(void)
{
    return search_save_load(&eex__aging);
}

static int search_climbing(void)
{
    const int code = search_save_load(&toy_climber);
    cr_assert_eq(toy_climbers, 0);
    return code;
}

static const double points[] = {1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1};
static const eex_sense sense[] = {EEX_MINIMISE, EEX_MAXIMISE};

static int use_fronts(void)
{
    size_t ranks[6], front[6], count;
    double area;
    const double reference[2] = {10, 0};
    EEX_TRY(eex_pareto_sort(ranks, points, 6, sense, 2));
    EEX_TRY(eex_pareto_front(front, &count, points, 6, sense, 2));
    return eex_pareto_hypervolume(&area, points, 6, sense, 2, reference);
}

static int fill_archive(void)
{
    eex_archive archive;
    EEX_TRY(eex_archive_init(&archive, sense, 2));
    int code = EEX_OK;
    for (size_t i = 0; i < 50 && code == EEX_OK; i++)
        code = eex_archive_add(&archive, NULL, (const double[]){(double)i, (double)i}, i);
    eex_archive_free(&archive);
    return code;
}

static int correlate(void)
{
    double tau;
    EEX_TRY(eex_rank_kendall(&tau, points, points + 6, 6));
    return eex_rank_spearman(&tau, points, points + 6, 6);
}

Test(memory, every_failure_is_reported)
{
    cr_assert_gt(test_fail_each_allocation(search_aging), 10);
    cr_assert_gt(test_fail_each_allocation(search_climbing), 160);
    cr_assert_gt(test_fail_each_allocation(use_fronts), 4);
    cr_assert_gt(test_fail_each_allocation(fill_archive), 3);
    cr_assert_gt(test_fail_each_allocation(correlate), 1);
}
