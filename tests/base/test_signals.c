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
    const int numbers[] = {SIGINT, SIGTERM};
    cr_assert_eq(eex_signals_install(), EEX_OK);
    for (int i = 0; i < 2; i++) {
        cr_assert_not(eex_interrupted());
        raise(numbers[i]);
        cr_assert(eex_interrupted());
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
