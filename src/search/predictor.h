/* Predictors: the surrogate that ranks best of several, chosen anew for each set of samples
 * ("adaptive switching", Lu et al. 2020, "NSGANetV2").
 *
 * Before anything is fitted, values are bent: z = log(value - least + c (median - least)), with the
 * c of a few that leaves them least skewed. Errors of networks have a long tail of bad ones, which
 * would otherwise take all of a model's attention. Predictions are bent back. */
#ifndef EEX_SEARCH_PREDICTOR_H
#define EEX_SEARCH_PREDICTOR_H

#include "search/surrogate.h"

typedef struct eex_predictor eex_predictor;

/* Kinds that may be chosen from, as bits 1 << kind; 0: all but the mlp, whose fits take seconds. */
typedef unsigned eex_surrogate_set;

/* How good a kind is: Kendall's tau of predicted and true order, over the parts of a 10-fold
 * cross-validation (fewer where there are fewer than 30 samples). */
typedef struct eex_predictor_choice {
    eex_surrogate_kind kind;
    eex_coding_kind coding;
    double tau, deviation; /* mean and deviation over the parts; NaN with fewer than 6 samples */
} eex_predictor_choice;

/* Fits what has the largest tau - deviation to different genomes. The same samples and seed give
 * the same predictor. EEX_EINVAL as eex_surrogate_fit, EEX_ENOMEM. */
int eex_predictor_fit(eex_predictor **out, const eex_space *space, const eex_samples *samples,
                      eex_surrogate_set kinds, uint64_t seed);
void eex_predictor_free(eex_predictor *p); /* accepts NULL */

/* What was chosen. */
const eex_predictor_choice *eex_predictor_chosen(const eex_predictor *p);

/* Predicts the values of n genomes. EEX_ENOMEM. */
int eex_predictor_predict(double *values, const eex_predictor *p, const int *genomes, size_t n);

#endif
