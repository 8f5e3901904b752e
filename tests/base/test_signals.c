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

Test(signals, a_second_ctrl_c_ends_the_process)
{
    const pid_t child = fork();
    if (child == 0) {
        eex_signals_install();
        raise(SIGINT);
        wait_milliseconds(250);
        raise(SIGINT);
        _exit(0); /* not reached */
    }
    int status = 0;
    cr_assert(child > 0 && waitpid(child, &status, 0) == child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

Test(signals, a_second_sigterm_does_not)
{
    const pid_t child = fork();
    if (child == 0) {
        eex_signals_install();
        raise(SIGTERM);
        wait_milliseconds(250);
        raise(SIGTERM);
        _exit(eex_interrupted() ? 7 : 0);
    }
    int status = 0;
    cr_assert(child > 0 && waitpid(child, &status, 0) == child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}
