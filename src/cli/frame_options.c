#include "cli/frame_options.h"

#include "base/status.h"

int eex_parse_fit(eex_fit *out, const char *fit)
{
    static const char *const fits[] = {[EEX_FIT_CROP] = "crop", [EEX_FIT_SQUASH] = "squash"};
    int which = EEX_FIT_CROP;
    if (fit)
        EEX_TRY(eex_options_choice(&which, "fit", fit, fits, sizeof fits / sizeof *fits));
    *out = (eex_fit)which;
    return EEX_OK;
}

int eex_model_frame_shape(eex_frame_shape *out, const eex_model *model, const char *fit)
{
    const eex_input *in = &model->input;
    *out = (eex_frame_shape){in->height, in->width, in->channels, EEX_FIT_CROP};
    return eex_parse_fit(&out->fit, fit);
}
