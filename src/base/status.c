#include "base/status.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_SIZE = 2048 };

static _Thread_local char message[MESSAGE_SIZE];

int eex_fail(int code, const char *format, ...)
{
    char text[MESSAGE_SIZE]; /* aside, because the arguments may contain the old message */
    va_list args;
    va_start(args, format);
    if (!eex_text_print(text, sizeof text, format, args))
        snprintf(text, sizeof text, "%s", eex_status_name(code));
    va_end(args);
    eex_text_disarm_printed(text, format); /* messages quote names and headers of files */
    memcpy(message, text, sizeof text);
    return code;
}

int eex_fail_in(int code, const char *format, ...)
{
    char text[2 * MESSAGE_SIZE + 2];
    va_list args;
    va_start(args, format);
    const bool printed = eex_text_print(text, MESSAGE_SIZE, format, args);
    va_end(args);
    if (!printed)
        return code;
    eex_text_disarm(text, ""); /* what it is in: a name, also where the format is "%s" */
    const size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, ": %s", message);
    eex_text_shorten(message, sizeof message, text, strlen(text));
    return code;
}

const char *eex_error(void)
{
    return message;
}

const char *eex_status_name(int code)
{
    static const char *const names[] = {
        [-EEX_OK] = "success",
        [-EEX_EINVAL] = "invalid argument",
        [-EEX_ENOMEM] = "out of memory",
        [-EEX_EIO] = "input/output error",
        [-EEX_EFORMAT] = "malformed data",
        [-EEX_ENOTFOUND] = "not found",
        [-EEX_EUNSUPPORTED] = "unsupported",
        [-EEX_EDEVICE] = "device failure",
        [-EEX_EDIVERGED] = "training diverged",
        [-EEX_EINTERRUPTED] = "interrupted",
        [-EEX_EBUSY] = "busy",
        [-EEX_EVERSION] = "newer format version",
        [-EEX_ESCRIPT] = "script error",
    };
    const int count = (int)(sizeof names / sizeof names[0]);
    _Static_assert(sizeof names / sizeof names[0] == 1 - EEX_ESCRIPT, "a name a code");
    if (code > 0 || code <= -count)
        return "unknown status";
    return names[-code];
}
