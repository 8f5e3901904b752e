/* Thresholds with a guarantee: how far a policy may go so that leaving early loses no more than
 * epsilon against the same network run to its end.
 *
 * The calibration samples are dealt (seeded) into two halves. On the first everything is fitted:
 * temperatures, means, deviations, lower thresholds, and a path of settings from "all run to the
 * end" to the fastest. On the second, images of its own, it is decided how far along the path one
 * may go; nothing else is chosen there. Of the settings that are certified the cheapest is taken.
 *
 * Over all samples, the path has one scalar, lambda. The first half gives a direction: thresholds a
 * of all exits, tuned together. For policies of one threshold an exit, lambda scales how unsure a
 * sample may be (1 - a of confidence and margin, -a of entropy); for per-class thresholds it is
 * subtracted from every a, in deviations, so that all classes of all exits move by one shift.
 *
 * At each exit, the loss of those who leave there is to be at most epsilon, for each exit that
 * anybody may leave at: a guarantee on average can be poor for those who leave first (Ringel,
 * Cohen, Freedman, Elad and Romano 2024, "Early time classification with accumulated accuracy gap
 * control"). The path then opens one exit after the other: each takes the lowest threshold at which
 * the samples that survive the exits before it say, with a margin that shrinks along the path, that
 * those who leave there lose no more.
 *
 * EEX_RISK_LTT, learn then test (Angelopoulos, Bates, Candes, Jordan and Lei 2021): with
 * probability at least 1 - delta over the draw of the calibration samples the mean loss is at most
 * epsilon. Settings are tested in the order of the path, each at delta, up to the first that fails:
 * as the order was fixed without the second half, testing many costs nothing. p-values are exact
 * (binomial.h) for losses of 0 and 1, Hoeffding's and Bentkus' (bounded.h) for others. At each exit
 * a setting passes when every exit that it opens does, on those who leave there; as all of them are
 * claimed together or not at all, delta need not be shared among them (an intersection-union test,
 * Berger 1982).
 *
 * EEX_RISK_CRC, conformal risk control (Angelopoulos, Bates, Fisch, Lei and Schuster 2022): the
 * mean loss is at most epsilon on average over the draw of the calibration samples, which asks for
 * less and so lets more leave: (sum of losses + B) / (n + 1) <= epsilon for losses up to B. It
 * needs losses that grow along the path. A sample's loss need not, so its worst up to there is what
 * counts. Means of those who leave at one exit do not grow, whatever is done: at each exit there is
 * only EEX_RISK_LTT.
 *
 * Jazbec et al. 2024 ("Fast yet safe") have both for early exits and these losses. What neither
 * covers: weights and structure are taken as given, as conformal.h says. */
#ifndef EEX_CORE_POLICY_RISK_H
#define EEX_CORE_POLICY_RISK_H

#include "core/policy/calibrate.h"
#include "core/policy/losses.h"
#include "core/policy/reject.h"

typedef enum eex_risk_method { EEX_RISK_LTT, EEX_RISK_CRC, EEX_RISK_METHODS } eex_risk_method;

/* "ltt", "crc". */
const eex_names *eex_risk_method_names(void);
const char *eex_risk_method_name(eex_risk_method method);

typedef struct eex_risk_options {
    eex_loss loss;
    eex_risk_method method;
    double epsilon; /* within (0, eex_loss_most) */
    double delta;   /* within (0, 1); EEX_RISK_LTT alone */
    bool each_exit;
    double reject;    /* rate of eex_policy_reject; 0: nobody is rejected. Not with each_exit, where
                       * those who are rejected would leave too */
    eex_reject_by by; /* what it compares */
    uint64_t seed;    /* of the halves */
    int steps;        /* of eex_policy_sweep, which gives directions; 0: 10 */
} eex_risk_options;

/* Of the samples that certified, or those of them that leave at one exit. */
typedef struct eex_risk_part {
    int samples;
    double mean;  /* loss; NaN without samples */
    double bound; /* of the risk: at 1 - delta, or, by EEX_RISK_CRC, what was held against epsilon;
                   * NaN where nothing is promised */
} eex_risk_part;

typedef struct eex_risk {
    int fitted, tested;              /* samples of both halves */
    int settings, passed;            /* on the path, the first of which lets nobody leave; how many
                                      * are certified */
    bool open;                       /* false: all run to the end */
    double lambda;                   /* NaN at each exit, and where it is not open. Per class:
                                      * subtracted from every a, 0 is the tuned point; else a
                                      * factor, and 1 is */
    eex_risk_part all;               /* promised without each_exit */
    int exits;                       /* of the policy */
    eex_risk_part at[EEX_MAX_EXITS]; /* promised with it */
} eex_risk;

/* The fewest samples by which anything can be certified: none of them may lose anything. */
double eex_risk_samples(const eex_risk_options *options);

/* *out: the policy, for all exits of the trace. `how` says of which kind (kind, temperature,
 * by_label). The trace is only read.
 *
 * EEX_EINVAL when epsilon is too small for the samples: the message names how many it takes. When
 * nothing can be certified but that all run to the end, that is what the policy does.
 * EEX_ENOTFOUND when not even that can, because the policy rejects. */
int eex_risk_fit(eex_policy **out, eex_risk *facts, const eex_trace *trace, eex_device *device,
                 const eex_calibration *how, const eex_exit_costs *costs,
                 const eex_risk_options *options);

#endif
