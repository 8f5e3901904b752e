/* Accuracy against what is computed on the device, over confidence thresholds: Fig. 7 to 9 of the
 * paper on early exit prediction, by replay. */
#ifndef EEX_CORE_MODEL_PREDICTOR_CURVE_H
#define EEX_CORE_MODEL_PREDICTOR_CURVE_H

#include "core/model/predictor.h"

enum { EEX_CURVE_POINTS = 10 };

/* On the model's validation images. */
typedef struct eex_curve {
    int samples;
    int exits;
    bool predicted;                     /* there is a predictor */
    bool flattered;                     /* its gammas are from the images that are shown */
    double threshold[EEX_CURVE_POINTS]; /* of all gates, on the top-1 probability */
    eex_skip_outcome without[EEX_CURVE_POINTS];
    eex_skip_outcome with[EEX_CURVE_POINTS]; /* gammas chosen for that threshold, on images that the
                                              * predictor has not learnt from */
} eex_curve;

/* One threshold for all gates at a time, whatever the model's policy is. predictor NULL: there is
 * none; it is asked as it is, although it learnt with the thresholds of the policy. more: as
 * eex_skip_choose. EEX_EINVAL: no gates, or no device; EEX_ENOTFOUND: no traces. */
int eex_curve_find(eex_curve *out, const eex_model *model, const eex_exit_predictor *predictor,
                   double more);

#endif
