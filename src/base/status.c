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
    if (vsnprintf(text, sizeof text, format, args) < 0)
        snprintf(text, sizeof text, "%s", eex_status_name(code));
    va_end(args);
    eex_text_disarm_printed(text, format); /* messages quote names and headers of files */
    memcpy(message, text, sizeof text);
    return code;
}

int eex_fail_in(int code, const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    const int used = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (used < 0)
        return code;
    eex_text_disarm(text, ""); /* what it is in: a name, also where the format is "%s" */
    const char *const parts[] = {": ", message};
    for (size_t at = strlen(text), i = 0; i < 2; at = strlen(text), i++) {
        const size_t room = sizeof text - 1 - at, size = strnlen(parts[i], room);
        memcpy(text + at, parts[i], size);
        text[at + size] = '\0';
    }
    memcpy(message, text, sizeof text);
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
