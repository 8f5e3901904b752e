/* What `eex tune` prints: policies side by side, or the front of what can be reached. */
#ifndef EEX_CLI_PRINT_TUNE_H
#define EEX_CLI_PRINT_TUNE_H

#include "core/policy/appraise.h"
#include "core/use/refit.h"

/* One split: the network run to its end, the policy as it was, and the new one. */
typedef struct eex_tune_split {
    const char *name; /* "calibration", "validation" */
    bool known;       /* the model keeps a trace of it */
    eex_appraisal end, before, after;
    eex_loss_report loss; /* of the new one, where a risk was asked for */
} eex_tune_split;

typedef struct eex_tune_report {
    const eex_model *model;
    const eex_model_costs *costs;
    const eex_policy *policy; /* the new one; NULL: nothing was asked for, only `before` counts */
    const eex_wish *wish;
    const eex_refit *facts;
    const char *target; /* in words; "" when there is none */
    const char *file;   /* that the policy was written to, or NULL */
    double seconds;     /* of fitting and intervals */
    eex_tune_split split[2];
} eex_tune_report;

int eex_print_tune(const eex_tune_report *report, bool json);

/* One point of the front. */
typedef struct eex_tune_point {
    double calibration, validation; /* accuracy; validation NAN when there is no trace of it */
    double agreement;               /* on validation */
    double macs, ms;                /* on validation, else on calibration; ms NAN when not known */
    double rejected;
} eex_tune_point;

int eex_print_sweep(const eex_tune_point *points, int count, const eex_model *model,
                    const eex_model_costs *costs, const eex_policy *policy, bool json);

#endif
