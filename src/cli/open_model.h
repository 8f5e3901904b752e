/* What every command that runs a model has in common: its options, and opening it. */
#ifndef EEX_CLI_OPEN_MODEL_H
#define EEX_CLI_OPEN_MODEL_H

#include "cli/device_options.h"
#include "core/model/model.h"

#include <math.h>

typedef struct eex_model_options {
    eex_device_choice device;
    const char *policy, *precision; /* NULL: the model's own */
    double threshold;               /* NAN: as the policy has it */
    bool no_predictor;
} eex_model_options;

#define EEX_MODEL_OPTIONS_INIT                             \
    {                                                      \
        .device = EEX_DEVICE_CHOICE_INIT, .threshold = NAN \
    }

/* Rows of a command's table of options, with `o` the member of that type. */
#define EEX_MODEL_OPTIONS(o)                                                                \
    EEX_DEVICE_OPTIONS(EEX_IN(o, device)),                                                  \
        EEX_TEXT("policy", "NAME|FILE", EEX_IN(o, policy),                                  \
                 "when samples leave: a file of `eex tune`, none, per_class, margin, ..."), \
        EEX_TEXT("precision", "NAME", EEX_IN(o, precision),                                 \
                 "float32, tf32 or bfloat16-products (what it was calibrated in)"),         \
        EEX_REAL("threshold", "X", -1e6, 1e6, EEX_IN(o, threshold), "one threshold for all exits")

/* A row of commands that run a model as it is used. */
#define EEX_NO_PREDICTOR(o) \
    EEX_FLAG("no-predictor", EEX_IN(o, no_predictor), "compute every gate on the way")

/* A row of commands that train. */
#define EEX_TRAINING_PRECISION(member)             \
    EEX_TEXT("training-precision", "NAME", member, \
             "what steps are calculated in: float32 (so unless given), tf32, bfloat16, ...")

/* Rows of commands that compare a network with its base, on images. */
#define EEX_BASE(member) \
    EEX_TEXT("base", "MODEL", member, "what to compare with (the run's own base)")
#define EEX_IMAGES_OF(member) \
    EEX_TEXT("data", "NAME|FILE", member, "data set (what the model was trained on)")

/* How --policy and --threshold are meant, for a command's details. */
#define EEX_POLICY_DETAILS                                                           \
    "A model has a policy: thresholds that say when a sample may leave at an exit. " \
    "--policy takes\n"                                                               \
    "another one from a file that `eex tune` wrote; "                                \
    "--policy none sends every sample to the end.\n"                                 \
    "--policy confidence, margin, entropy or per_class with --threshold X "          \
    "puts the same threshold\n"                                                      \
    "on all exits: a probability, a probability, at most X nats, "                   \
    "or X deviations above the mean."

/* What --training-precision says; NULL: float32. EEX_EINVAL: there is no such precision. */
int eex_parse_training_precision(eex_precision *out, const char *given);

/* A device and a model on it. */
typedef struct eex_opened {
    eex_device *device;
    eex_model *model;
} eex_opened;

/* Opens RUN or MODEL with the options' device, policy and precision. The caller closes it, also on
 * failure. */
int eex_open_model(eex_opened *out, const char *path, eex_model_part part,
                   const eex_model_options *options);
/* The same with the predictor beside the model, where there is one and neither other thresholds nor
 * --no-predictor are asked for; says so. */
int eex_open_used(eex_opened *out, const char *path, const eex_model_options *options);
/* The same with the weights of a part of the network alone (core/engine/part.h). */
int eex_open_part(eex_opened *out, const char *path, const eex_model_options *options,
                  eex_plan_part part);
void eex_opened_close(eex_opened *opened); /* accepts {0}; leaves {0} */

/* The network to compare with, on the same device: `base` (--base), or that of the run in folder
 * `path` where it is NULL; *out is NULL where there is neither. The caller closes it, also on
 * failure. */
int eex_open_base(eex_model **out, const eex_opened *opened, const char *path, const char *base,
                  const eex_model_options *options);

/* Applies --policy and --threshold to a model. */
int eex_apply_policy(eex_model *model, const eex_model_options *options);

/* What --precision says; *out stays as it is where it is not given. EEX_EINVAL lists the names. */
int eex_parse_precision(eex_precision *out, const eex_model_options *options);

/* Applies --precision to a model on a device: warns where its thresholds are made from scores of
 * another, and fails with what can be done where the device does not have it. */
int eex_apply_precision(eex_model *model, const eex_model_options *options);

#endif
