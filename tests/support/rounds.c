#include "support/rounds.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static const test_rounds *under_way;

static void say_and_end(int signal_number)
{
    char text[120];
    const int size =
        snprintf(text, sizeof text, "signal %d in --seed %" PRIu64 " --round %" PRIu64 "\n",
                 signal_number, under_way->seed, under_way->round);
    if (write(STDERR_FILENO, text, (size_t)size) < 0)
        _exit(2);
    signal(signal_number, SIG_DFL);
    raise(signal_number == SIGPROF ? SIGABRT : signal_number);
}

bool test_rounds_take(test_rounds *rounds, int argc, char **argv, int *i)
{
    const struct {
        const char *name;
        uint64_t *value;
    } options[] = {{"--seed", &rounds->seed},
                   {"--round", &rounds->first},
                   {"--rounds", &rounds->most},
                   {"--seconds", &rounds->seconds}};
    for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
        if (strcmp(argv[*i], options[k].name) != 0 || *i + 1 >= argc)
            continue;
        *options[k].value = strtoull(argv[++*i], NULL, 10);
        return true;
    }
    return false;
}

static void begin(test_rounds *rounds)
{
    static const int ends[] = {SIGPROF, SIGSEGV, SIGABRT};
    rounds->begin = time(NULL);
    rounds->round = rounds->first;
    rounds->most = rounds->most ? rounds->most : 20000;
    under_way = rounds;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        signal(ends[i], say_and_end);
}

bool test_rounds_next(test_rounds *rounds, eex_rng *rng)
{
    if (under_way != rounds)
        begin(rounds);
    else
        rounds->round++;
    eex_rng_seed(rng, rounds->seed, rounds->round);
    return rounds->seconds ? time(NULL) - rounds->begin < (time_t)rounds->seconds
                           : test_rounds_done(rounds) < rounds->most;
}

uint64_t test_rounds_done(const test_rounds *rounds)
{
    return rounds->round - rounds->first;
}

void test_rounds_limit(time_t seconds)
{
    const struct itimerval limit = {.it_value.tv_sec = seconds};
    setitimer(ITIMER_PROF, &limit, NULL);
}
