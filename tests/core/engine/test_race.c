/* Races with contestants who only say that time has passed: turns, rounds, and what becomes of
 * times when one of them is disturbed. Engines race in test_latency.c. */
#include "core/engine/race.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { IMAGES = 20, ROUNDS = 12 };

/* ---- a clock that goes on when it is told to ---- */

static double now;

static double look(void)
{
    return now;
}

/* ---- contestants ---- */

typedef struct runner {
    double ms;          /* of a unit, by itself */
    double sleep;       /* more milliseconds in disturbed rounds */
    unsigned disturbed; /* bit r: round r is */
    int turns, laps;    /* so far */
    int fails_at;       /* lap; 0: never */
    char name, *order;  /* NULL, or where it writes its name when its turn begins */
    int *at;
    eex_rng rng;
} runner;

static int run(void *context, int unit)
{
    runner *r = context;
    r->laps++;
    if (r->order && unit == 0 && (*r->at == 0 || r->order[*r->at - 1] != r->name))
        r->order[(*r->at)++] = r->name;
    now += 1e-3 * r->ms * (1 + 0.02 * eex_rng_uniform(&r->rng));
    if (r->disturbed >> r->turns & 1)
        now += 1e-3 * r->sleep * eex_rng_uniform(&r->rng);
    r->turns += unit == IMAGES - 1;
    return r->laps == r->fails_at ? eex_fail(EEX_EDEVICE, "lap %d", r->laps) : EEX_OK;
}

static runner make(double ms, uint64_t seed)
{
    runner r = {.ms = ms};
    eex_rng_seed(&r.rng, seed, 0);
    return r;
}

static eex_race usual(void)
{
    return (eex_race){.count = IMAGES, .batch = 1, .rounds = ROUNDS, .clock = look};
}

/* A quarter of ROUNDS, at random. */
static unsigned quarter(eex_rng *rng)
{
    unsigned out = 0;
    for (int left = ROUNDS / 4; left > 0;) {
        const unsigned bit = 1u << eex_rng_below(rng, ROUNDS);
        left -= !(out & bit);
        out |= bit;
    }
    return out;
}

/* ---- times ---- */

Test(race, sleeps_of_one_contestant_move_no_ratio)
{
    enum { CASES = 200 };
    int held = 0;
    eex_rng rng;
    eex_rng_seed(&rng, 7, 0);
    for (int i = 0; i < CASES; i++) {
        runner base = make(2.6, 1000 + (uint64_t)i), own = make(1, 2000 + (uint64_t)i);
        runner *disturbed = i % 2 ? &own : &base;
        disturbed->disturbed = quarter(&rng);
        disturbed->sleep = 50;
        eex_racer racer[] = {{.run = run, .context = &base}, {.run = run, .context = &own}};
        eex_race race = usual();
        OK(eex_race_run(racer, 2, &race));
        const eex_speedup s = eex_race_speedup(&racer[0], &racer[1]);
        cr_expect_float_eq(s.ratio, 2.6, 0.03 * 2.6, "%g", s.ratio);
        cr_expect(race.disturbed && s.disturbed && racer[i % 2].times.disturbed);
        cr_expect_not(racer[1 - i % 2].times.disturbed);
        held += s.low <= 2.6 && 2.6 <= s.high;
    }
    cr_expect_geq(held, 95 * CASES / 100);
}

Test(race, undisturbed_rounds_agree)
{
    runner base = make(2.6, 1), own = make(1, 2);
    double each[IMAGES];
    eex_racer racer[] = {{.run = run, .context = &base},
                         {.run = run, .context = &own, .unit_ms = each}};
    eex_race race = usual();
    OK(eex_race_run(racer, 2, &race));
    const eex_latency *l = &racer[1].times.latency;
    double sum = 0;
    cr_expect_not(race.disturbed);
    cr_expect_eq(race.ran, ROUNDS);
    cr_expect(l->p50 <= l->p95 && l->p95 <= l->p99 && l->p99 <= l->max && l->mean <= l->max);
    for (int u = 0; u < IMAGES; u++) {
        cr_expect(each[u] > 1 && each[u] < 1.02);
        sum += each[u];
    }
    cr_expect_float_eq(l->mean, sum / IMAGES, 1e-12);
}

Test(race, batches_count_by_the_image)
{
    runner own = make(8, 1);
    eex_racer racer = {.run = run, .context = &own};
    eex_race race = usual();
    race.batch = 4;
    race.count = IMAGES + 3; /* three are left over */
    OK(eex_race_run(&racer, 1, &race));
    cr_expect(racer.times.latency.mean > 2 && racer.times.latency.mean < 2.04);
}

/* ---- turns and rounds ---- */

