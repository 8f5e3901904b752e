/* What is made of laps: times that other programs do not move, intervals that hold what is true,
 * and rounds that disagree. Laps are drawn, nobody looks at a clock. */
#include "base/laps.h"
#include "base/rng.h"

#include <criterion/criterion.h>
#include <math.h>

enum { MOST_UNITS = 64, MOST_ROUNDS = 64, CASES = 1000 };

/* How a machine is disturbed. */
typedef struct mood {
    double share;  /* of laps, or of rounds, that are */
    bool by_round; /* whole rounds are, and all laps of a round have the same noise */
    double most;   /* how many times as long a disturbed lap takes, at most */
    double noise;  /* of every lap, which only adds */
} mood;

static double noise(const mood *m, eex_rng *rng, bool disturbed)
{
    double lap = 1 + m->noise * (eex_rng_uniform(rng) + eex_rng_uniform(rng));
    return disturbed ? lap * (1 + (m->most - 1) * eex_rng_uniform(rng)) : lap;
}

/* Unit u takes ms * (1 + u / units), by itself. */
static void draw(double *laps, int units, int rounds, double ms, const mood *m, eex_rng *rng)
{
    for (int r = 0; r < rounds; r++) {
        bool disturbed = eex_rng_uniform(rng) < m->share;
        double longer = noise(m, rng, disturbed);
        for (int u = 0; u < units; u++) {
            if (!m->by_round) {
                disturbed = eex_rng_uniform(rng) < m->share;
                longer = noise(m, rng, disturbed);
            }
            laps[u * rounds + r] = ms * (1 + (double)u / units) * longer;
        }
    }
}

static eex_lap_times measure(int units, int rounds, double ms, const mood *m, eex_rng *rng)
{
    static double laps[(MOST_UNITS + 1) * MOST_ROUNDS], unit_ms[MOST_UNITS];
    eex_lap_times out;
    draw(laps, units, rounds, ms, m, rng);
    eex_laps_reduce(&out, unit_ms,
                    &(eex_laps){.units = units, .rounds = rounds, .inputs = 1, .ms = laps});
    return out;
}

static const mood quiet = {.noise = 0.02};

static double covered(int units, int rounds, const mood *base, const mood *own, eex_rng *rng)
{
    int held = 0;
    for (int i = 0; i < CASES; i++) {
        const eex_lap_times b = measure(units, rounds, 2.6, base, rng);
        const eex_lap_times o = measure(units, rounds, 1, own, rng);
        const eex_speedup s = eex_speedup_of(&b, &o);
        held += s.low <= 2.6 && 2.6 <= s.high;
    }
    return (double)held / CASES;
}

/* ---- what is told of units ---- */

static void check_order(const eex_lap_times *t)
{
    const eex_latency *l = &t->latency;
    cr_expect(l->p50 > 0 && l->p50 <= l->p95 && l->p95 <= l->p99 && l->p99 <= l->max);
    cr_expect(l->mean > 0 && l->mean <= l->max, "mean %g, max %g", l->mean, l->max);
    cr_expect(t->fast <= l->mean && l->mean <= t->slow, "%g, %g, %g", t->fast, l->mean, t->slow);
}

Test(laps, means_and_percentiles_are_in_order)
{
    static const mood wild = {.noise = 0.5, .share = 0.5, .most = 100};
    eex_rng rng;
    eex_rng_seed(&rng, 1, 0);
    for (int rounds = EEX_LAPS_ROUNDS_MIN; rounds <= MOST_ROUNDS; rounds++)
        for (int units = 1; units <= MOST_UNITS; units += 1 + units / 3) {
            const eex_lap_times t = measure(units, rounds, 0.1, &wild, &rng);
            check_order(&t);
        }
}

/* One image in two hundred takes a thousand times as long: the mean is beyond the 99th percentile.
 */
Test(laps, a_mean_is_never_beyond_the_largest)
{
    enum { UNITS = 200, ROUNDS = 3 };
    static double ms[(UNITS + 1) * ROUNDS], unit_ms[UNITS];
    eex_lap_times t;
    for (int i = 0; i < UNITS * ROUNDS; i++)
        ms[i] = i < ROUNDS ? 100 : 0.1;
    eex_laps_reduce(&t, unit_ms, &(eex_laps){UNITS, ROUNDS, 1, ms});
    check_order(&t);
    cr_expect(t.latency.p99 == 0.1 && t.latency.max == 100 && t.latency.mean > 0.5);
    cr_expect(unit_ms[0] == 100 && unit_ms[1] == 0.1);
    for (int i = 0; i < UNITS * ROUNDS; i++)
        ms[i] = 0.1; /* whose sum rounds */
    eex_laps_reduce(&t, unit_ms, &(eex_laps){UNITS, ROUNDS, 1, ms});
    check_order(&t);
}

Test(laps, times_are_of_one_input)
{
    double ms[] = {8, 9, 12, 16, 17, 18, 0, 0, 0}, unit_ms[2];
    eex_lap_times t;
    eex_laps_reduce(&t, unit_ms, &(eex_laps){.units = 2, .rounds = 3, .inputs = 4, .ms = ms});
    cr_expect(unit_ms[0] == 2 && unit_ms[1] == 4);
    cr_expect(t.latency.mean == 3 && t.latency.p50 == 2 && t.latency.p95 == 4);
    cr_expect(t.fast == 3 && t.slow == 3.75);
}

