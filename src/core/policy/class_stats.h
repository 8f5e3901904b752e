/* Statistics of a score by class, taken by the device: what per-class thresholds are made of. */
#ifndef EEX_CORE_POLICY_CLASS_STATS_H
#define EEX_CORE_POLICY_CLASS_STATS_H

#include "core/policy/regressor.h"
#include "device/device.h"

/* out[c] over the n samples (host memory) with key c; keys other than 0..classes-1 are left out.
 * key NULL: all samples are of class 0. */
int eex__class_stats(eex_regressor *out, eex_device *device, const float *score, const int32_t *key,
                     int n, int classes);

#endif
