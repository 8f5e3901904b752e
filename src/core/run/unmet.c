#include "core/run/unmet.h"

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const attribute[EEX_WISHES] = {
    [EEX_WISH_MIN_ACCURACY] = "unmet_min_accuracy",
    [EEX_WISH_TARGET] = "unmet_target",
    [EEX_WISH_REJECTION] = "unmet_rejection",
    [EEX_WISH_LATENCY] = "unmet_latency",
};

void eex_unmet_say(eex_unmet *unmet, eex_wish wish, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(unmet->text[wish], sizeof unmet->text[wish], format, args);
    va_end(args);
    eex_log_warn("%s", unmet->text[wish]);
}

int eex_unmet_save(const eex_unmet *unmet, eex_store_file *file)
{
    for (int i = 0; i < EEX_WISHES; i++)
        if (*unmet->text[i])
            EEX_TRY(eex_store_set_string(file, "", attribute[i], unmet->text[i]));
    return EEX_OK;
}

static int load(char out[EEX_PHASE_REASON], eex_store_file *file, const char *name)
{
    char *text = NULL;
    const int there = eex_store_has_attribute(file, "", name);
    if (there <= 0)
        return there;
    EEX_TRY(eex_store_get_string(&text, file, "", name));
    eex_text_clip(out, EEX_PHASE_REASON, text);
    free(text);
    return EEX_OK;
}

int eex_unmet_load(eex_unmet *unmet, eex_store_file *file)
{
    for (int i = 0; i < EEX_WISHES; i++)
        EEX_TRY(load(unmet->text[i], file, attribute[i]));
    return EEX_OK;
}
