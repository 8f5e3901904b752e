/* What leaving early loses against the same network run to its end, image by image.
 *
 * A loss is never negative: where an early exit does better than the end it is 0, so its mean is at
 * least what is lost on balance. That leaves nothing to be averaged away, and makes the exact tests
 * sharp. An image that an exit rejects got no answer at all. */
#ifndef EEX_CORE_POLICY_LOSSES_H
#define EEX_CORE_POLICY_LOSSES_H

#include "core/policy/appraise.h"

typedef enum eex_loss {
    EEX_LOSS_ACCURACY,     /* 1: right at the end, and wrong or rejected here; else 0. The mean is
                            * at least the accuracy lost */
    EEX_LOSS_DISAGREEMENT, /* 1: not the class of the end, or rejected. Needs no labels */
    EEX_LOSS_BRIER, /* how much the Brier score sum_c (p_c - [c = label])^2 grows, 0 to 2, with
                     * the probabilities of each exit at its temperature; rejected: as if
                     * sure of a wrong class */
    EEX_LOSSES
} eex_loss;

/* "accuracy", "disagreement", "brier". */
const eex_names *eex_loss_names(void);
const char *eex_loss_name(eex_loss loss);

/* The most that one image can lose: 1, or 2 for the Brier score. */
double eex_loss_most(eex_loss loss);

/* What the mean of a trace's losses is, and at each exit. */
typedef struct eex_loss_report {
    int samples, exits;
    eex_interval mean;               /* over all samples */
    int left[EEX_MAX_EXITS];         /* samples that leave at each exit */
    double exit_mean[EEX_MAX_EXITS]; /* of those; NaN when none does */
} eex_loss_report;

/* Under a policy that a trace was scored for: `left` is where its samples leave. options may be
 * NULL. EEX_EINVAL: departures of another trace. */
int eex_loss_measure(eex_loss_report *out, const eex_trace *trace, const eex_departures *left,
                     eex_loss loss, const eex_bootstrap_options *options);

/* Inside the room: the losses of a trace, for every exit. */
typedef struct eex__losses {
    int samples, exits;
    double *accepted; /* (exits, samples) of a sample that leaves there */
    double *rejected; /* (samples) of one that is rejected, wherever */
} eex__losses;

/* The trace must be scored at the temperatures of its policy. */
int eex__losses_new(eex__losses *out, const eex_trace *trace, eex_loss loss);
void eex__losses_free(eex__losses *losses); /* accepts {0}; leaves {0} */

static inline double eex__loss_of(const eex__losses *l, int i, int exit, eex_decision how)
{
    return how == EEX_REJECT ? l->rejected[i]
                             : l->accepted[(size_t)exit * (size_t)l->samples + (size_t)i];
}

#endif
