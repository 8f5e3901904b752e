/* Does a quick judge put candidates into the right order? What training some of them for themselves
 * says about that.
 *
 * A rank correlation alone says little: over candidates that are nearly equal it is noise, and
 * where costs alone would order them as well the judge adds nothing. So beside tau there is an
 * interval, what a perfect judge would reach against truths as noisy as these, what the cost alone
 * reaches, and what the judge's choice loses.
 *
 * A training differs from the next of the same candidate by noise; its deviation is estimated from
 * the candidates that were trained several times. A candidate's truth is the mean of its trainings.
 */
#ifndef EEX_SEARCH_RANKING_H
#define EEX_SEARCH_RANKING_H

#include <stddef.h>
#include <stdint.h>

typedef struct eex_ranking_data {
    size_t count;
    const double *guess;     /* (count) what the judge says: larger is better */
    const double *cost;      /* (count) what the null predictor goes by */
    const double *truth;     /* (sum of trainings) candidate after candidate: larger is better */
    const size_t *trainings; /* (count) at least 1 each */
} eex_ranking_data;

/* A correlation with its 95 % interval: percentiles of 2,000 bootstrap samples of candidates, a
 * candidate never compared with itself. */
typedef struct eex_ranking_tau {
    double tau, low, high;
} eex_ranking_tau;

/* NaN where there is nothing to say it from. */
typedef struct eex_ranking {
    size_t count, repeated; /* candidates; those of them that were trained more than once */
    double spread;          /* of the truths, largest less smallest */
    double noise;           /* deviation of one training, pooled; NaN: none was repeated */
    eex_ranking_tau judge;  /* Kendall's tau-b of guess and truth */
    eex_ranking_tau null;   /* of cost and truth, in whichever direction it is larger */
    double clear;           /* tau over pairs whose truths differ by two deviations or more */
    size_t pairs, clear_pairs;
    double ceiling; /* what a perfect judge would reach on average, the truths being as noisy */
    double regret;  /* truth of the best less truth of the judge's first */
    size_t best, chosen;
} eex_ranking;

/* EEX_EINVAL: fewer than 2 candidates or more than EEX_RANKING_MOST, one without a training, a
 * value that is no number; EEX_ENOMEM. */
enum { EEX_RANKING_MOST = 1000 };
int eex_ranking_of(eex_ranking *out, const eex_ranking_data *data, uint64_t seed);

#endif
