#include "cpu/choice.h"

#include <math.h>
#include <stdlib.h>

enum { RUNS_UNTIMED = 2, SLOW_RUNS = 16 };

static const double clear_gain = 0.95; /* more threads take at most this part of the time */
static const double hopeless = 1.5; /* who takes so much more need not be tried with still more */
static const double slower = 1.25;
static const double too_short = 5e-6; /* units that are never shared out */
/* Seconds: what is settled holds at least so long, and at most so long. */
static const double least = 0.1, first_pause = 0.25, longest_pause = 4;

static void try_threads(eex_choice *c, int threads)
{
    c->trying = threads;
    c->taken = -RUNS_UNTIMED;
}

static void start(eex_choice *c)
{
    c->best = 1;
    c->best_seconds = INFINITY;
    try_threads(c, 1);
}

void eex__choice_init(eex_choice *c, int most)
{
    *c = (eex_choice){.most = most, .pause = first_pause};
    start(c);
}

int eex__choice_threads(const eex_choice *c)
{
    return c->trying ? c->trying : c->best;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void settle(eex_choice *c, double now)
{
    const double longer = 2 * c->pause < longest_pause ? 2 * c->pause : longest_pause;
    c->pause = c->chosen == c->best ? longer : first_pause;
    if (c->best_seconds < too_short)
        c->pause = INFINITY;
    c->chosen = c->best;
    c->trying = 0;
    c->slow = 0;
    c->settled = now;
}

static void judge(eex_choice *c, double now)
{
    qsort(c->seconds, EEX_CHOICE_RUNS, sizeof *c->seconds, by_value);
    const double median = c->seconds[EEX_CHOICE_RUNS / 2];
    const int tried = c->trying;
    if (tried == 1 || median < clear_gain * c->best_seconds) {
        c->best = tried;
        c->best_seconds = median;
    }
    if (tried == c->most || median > hopeless * c->best_seconds || median < too_short)
        settle(c, now);
    else
        try_threads(c, 2 * tried < c->most ? 2 * tried : c->most);
}

static void watch(eex_choice *c, double seconds, double now)
{
    if (seconds > slower * c->best_seconds)
        c->slow++;
    else if (c->slow > 0)
        c->slow--;
    const double held = now - c->settled;
    if (held > c->pause || (c->slow >= SLOW_RUNS && held > least && c->pause < INFINITY))
        start(c);
}

void eex__choice_tell(eex_choice *c, double seconds, double now)
{
    if (!c->trying) {
        watch(c, seconds, now);
        return;
    }
    if (c->taken >= 0)
        c->seconds[c->taken] = seconds;
    if (++c->taken == EEX_CHOICE_RUNS)
        judge(c, now);
}
