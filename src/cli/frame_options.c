#include "cli/frame_options.h"

#include "base/status.h"

int eex_model_frame_shape(eex_frame_shape *out, const eex_model *model, const char *fit)
{
    const eex_names *fits = eex_fit_names();
    const eex_input *in = &model->input;
    *out = (eex_frame_shape){in->height, in->width, in->channels, EEX_FIT_CROP};
    const int found = fit ? eex_name_find(fits, fit) : EEX_FIT_CROP;
    if (found < 0)
        return eex_options_unknown("fit", fit, fits->name, (size_t)fits->count);
    out->fit = (eex_fit)found;
    return EEX_OK;
}
