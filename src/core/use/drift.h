/* Drift: whether a stream leaves at the exits as the calibration samples did.
 *
 * The stream is cut into windows of equal size that do not overlap. Each is compared with the
 * calibration samples by a G-test (core/use/chi_square.h) of how many left in which way: accepted
 * at each exit, or rejected. Ways of which a window would hold fewer than ten are taken together.
 * That the calibration samples are a sample too is part of the test.
 *
 * Window i (from 1) raises an alarm when p < alpha / (i (i + 1)). These sum up to alpha, so the
 * chance of any false alarm in a stream of any length is at most alpha, whatever the windows have
 * in common. An alarm begins an episode; it is over with a window of p > 0.05, and there is no
 * other alarm until then. */
#ifndef EEX_CORE_USE_DRIFT_H
#define EEX_CORE_USE_DRIFT_H

#include "core/model/model.h"

#include <stdint.h>

enum { EEX_DRIFT_WAYS = EEX_MAX_EXITS + 1, EEX_DRIFT_WINDOW = 500 };
#define EEX_DRIFT_ALPHA 0.01

/* One window, compared. */
typedef struct eex_drift_window {
    uint64_t number; /* from 1 */
    double g, p, level;
    int df;
    int way;                   /* the one that changed most */
    double expected, observed; /* its rates */
} eex_drift_window;

typedef struct eex_drift {
    int ways, groups, size;
    double alpha;
    int group[EEX_DRIFT_WAYS];        /* (ways) */
    double reference[EEX_DRIFT_WAYS]; /* (ways) calibration samples */
    double samples;                   /* their sum */
    uint64_t count[EEX_DRIFT_WAYS];   /* (ways) in the window that is filled now */
    int filled;
    bool drifting;
    uint64_t windows, alarms;
    eex_drift_window last, first_alarm, last_alarm;
} eex_drift;

typedef enum eex_drift_event {
    EEX_DRIFT_NOTHING,
    EEX_DRIFT_BEGINS, /* out->last says what */
    EEX_DRIFT_ENDS
} eex_drift_event;

/* counts: (ways) calibration samples that left in each way. EEX_EINVAL when there is nothing that
 * could be compared: fewer than two groups, or a window below 20. */
int eex_drift_begin(eex_drift *out, const uint64_t *counts, int ways, int window, double alpha);

/* The same with the samples that the model's own calibration trace has, replayed under the policy
 * that it has now: (exits) accepted there, and rejected. EEX_ENOTFOUND when the model keeps no such
 * trace. */
int eex_drift_watch(eex_drift *out, const eex_model *model, int window, double alpha);

/* One frame of the stream. */
eex_drift_event eex_drift_add(eex_drift *d, int way);

#endif