/* ---- disturbed rounds ---- */

Test(laps, a_quarter_of_disturbed_rounds_moves_no_ratio)
{
    static const mood moods[] = {{.noise = 0.02, .share = 0.25, .most = 40},
                                 {.noise = 0.02, .share = 0.25, .most = 40, .by_round = true}};
    eex_rng rng;
    eex_rng_seed(&rng, 1, 0);
    int off = 0;
    for (int i = 0; i < CASES; i++) {
        const eex_lap_times base = measure(40, 11, 2.6, &moods[i % 2], &rng);
        const eex_lap_times own = measure(40, 11, 1, &quiet, &rng);
        const eex_speedup s = eex_speedup_of(&base, &own), back = eex_speedup_of(&own, &base);
        off += fabs(s.ratio - 2.6) > 0.05 * 2.6; /* nine laps of eleven are disturbed, too */
        cr_expect(s.low <= s.ratio && s.ratio <= s.high);
        cr_expect_float_eq(s.ratio * back.ratio, 1, 1e-12);
        cr_expect_float_eq(s.low * back.high, 1, 1e-12);
    }
    cr_expect_leq(off, CASES / 200, "%d", off);
}

Test(laps, intervals_hold_what_is_true)
{
    static const int rounds[] = {5, 6, 9, 10, 11, 21}, units[] = {1, 2, 20};
    static const mood moods[] = {{.noise = 0.02},
                                 {.noise = 0.02, .by_round = true},
                                 {.noise = 0.02, .share = 0.25, .most = 20},
                                 {.noise = 0.02, .share = 0.25, .most = 20, .by_round = true},
                                 {.noise = 0.02, .share = 0.25, .most = 1.2, .by_round = true}};
    eex_rng rng;
    eex_rng_seed(&rng, 1, 0);
    for (size_t m = 0; m < sizeof moods / sizeof *moods; m++)
        for (size_t r = 0; r < sizeof rounds / sizeof *rounds; r++)
            for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
                const double held[] = {covered(units[u], rounds[r], &quiet, &moods[m], &rng),
                                       covered(units[u], rounds[r], &moods[m], &quiet, &rng),
                                       covered(units[u], rounds[r], &moods[m], &moods[m], &rng)};
                for (int i = 0; i < 3; i++)
                    cr_expect_geq(held[i], 0.95, "mood %zu, %d rounds of %d units: %g", m,
                                  rounds[r], units[u], held[i]);
            }
}

/* The first `slow` rounds take `factor` times as long. */
static bool disturbed(int rounds, int slow, double factor)
{
    enum { UNITS = 20 };
    static double ms[(UNITS + 1) * MOST_ROUNDS], unit_ms[UNITS];
    eex_lap_times t;
    for (int u = 0; u < UNITS; u++)
        for (int r = 0; r < rounds; r++)
            ms[u * rounds + r] = (1 + u) * (r < slow ? factor : 1);
    eex_laps_reduce(&t, unit_ms, &(eex_laps){UNITS, rounds, 1, ms});
    return t.disturbed;
}

Test(laps, rounds_that_disagree_are_told)
{
    cr_expect_not(disturbed(11, 0, 3));
    cr_expect_not(disturbed(11, 1, 3), "one round in eleven");
    cr_expect(disturbed(11, 2, 3));
    cr_expect(disturbed(11, 3, 1.3), "a quarter of them by little");
    cr_expect_not(disturbed(11, 3, 1.2));
    cr_expect(disturbed(11, 9, 3), "the lower quartile itself is slow");
    cr_expect_not(disturbed(11, 11, 3), "slow machines agree");
    cr_expect(disturbed(5, 1, 3));
    cr_expect(disturbed(2, 1, 3));
}

/* No round is worse than another where every round has its share. */
Test(laps, laps_that_disagree_in_every_round_are_told)
{
    static const mood loaded = {.noise = 0.02, .share = 0.3, .most = 10};
    eex_rng rng;
    eex_rng_seed(&rng, 1, 0);
    for (int i = 0; i < 100; i++) {
        const eex_lap_times t = measure(MOST_UNITS, 11, 1, &loaded, &rng);
        const eex_lap_times calm = measure(MOST_UNITS, 11, 1, &quiet, &rng);
        const eex_speedup s = eex_speedup_of(&t, &calm), other = eex_speedup_of(&calm, &t);
        cr_expect(t.disturbed && !calm.disturbed && s.disturbed && other.disturbed);
    }
}

/* ---- for people ---- */

Test(laps, speedups_are_written_with_their_interval)
{
    char text[EEX_SPEEDUP_SIZE];
    cr_expect_str_eq(eex_speedup_text(text, &(eex_speedup){2.6, 2.405, 2.8, true}),
                     "2.60x (2.40 to 2.80)");
    cr_expect_str_eq(eex_speedup_text(text, &(eex_speedup){22.84, 0.53, 123.4, true}),
                     "22.8x (0.53 to 123)");
    cr_expect_str_eq(eex_speedup_text(text, &(eex_speedup){2.6, NAN, NAN, false}), "2.60x");
    cr_expect_str_eq(eex_speedup_text(text, &EEX_SPEEDUP_UNKNOWN), "-");
}
