/* A guarantee on what exits cost in accuracy: learn then test (Angelopoulos, Bates, Candes, Jordan
 * and Lei 2021) with the exact binomial test.
 *
 * The risk of a policy is the probability that the network run to its end is right about an input
 * and the network with exits is wrong about it (or rejects it). The accuracy lost by leaving early
 * is never more than this. The guarantee: with probability at least 1 - delta over the draw of the
 * calibration samples, the risk of the policy that is returned is at most epsilon, for inputs drawn
 * like the calibration samples.
 *
 * How: the samples are dealt (seeded) into two halves. On the first one everything is fitted
 * (temperatures, means, deviations, lower thresholds) and a path of settings is laid out from the
 * most careful, where nobody is accepted early, to the fastest. On the second half the settings are
 * tested in this order; the p-value of "the risk is above epsilon" is the probability of so few bad
 * samples under epsilon. The first that fails ends it, the last that passed is taken. As the order
 * was fixed without the second half, testing many costs nothing: an error needs the first setting
 * with too much risk to pass, and that has probability at most delta.
 *
 * What it does not cover: weights and structure are taken as given. Where a search has used the
 * calibration samples to choose between structures, the samples have been seen, if only through
 * thresholds. */
#ifndef EEX_CORE_POLICY_CONFORMAL_H
#define EEX_CORE_POLICY_CONFORMAL_H

#include "core/policy/calibrate.h"
#include "core/policy/reject.h"

typedef struct eex_conformal_options {
    double epsilon, delta; /* within (0, 1) */
    double reject;         /* rate of eex_policy_reject; 0: nobody is rejected */
    eex_reject_by by;      /* what it compares */
    uint64_t seed;         /* of the halves */
    int steps;             /* of eex_policy_sweep, which lays out the path; 0: 20 */
} eex_conformal_options;

typedef struct eex_conformal {
    int fitted, tested; /* samples of both halves */
    int path, passed;   /* settings on the path; how many passed before the first that failed */
    int bad;            /* of the tested samples: right at the end, wrong or rejected here */
    double bound;       /* upper bound of the risk at 1 - delta; at most epsilon */
} eex_conformal;

/* *out: the policy, for all exits of the trace. `how` says of which kind (kind, temperature,
 * by_label). The trace is only read. At least 2 samples.
 *
 * EEX_ENOTFOUND when no setting passes; the message says which epsilon would. */
int eex_conformal_fit(eex_policy **out, eex_conformal *facts, const eex_trace *trace,
                      eex_device *device, const eex_calibration *how, const eex_exit_costs *costs,
                      const eex_conformal_options *options);

/* The test alone: bad[j] of n samples are bad under the j-th setting. Returns how many pass before
 * the first that fails. */
int eex_conformal_test(const int *bad, int settings, int n, double epsilon, double delta);

#endif
