/* What every command that runs a model has in common: its options, and opening it. */
#ifndef EEX_CLI_OPEN_MODEL_H
#define EEX_CLI_OPEN_MODEL_H

#include "cli/options.h"
#include "core/model/model.h"

#include <math.h>

typedef struct eex_model_options {
    const char *device, *policy, *precision; /* NULL: the model's own */
    int64_t threads;
    double threshold; /* NAN: as the policy has it */
} eex_model_options;

#define EEX_MODEL_OPTIONS_INIT                                          \
    {                                                                   \
        .device = "cpu", .policy = NULL, .threads = 0, .threshold = NAN \
    }

/* Rows of a command's table of options: EEX_MODEL_OPTIONS(o), with `o` the struct above. */
#define EEX_MODEL_OPTIONS(o)                                                                   \
    {.name = "device", .value = "NAME", .help = "what it runs on (cpu)", .text = &(o).device}, \
        {.name = "threads",                                                                    \
         .value = "N",                                                                         \
         .help = "threads on the CPU (all there are)",                                         \
         .number = &(o).threads,                                                               \
         .min = 1,                                                                             \
         .max = 1024},                                                                         \
        {.name = "policy",                                                                     \
         .value = "NAME|FILE",                                                                 \
         .help = "when samples leave: a file of `eex tune`, none, per_class, margin, ...",     \
         .text = &(o).policy},                                                                 \
        {.name = "precision",                                                                  \
         .value = "NAME",                                                                      \
         .help = "float32, tf32 or bfloat16-products (what it was calibrated in)",             \
         .text = &(o).precision},                                                              \
    {                                                                                          \
        .name = "threshold", .value = "X", .help = "one threshold for all exits",              \
        .real = &(o).threshold, .low = -1e6, .high = 1e6                                       \
    }

/* How --policy and --threshold are meant, for a command's details. */
#define EEX_POLICY_DETAILS                                                                    \
    "A model has a policy: thresholds that say when a sample may leave at an exit. --policy " \
    "takes\n"                                                                                 \
    "another one from a file that `eex tune` wrote; --policy none sends every sample to the " \
    "end.\n"                                                                                  \
    "--policy confidence, margin, entropy or per_class with --threshold X puts the same "     \
    "threshold\n"                                                                             \
    "on all exits: a probability, a probability, at most X nats, or X deviations above the "  \
    "mean."

/* A device and a model on it. */
typedef struct eex_opened {
    eex_device *device;
    eex_model *model;
} eex_opened;

/* Opens RUN or MODEL with the options' device, policy and precision. The caller closes it, also on
 * failure. */
int eex_open_model(eex_opened *out, const char *path, eex_model_part part,
                   const eex_model_options *options);
void eex_opened_close(eex_opened *opened); /* accepts {0}; leaves {0} */

/* Applies --policy and --threshold to a model. */
int eex_apply_policy(eex_model *model, const eex_model_options *options);

/* What --precision says; *out stays as it is where it is not given. EEX_EINVAL lists the names. */
int eex_parse_precision(eex_precision *out, const eex_model_options *options);

/* Applies --precision to a model on a device: warns where its thresholds are made from scores of
 * another, and fails with what can be done where the device does not have it. */
int eex_apply_precision(eex_model *model, const eex_model_options *options);

#endif
