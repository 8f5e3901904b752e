/* What a controller promises to an algorithm with a memory, and what it does when one fails. */
#include "search/algorithm.h"
#include "support/toy.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <string.h>

static const eex_controller_options usual = {.seed = 1};

static eex_controller *climber(const eex_space *space)
{
    eex_controller *c = NULL;
    cr_assert_eq(eex__controller_open(&c, &toy_climber, space, &usual), EEX_OK, "%s", eex_error());
    return c;
}

Test(algorithm, names_and_numbers_go_together)
{
    static const char *const names[] = {"aging", "random", "exhaustive", "nsga2", "surrogate"};
    for (int a = 0; a < EEX_ALGORITHMS; a++)
        cr_assert_str_eq(eex_algorithm_name(a), names[a]);
    cr_assert_str_eq(eex_algorithm_name(EEX_ALGORITHMS), "?");
    const eex_space space = toy_space(3, 3);
    eex_controller *c = NULL;
    cr_assert_eq(eex_controller_new(&c, EEX_ALGORITHMS, &space, &usual), EEX_EINVAL);
    cr_assert_str_eq(eex_error(), "there is no search algorithm with the number 5");
}

Test(algorithm, checks_the_space_and_the_options_itself)
{
    const eex_space line = toy_space(1, 8);
    eex_controller *c = NULL;
    cr_assert_eq(eex__controller_open(&c, &toy_climber, &line, &usual), EEX_EINVAL);
    cr_assert_null(c);
}

Test(algorithm, a_memory_is_filled_by_telling_and_freed)
{
    const eex_space space = toy_space(8, 4);
    eex_controller *c = climber(&space);
    cr_assert_eq(toy_climbers, 0);
    toy_run(c, &space, 60, 0);
    cr_assert_eq(toy_climbers, 1);
    size_t best = 0;
    cr_assert(eex_controller_best(&best, c));
    const double first = eex_controller_score(c, 0)->fitness;
    cr_assert_lt(first, eex_controller_score(c, best)->fitness);
    eex_controller_free(c);
    cr_assert_eq(toy_climbers, 0);
}

Test(algorithm, a_memory_comes_back_by_retelling_and_by_loading)
{
    const eex_space space = toy_space(8, 4);
    eex_buffer state = EEX_BUFFER_INIT;
    eex_controller *whole = climber(&space), *retold = climber(&space), *loaded = climber(&space);
    toy_run(whole, &space, 20, 0);
    for (size_t i = 0; i < 20; i++)
        cr_assert_eq(eex_controller_tell(retold, eex_controller_genome(whole, i),
                                         eex_controller_score(whole, i)),
                     EEX_OK);
    cr_assert_eq(eex_controller_save(&state, whole), EEX_OK);
    cr_assert_eq(eex_controller_load(loaded, state.data, state.size), EEX_OK, "%s", eex_error());
    eex_buffer_free(&state);
    toy_run(whole, &space, 40, 0);
    toy_run(retold, &space, 40, 0);
    toy_run(loaded, &space, 40, 0);
    toy_expect_same(whole, retold, &space);
    toy_expect_same(whole, loaded, &space);
    eex_controller_free(whole);
    eex_controller_free(retold);
    eex_controller_free(loaded);
}

/* The same genomes follow as if nothing had happened. */
Test(algorithm, a_failed_proposal_is_reported_and_asked_for_again)
{
    const eex_space space = toy_space(8, 4);
    int genome[8];
    eex_controller *c = climber(&space), *undisturbed = climber(&space);
    toy_run(c, &space, 10, 0);
    toy_climber_fails.propose = true;
    cr_assert_not(eex_controller_done(c));
    cr_assert_eq(eex_controller_ask(c, genome), EEX_EDIVERGED);
    cr_assert_str_eq(eex_error(), "the climber has lost its way");
    cr_assert_eq(eex_controller_pending(c), 0);
    toy_climber_fails.propose = false;
    toy_run(c, &space, 10, 0);
    toy_run(undisturbed, &space, 20, 0);
    toy_expect_same(c, undisturbed, &space);
    eex_controller_free(c);
    eex_controller_free(undisturbed);
}

Test(algorithm, a_trial_that_was_not_heard_was_not_told)
{
    const eex_space space = toy_space(8, 4);
    int genome[8];
    eex_controller *c = climber(&space), *undisturbed = climber(&space);
    toy_run(c, &space, 10, 0);
    cr_assert_eq(eex_controller_ask(c, genome), EEX_OK);
    const eex_score score = toy_score(&space, genome, 0);
    toy_climber_fails.tell = 10;
    cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_EDIVERGED);
    cr_assert_eq(eex_controller_trials(c), 10);
    cr_assert_eq(eex_controller_pending(c), 1, "the candidate is still to be told");
    toy_climber_fails.tell = SIZE_MAX;
    cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK);
    toy_run(c, &space, 9, 0);
    toy_run(undisturbed, &space, 20, 0);
    toy_expect_same(c, undisturbed, &space);
    eex_controller_free(c);
    eex_controller_free(undisturbed);
}
