#include "support/rounds.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

static const uint64_t *under_way;

static void say_and_end(int signal_number)
{
    char text[100];
    const int size = snprintf(text, sizeof text, "signal %d in round --seed %" PRIu64 "\n",
                              signal_number, *under_way);
    if (write(STDERR_FILENO, text, (size_t)size) < 0)
        _exit(2);
    signal(signal_number, SIG_DFL);
    raise(signal_number == SIGPROF ? SIGABRT : signal_number);
}

void test_rounds_watch(const uint64_t *round)
{
    under_way = round;
    signal(SIGPROF, say_and_end);
    signal(SIGSEGV, say_and_end);
    signal(SIGABRT, say_and_end);
}

void test_rounds_limit(time_t seconds)
{
    const struct itimerval limit = {.it_value.tv_sec = seconds};
    setitimer(ITIMER_PROF, &limit, NULL);
}
