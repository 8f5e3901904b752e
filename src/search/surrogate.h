/* Surrogates: models that are fitted to scored genomes and predict the score of others in
 * microseconds. One interface for all kinds; switch.h chooses among them.
 *
 * A value is minimised or maximised as the caller likes; a fit is the same up to rounding when
 * values are shifted or scaled. */
#ifndef EEX_SEARCH_SURROGATE_H
#define EEX_SEARCH_SURROGATE_H

#include "search/coding.h"

#include "base/names.h"

typedef enum eex_surrogate_kind {
    /* Radial basis functions: cubic, with a linear tail (as SciPy's RBFInterpolator, cubic, degree
     * 1). It passes through every value. */
    EEX_SURROGATE_RBF,
    /* A Gaussian process: squared exponential kernel with one length, and noise; both maximise the
     * marginal likelihood (Rasmussen and Williams 2006, chapters 2 and 5). */
    EEX_SURROGATE_GP,
    /* An ensemble of 200 regression trees, extremely randomised (Geurts, Ernst and Wehenkel 2006):
     * each split is the best of one drawn in each of a third of the columns, drawn too. */
    EEX_SURROGATE_CART,
    /* A perceptron with three hidden layers of 300, ReLU, dropout 0.2; 2,000 steps of Adam with
     * all values at once, rate 0.0008 with cosine decay, smooth L1 loss (Lu et al. 2020,
     * "NSGANetV2"). Seconds a fit: not in the default choice of switch.h. */
    EEX_SURROGATE_MLP,
    /* Linear regression with a ridge of 1, the constant left free. */
    EEX_SURROGATE_RIDGE,
    EEX_SURROGATES
} eex_surrogate_kind;

const eex_names *eex_surrogate_kind_names(void); /* "rbf", "gp", "cart", "mlp", "ridge" */
const char *eex_surrogate_kind_name(eex_surrogate_kind kind);

typedef struct eex_surrogate eex_surrogate;

typedef struct eex_samples {
    const int *genomes; /* (n, genes) of the coding */
    const double *values;
    size_t n;
} eex_samples;

/* Fits one to different genomes; copies what it needs. The seed is for what is drawn at random.
 * Where `like` is not NULL, a surrogate of the same kind and coding, its hyperparameters are taken
 * over instead of looked for again. EEX_EINVAL for no samples or a value that is not finite;
 * EEX_ENOMEM. */
int eex_surrogate_fit(eex_surrogate **out, eex_surrogate_kind kind, const eex_coding *coding,
                      const eex_samples *samples, uint64_t seed, const eex_surrogate *like);
void eex_surrogate_free(eex_surrogate *s); /* accepts NULL */

/* Predicts the values of n genomes. May be called by several threads. EEX_ENOMEM. */
int eex_surrogate_predict(double *values, const eex_surrogate *s, const int *genomes, size_t n);

#endif
