/* How images are made fit for a model: shared by the commands that read images. */
#ifndef EEX_CLI_FRAME_OPTIONS_H
#define EEX_CLI_FRAME_OPTIONS_H

#include "cli/options.h"
#include "core/frames/frames.h"
#include "core/model/model.h"

/* A row of a command's table of options; the member is a const char *, NULL at first. */
#define EEX_FIT(member, help) EEX_TEXT("fit", "HOW", member, help)
#define EEX_FIT_FRAMES(member) \
    EEX_FIT(member, "to the size of the model's images: crop (default, centred) or squash")

/* "crop", "squash" or NULL, which is crop. */
int eex_parse_fit(eex_fit *out, const char *fit);

/* What the model reads, with --fit. */
int eex_model_frame_shape(eex_frame_shape *out, const eex_model *model, const char *fit);

#endif
