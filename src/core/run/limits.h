/* Limits of a search: what a candidate keeps within, or it is nobody's choice and on no front. */
#ifndef EEX_CORE_RUN_LIMITS_H
#define EEX_CORE_RUN_LIMITS_H

#include "core/run/experiment.h"
#include "core/run/structure.h"
#include "core/run/trials.h"

bool eex_limits_any(const eex_limits *limits);

/* By what fraction of the limit a candidate with these figures oversteps the one that it oversteps
 * most; -1 or more and 0 or less where it keeps all, 0 where there are none, NaN where a figure
 * that is limited is not known. */
double eex_limits_violation(const eex_limits *limits, const eex_trial *trial, double params);

/* The least of each that a structure can have, whatever leaves where, which is known without any
 * training; latency is NaN where no times are. Lowers what is in *least, which is NaN at first. It
 * is looked for from the genome of all first options on by changes of one gene, so it is the least
 * where options stand in the order of what they cost. */
int eex_limits_least(eex_limits *least, const eex_structures *s);

/* EEX_EINVAL where no structure can keep a limit: names the least that would do. What is NaN is
 * not known yet; EEX_EUNSUPPORTED where that is the number of parameters. */
int eex_limits_check(const eex_limits *limits, const eex_limits *least);

/* The same of an experiment before it is run: from the points that it may have, latencies aside. */
int eex_limits_check_early(const eex_experiment *e);

/* Fails with EEX_ENOTFOUND: says of trials that all violate limits, or failed, which is the nearest
 * to keeping them, and what would do. False, and *code is untouched, where all failed. */
bool eex_limits_tell_nearest(int *code, const eex_limits *limits, const eex_trials *trials,
                             const eex_structures *s);

#endif
