#include "cli/frame_options.h"

#include "base/status.h"

#include <string.h>

int eex_model_frame_shape(eex_frame_shape *out, const eex_model *model, const char *fit)
{
    static const char *const fits[] = {"crop", "squash"};
    const eex_input *in = &model->input;
    *out = (eex_frame_shape){in->height, in->width, in->channels, EEX_FIT_CROP};
    if (!fit || strcmp(fit, "crop") == 0)
        return EEX_OK;
    out->fit = EEX_FIT_SQUASH;
    return strcmp(fit, "squash") == 0 ? EEX_OK : eex_options_unknown("fit", fit, fits, 2);
}
