#include "cpu/choice.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { RUNS_UNTIMED = 2, SLOW_RUNS = 16 };

static const double clear_gain = 0.95; /* more threads take at most this part of the time */
static const double hopeless = 1.5; /* who takes so much more need not be tried with still more */
static const double slower = 1.25;
static const double too_short = 5e-6; /* units that are never shared out */
/* Seconds: what is settled holds at least so long, and at most so long. */
static const double least = 0.1, first_pause = 0.25, longest_pause = 4;
/* In times of what measuring took, in which most runs are slow ones and which is seconds where runs
 * are long: what is settled holds at least so long, and where it stayed the same at last so long.
 */
static const double least_held = 2, longest_held = 32;

static void try_threads(eex_choice *c, int threads)
{
    c->trying = threads;
    c->taken = -RUNS_UNTIMED;
}

static void start(eex_choice *c)
{
    c->best = 1;
    c->best_seconds = INFINITY;
    c->took = 0;
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

/* How long what is settled now holds at most. */
static double pause_of(const eex_choice *c)
{
    const double first = fmax(first_pause, least_held * c->took);
    const double longest = fmax(longest_pause, longest_held * c->took);
    if (c->best == 1 && c->best_seconds < too_short)
        return INFINITY;
    return c->chosen == c->best ? fmin(fmax(2 * c->pause, first), longest) : first;
}

static void settle(eex_choice *c, double now)
{
    c->pause = pause_of(c);
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
    const bool worse = c->slow >= SLOW_RUNS && held > fmax(least, least_held * c->took);
    if (held > c->pause || (worse && c->pause < INFINITY))
        start(c);
}

void eex__choice_tell(eex_choice *c, double seconds, double now)
{
    if (!c->trying) {
        watch(c, seconds, now);
        return;
    }
    c->took += seconds;
    if (c->taken >= 0)
        c->seconds[c->taken] = seconds;
    if (++c->taken == EEX_CHOICE_RUNS)
        judge(c, now);
}
