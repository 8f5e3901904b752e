/* Inside the tuner: its object, and the steps of a solution. */
#ifndef EEX_CORE_POLICY_TUNE_IMPL_H
#define EEX_CORE_POLICY_TUNE_IMPL_H

#include "core/policy/levels.h"
#include "core/policy/tune.h"
#include "core/policy/tune_chain.h"

/* Ways to choose thresholds that mean the same on any samples: prices of cost, budgets between the
 * cheapest exit and the dearest, and one level for all exits (as many as the chain has). */
enum { EEX__PRICES = 48, EEX__BUDGETS = 96, EEX__WAYS = EEX__PRICES + EEX__BUDGETS };

/* All of them. */
int eex__ways(const eex__chain *chain);

struct eex_tuner {
    eex__levels *levels;
    uint8_t *cell; /* (exits, row) the levels' cells, in another order and twice: see tune.c */
    int row, folds;
    eex__chain chain;
    uint8_t start[EEX_MAX_EXITS]; /* the policy's own a, as levels */
    eex__thresholds *way[3];      /* (ways) of all samples, of those held out, of a fold's others;
                                   * NULL without folds */
};

/* Prices of cost worth trying, in right answers a unit of cost. */
typedef struct eex__prices {
    double lowest, highest;
} eex__prices;

eex__prices eex__prices_of(const eex__chain *chain);

/* Every exit closed: the backbone alone, at the cost of all gates. */
void eex__solve_closed(eex__chain *chain, eex__thresholds *out);

/* Best thresholds for a price. */
void eex__solve_price(eex__chain *chain, eex__thresholds *out, double price, eex_effort effort);

/* Best thresholds for any aim; `start` is another point to begin at. */
void eex__solve(eex__chain *chain, eex__thresholds *out, const eex__thresholds *start,
                const eex__aim *aim, eex_effort effort);

/* Best thresholds for each way, in the order prices (rising), budgets (rising), levels. */
void eex__solve_ways(eex__chain *chain, eex__thresholds *out);

/* Makes the chain see `samples` samples from number `from` on (which may run across the end). */
void eex__tuner_window(eex_tuner *t, const int *columns, int from, int samples);

/* The thresholds of the way that serves the aim best (see tune.h): on all samples, and what the way
 * is worth to samples held out. */
void eex__tuner_cross_fit(eex_tuner *t, const int *columns, const eex__aim *aim,
                          eex__thresholds *best, eex__thresholds *held);

#endif
