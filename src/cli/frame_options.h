/* How frames are made fit for a model: shared by the commands that read images. */
#ifndef EEX_CLI_FRAME_OPTIONS_H
#define EEX_CLI_FRAME_OPTIONS_H

#include "cli/options.h"
#include "core/frames/frames.h"
#include "core/model/model.h"

/* A row of a command's table of options; `target` is a const char *, NULL at first. */
#define EEX_FIT_OPTION(target)                                                                \
    {                                                                                         \
        .name = "fit", .value = "HOW",                                                        \
        .help = "to the network's size: crop (default, centred) or squash", .text = &(target) \
    }

/* What the model reads; fit: "crop", "squash" or NULL. */
int eex_model_frame_shape(eex_frame_shape *out, const eex_model *model, const char *fit);

#endif