Test(race, all_take_turns_and_turn_round)
{
    char order[64] = "";
    int at = 0;
    runner a = make(1, 1), b = make(1, 2), c = make(1, 3);
    runner *all[] = {&a, &b, &c};
    eex_racer racer[3];
    eex_race race = usual();
    race.rounds = 4;
    for (int i = 0; i < 3; i++) {
        all[i]->name = (char)('a' + i);
        all[i]->order = order;
        all[i]->at = &at;
        racer[i] = (eex_racer){.run = run, .context = all[i]};
    }
    OK(eex_race_run(racer, 3, &race));
    cr_expect_str_eq(order, "abcbabcba", "%s", order); /* who ends a round begins the next */
    cr_expect(a.turns == 4 && b.turns == 4 && c.turns == 4);
}

Test(race, rounds_end_with_the_time)
{
    runner slow = make(1e3, 1), quick = make(1, 2);
    eex_racer racer[] = {{.run = run, .context = &slow}, {.run = run, .context = &quick}};
    eex_race race = usual();
    race.seconds = 1;
    OK(eex_race_run(racer, 2, &race));
    cr_expect_eq(race.ran, EEX_RACE_LEAST);
    cr_expect_eq(slow.turns, EEX_RACE_LEAST);
    cr_expect(racer[0].times.latency.mean > 1e3 && racer[0].times.latency.mean < 1.02e3);
    const eex_speedup s = eex_race_speedup(&racer[0], &racer[1]);
    cr_expect_float_eq(s.ratio, 1000, 20);
    race.seconds = 7.5 * (IMAGES + 5);
    OK(eex_race_run(racer, 2, &race));
    cr_expect_eq(race.ran, 8, "%d", race.ran);
    race.rounds = 3;
    race.seconds = 1;
    OK(eex_race_run(racer, 2, &race));
    cr_expect_eq(race.ran, 3);
}

/* ---- what is refused ---- */

static void refused(const eex_race *race, int count, const char *text)
{
    runner own = make(1, 1);
    eex_racer racer = {.run = run, .context = &own};
    eex_race copy = *race;
    cr_expect_eq(eex_race_run(&racer, count, &copy), EEX_EINVAL);
    cr_expect(strstr(eex_error(), text), "\"%s\" says nothing of \"%s\"", eex_error(), text);
    cr_expect_eq(own.laps, 0);
}

Test(race, nothing_to_measure_and_nothing_to_compare_with_are_refused)
{
    eex_race race = usual();
    refused(&race, 0, "0 networks");
    race.count = 0;
    refused(&race, 1, "0 images");
    race = usual();
    race.batch = 0;
    refused(&race, 1, "batches of 0");
    race.batch = IMAGES + 1;
    refused(&race, 1, "nothing to measure");
    race = usual();
    race.rounds = 1;
    refused(&race, 1, "1 round,");
    race.rounds = 0;
    refused(&race, 1, "0 rounds");
    race.rounds = -3;
    refused(&race, 1, "-3 rounds");
}

Test(race, who_cannot_run_is_refused)
{
    runner good = make(1, 1);
    eex_racer racer[] = {{.run = run, .context = &good}, {.run = NULL}};
    eex_race race = usual();
    cr_expect_eq(eex_race_run(racer, 2, &race), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "contestant 2"), "%s", eex_error());
    cr_expect_eq(good.laps, 0);
}

/* What the times take must be known: products that run over are the smallest of all. Nobody is run,
 * and so the racers need not be there. */
Test(race, more_times_than_can_be_kept_are_refused)
{
    const struct {
        int racers, images, rounds;
    } sizes[] = {{1 << 14, 1 << 20, 1 << 30},
                 {1 << 14, (1 << 20) - 1, 1 << 30},
                 {INT_MAX, INT_MAX, INT_MAX},
                 {1, INT_MAX, INT_MAX},
                 {1, 1, INT_MAX},
                 {INT_MAX, 1, 2},
                 {1, INT_MAX, 2},
                 {2, (1 << 13) - 1, 1 << 13 | 1}};
    eex_racer racer = {.run = run};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        eex_race r = usual();
        r.count = sizes[i].images;
        r.rounds = sizes[i].rounds;
        cr_expect_eq(eex_race_run(&racer, sizes[i].racers, &r), EEX_EINVAL, "%zu", i);
        cr_expect(strstr(eex_error(), "to be kept"), "%zu: %s", i, eex_error());
    }
}

Test(race, who_fails_ends_it)
{
    runner good = make(1, 1), bad = make(1, 2);
    eex_racer racer[] = {{.run = run, .context = &good}, {.run = run, .context = &bad}};
    eex_race race = usual();
    bad.fails_at = 30;
    cr_expect_eq(eex_race_run(racer, 2, &race), EEX_EDEVICE);
    cr_expect_str_eq(eex_error(), "lap 30");
}
