/* Every allocation of this room fails once. */
#include "search/algorithm.h"
#include "search/growth.h"
#include "search/nsga2.h"
#include "search/pareto.h"
#include "search/predictor.h"
#include "search/rank.h"
#include "support/memory.h"
#include "support/toy.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void nobody(const eex_search_report *report, void *context)
{
}

static const eex_controller_options options = {.seed = 1,
                                               .population = 5,
                                               .sample = 2,
                                               .initial = 146,
                                               .batch = 5,
                                               .surrogates = 1U << EEX_SURROGATE_RIDGE,
                                               .report = nobody};

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

static int search_nsga2(void)
{
    return search_save_load(&eex__nsga2);
}

static int search_surrogate(void)
{
    return search_save_load(&eex__surrogate);
}

static int score_points(double *objectives, double *violations, const int *genomes, size_t n,
                        void *context)
{
    for (size_t i = 0; i < n; i++) {
        objectives[2 * i] = genomes[8 * i];
        objectives[2 * i + 1] = -genomes[8 * i + 1];
    }
    return EEX_OK;
}

static int run_nsga2(void)
{
    const eex_space space = toy_space(8, 4);
    const eex_nsga2_options how = {.population = 6,
                                   .generations = 3,
                                   .objective_count = 2,
                                   .variation = eex_variation_of_choices()};
    eex_population last;
    EEX_TRY(eex_nsga2_run(&last, &space, &how, score_points, NULL));
    eex_population_free(&last);
    return EEX_OK;
}

static const int few[] = {0, 1, 2, 3, 1, 1, 2, 2, 3, 3, 0, 2, 1, 0, 2, 2};
static const double worths[] = {1, 2, 4, 3, 5, 7, 9, 8};

static int fit_surrogate(eex_surrogate_kind kind)
{
    const eex_space space = toy_space(2, 4);
    const eex_samples samples = {few, worths, 8};
    double predicted[8];
    eex_surrogate *s = NULL;
    eex_coding coding;
    eex_coding_init(&coding, &space, EEX_CODE_SIMPLEX);
    EEX_TRY(eex_surrogate_fit(&s, kind, &coding, &samples, 1, NULL));
    const int code = eex_surrogate_predict(predicted, s, few, 8);
    eex_surrogate_free(s);
    return code;
}

/* The one that is trained for seconds comes last. */
static int fit_surrogates(void)
{
    for (int kind = 0; kind < EEX_SURROGATES; kind++)
        if (kind != EEX_SURROGATE_MLP)
            EEX_TRY(fit_surrogate((eex_surrogate_kind)kind));
    return fit_surrogate(EEX_SURROGATE_MLP);
}

static int fit_predictor(void)
{
    const eex_space space = toy_space(2, 4);
    const eex_samples samples = {few, worths, 8};
    eex_predictor *p = NULL;
    double predicted[8];
    EEX_TRY(eex_predictor_fit(&p, &space, &samples, 0, 1));
    const int code = eex_predictor_predict(predicted, p, few, 8);
    eex_predictor_free(p);
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

static int grow_a_front(void)
{
    static const double rising[3][EEX_GROWTH_OBJECTIVES] = {{1, 3}, {2, 2}, {3, 1}};
    static const double corner[EEX_GROWTH_OBJECTIVES] = {4, 4};
    eex_growth *growth;
    EEX_TRY(eex_growth_new(&growth, rising, 3, corner));
    eex_growth_free(growth);
    return EEX_OK;
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
    cr_assert_gt(test_fail_each_allocation(search_nsga2), 100);
    cr_assert_gt(test_fail_each_allocation(search_surrogate), 50);
    cr_assert_gt(test_fail_each_allocation(run_nsga2), 20);
    cr_assert_gt(test_fail_each_allocation(fit_surrogates), 40);
    cr_assert_gt(test_fail_each_allocation(fit_predictor), 100);
    cr_assert_gt(test_fail_each_allocation(use_fronts), 4);
    cr_assert_gt(test_fail_each_allocation(grow_a_front), 3);
    cr_assert_gt(test_fail_each_allocation(correlate), 1);
}
