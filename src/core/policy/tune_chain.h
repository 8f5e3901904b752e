/* The inner loops of the tuner: one chain of exits, its samples' levels, and moves of thresholds.
 *
 * Outcomes are bytes: 2 * the exit where a sample leaves + whether it is right there. */
#ifndef EEX_CORE_POLICY_TUNE_CHAIN_H
#define EEX_CORE_POLICY_TUNE_CHAIN_H

#include "device/decide.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct eex__chain {
    int samples, stride, levels;        /* stride: samples rounded up, as in eex__levels */
    bool rejects;                       /* some samples are rejected */
    int least;                          /* an exit accepts at least so many samples, or none */
    int count;                          /* exits */
    const uint8_t *cell[EEX_MAX_EXITS]; /* (count)(stride) of eex__levels */
    const double *cost;                 /* (count) */
    uint8_t *now;                       /* (stride) outcomes with the thresholds as they are */
    uint8_t *next;    /* (stride) outcomes of samples that reach the exit at work */
    uint32_t *counts; /* (2 * levels + 3, 2 * EEX_MAX_EXITS) scratch, zero between calls */
    bool stops;       /* an interrupt cuts all short; what comes of it is for nobody */
} eex__chain;

/* A level for each exit but the last, and what comes of it. */
typedef struct eex__thresholds {
    uint8_t t[EEX_MAX_EXITS];
    int right;   /* samples */
    double cost; /* of all samples together */
} eex__thresholds;

typedef enum eex__aim_kind {
    EEX__AIM_PRICE, /* largest right - price * cost */
    EEX__AIM_RIGHT, /* cheapest with at least `right` */
    EEX__AIM_COST   /* most right with at most `cost` */
} eex__aim_kind;

typedef struct eex__aim {
    eex__aim_kind kind;
    double price;
    int right;
    double cost;
} eex__aim;

bool eex__aim_met(const eex__aim *aim, const eex__thresholds *at);
bool eex__aim_better(const eex__aim *aim, const eex__thresholds *a, const eex__thresholds *b);

/* Fills `now` and the thresholds' right and cost, as they stand. */
void eex__chain_measure(eex__chain *c, eex__thresholds *at);

/* The same after closing the exits that accept too few. */
void eex__chain_judge(eex__chain *c, eex__thresholds *at);

/* Gives each exit, from the last but one to the first, the threshold that is best for the aim with
 * the others as they stand, then judges. Says whether any moved. `at` must have been judged last.
 */
bool eex__chain_sweep(eex__chain *c, eex__thresholds *at, const eex__aim *aim);

#endif
