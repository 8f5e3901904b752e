#include "search/variation.h"

#include <math.h>

static double place_of(int option, int options)
{
    return (option + 0.5) / options;
}

static int option_at(double place, int options)
{
    const int option = (int)floor(place * options);
    return option < 0 ? 0 : option < options ? option : options - 1;
}

/* Two different cuts of the genes as a ring, so that each parent gives something; what is exchanged
 * is what lies between them or all else. */
void eex_cross_two_points(int *a, int *b, const eex_space *space, eex_rng *rng)
{
    const uint64_t places = (uint64_t)space->genes;
    int from = (int)eex_rng_below(rng, places), to = (int)eex_rng_below(rng, places - 1);
    to += to >= from;
    if (from > to) {
        const int first = to;
        to = from;
        from = first;
    }
    const bool between = eex_rng_below(rng, 2) == 0;
    for (int i = 0; i < space->genes && places > 1; i++) {
        const int gene = a[i];
        if ((i >= from && i < to) != between)
            continue;
        a[i] = b[i];
        b[i] = gene;
    }
}

/* How far the children of two places lie apart, over how far the parents do; `bound` is that of
 * the farthest that may be. */
static double spread(double bound, double u, double eta)
{
    const double alpha = 2.0 - pow(bound, -(eta + 1.0));
    return u <= 1.0 / alpha ? pow(u * alpha, 1.0 / (eta + 1.0))
                            : pow(1.0 / (2.0 - u * alpha), 1.0 / (eta + 1.0));
}

static void cross_gene(int *a, int *b, int options, double eta, eex_rng *rng)
{
    const double x = place_of(*a, options), y = place_of(*b, options);
    const double low = fmin(x, y), high = fmax(x, y), apart = high - low;
    const double u = eex_rng_uniform(rng);
    const bool exchanged = eex_rng_below(rng, 2) == 0;
    const double below = spread(1.0 + 2.0 * low / apart, u, eta);
    const double above = spread(1.0 + 2.0 * (1.0 - high) / apart, u, eta);
    const int left = option_at(0.5 * (low + high - below * apart), options);
    const int right = option_at(0.5 * (low + high + above * apart), options);
    *a = exchanged ? right : left;
    *b = exchanged ? left : right;
}

void eex_cross_binary(int *a, int *b, const eex_space *space, double eta, eex_rng *rng)
{
    for (int i = 0; i < space->genes; i++)
        if (eex_rng_below(rng, 2) == 0 && a[i] != b[i])
            cross_gene(&a[i], &b[i], space->options[i], eta, rng);
}

/* Where a mutation moves a place: the step is drawn from a polynomial that ends at the bounds. */
static double moved(double place, double u, double eta)
{
    const double power = eta + 1.0;
    if (u < 0.5)
        return place - 1.0 + pow(2.0 * u + (1.0 - 2.0 * u) * pow(1.0 - place, power), 1.0 / power);
    return place + 1.0 - pow(2.0 * (1.0 - u) + (2.0 * u - 1.0) * pow(place, power), 1.0 / power);
}

void eex_mutate_polynomial(int *genome, const eex_space *space, double rate, double eta,
                           eex_rng *rng)
{
    for (int i = 0; i < space->genes; i++) {
        const int options = space->options[i];
        if (options < 2 || eex_rng_uniform(rng) >= rate)
            continue;
        const double place = place_of(genome[i], options);
        genome[i] = option_at(moved(place, eex_rng_uniform(rng), eta), options);
    }
}

double eex_mutation_rate(const eex_space *space)
{
    int choosable = 0;
    for (int i = 0; i < space->genes; i++)
        choosable += space->options[i] > 1;
    return choosable > 0 ? 1.0 / choosable : 0.0;
}
