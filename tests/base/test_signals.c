#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void wait_milliseconds(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

Test(signals, set_a_flag_that_can_be_cleared)
{
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP}, status[] = {130, 130, 129};
    cr_assert_eq(eex_signals_install(), EEX_OK);
    for (int i = 0; i < 3; i++) {
        cr_assert_not(eex_interrupted());
        raise(numbers[i]);
        cr_assert(eex_interrupted());
        cr_expect_eq(eex_terminated(), numbers[i] != SIGINT);
        cr_expect_eq(eex_signals_status(), status[i]);
        eex_signals_clear();
    }
    cr_assert_not(eex_interrupted());
}

Test(signals, the_same_keystroke_twice_is_one)
{
    cr_assert_eq(eex_signals_install(), EEX_OK);
    raise(SIGINT);
    raise(SIGINT);
    raise(SIGTERM);
    cr_assert(eex_interrupted());
}

/* How a process ends that gets the two signals, 250 ms apart. */
static int end_of(int first, int second)
{
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        eex_signals_install();
        raise(first);
        wait_milliseconds(250);
        raise(second);
        _exit(0); /* not reached */
    }
    cr_assert(child > 0 && waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

Test(signals, a_second_one_of_either_kind_ends_the_process)
{
    cr_expect_eq(end_of(SIGINT, SIGINT), SIGINT);
    cr_expect_eq(end_of(SIGTERM, SIGTERM), SIGTERM);
    cr_expect_eq(end_of(SIGINT, SIGTERM), SIGTERM);
    cr_expect_eq(end_of(SIGTERM, SIGINT), SIGINT);
}

Test(signals, a_terminal_that_closes_says_so_as_often_as_it_likes)
{
    cr_expect_eq(end_of(SIGHUP, SIGHUP), 0);
    cr_expect_eq(end_of(SIGTERM, SIGHUP), 0);
    cr_expect_eq(end_of(SIGHUP, SIGTERM), SIGTERM);
}

Test(signals, what_is_ignored_under_nohup_stays_so)
{
    signal(SIGHUP, SIG_IGN);
    cr_assert_eq(eex_signals_install(), EEX_OK);
    raise(SIGHUP);
    cr_expect_not(eex_interrupted());
    const pid_t child = eex_signals_fork();
    if (child == 0) {
        raise(SIGHUP);
        _exit(7);
    }
    int status = 0;
    cr_assert(child > 0 && waitpid(child, &status, 0) == child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/* A flag in a process that becomes another program is a signal that got lost. */
Test(signals, a_child_that_is_not_yet_another_program_ends)
{
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    cr_assert_eq(eex_signals_install(), EEX_OK);
    for (int i = 0; i < 3; i++) {
        int status = 0;
        const pid_t child = eex_signals_fork();
        if (child == 0) {
            raise(numbers[i]);
            _exit(0); /* not reached */
        }
        cr_assert(child > 0 && waitpid(child, &status, 0) == child);
        cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == numbers[i]);
    }
    raise(SIGTERM);
    cr_expect(eex_interrupted()); /* here all is as before */
}
