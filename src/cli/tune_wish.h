/* What `eex tune` is asked for, from its options. */
#ifndef EEX_CLI_TUNE_WISH_H
#define EEX_CLI_TUNE_WISH_H

#include "cli/device_options.h"
#include "core/use/refit.h"

/* Options as they were given: NULL, NAN (reject, delta) and 0 (conformal, risk) where they were
 * not. */
typedef struct eex_tune_arguments {
    const char *latency, *macs, *accuracy, *policy, *temperature, *reject_by, *loss, *method, *out;
    double reject, conformal, risk, delta;
    int64_t seed;
    eex_device_choice device; /* that --measure runs on */
    bool each_exit, measure, sweep, json, force;
} eex_tune_arguments;

int eex_tune_wish(eex_wish *out, const eex_tune_arguments *a, const eex_model *model,
                  const eex_model_costs *costs);

/* The same in words: "at most 40% of the base's MACs"; "" for nothing. */
enum { EEX_TUNE_TARGET = 160 };
void eex_tune_describe(char out[EEX_TUNE_TARGET], const eex_tune_arguments *a);

#endif
