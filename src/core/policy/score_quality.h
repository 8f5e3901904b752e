/* How well an exit's score tells what the exit gets wrong. Calibration (calibrate.h) asks whether a
 * score is the right number; leaving early only asks whether it comes in the right order. */
#ifndef EEX_CORE_POLICY_SCORE_QUALITY_H
#define EEX_CORE_POLICY_SCORE_QUALITY_H

#include "core/policy/trace.h"

typedef struct eex_score_quality {
    /* Area under the ROC curve: the probability that an input that the exit gets right has a higher
     * score than one that it gets wrong, half for equal ones. 1: they are told apart, 0.5: by
     * chance. NaN where all are right, or all wrong. */
    double auroc;
    /* Area under the risk-coverage curve (Geifman et al. 2019, section 2): the error among the i
     * surest inputs, averaged over i = 1 .. samples; equal scores in random order. Less is better;
     * a score that is worth nothing has the exit's whole error. */
    double aurc;
} eex_score_quality;

/* Of exit k over all samples of the trace, by the scores at which it was scored. EEX_EINVAL where
 * there is no such exit; EEX_ENOMEM. */
int eex_score_quality_of(eex_score_quality *out, const eex_trace *trace, int exit,
                         eex_measure measure);

#endif
