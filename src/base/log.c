#include "base/log.h"

#include "base/progress.h"
#include "base/terminal.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_int shown = EEX_LOG_INFO;

void eex_log_set_level(eex_log_level level)
{
    shown = level;
}

eex_log_level eex_log_get_level(void)
{
    return (eex_log_level)shown;
}

typedef struct style {
    const char *label, *colour;
} style;

static void print(eex_log_level level, const char *format, va_list args)
{
    static const style styles[] = {
        [EEX_LOG_ERROR] = {"error: ", "\033[1;31m"},
        [EEX_LOG_WARN] = {"warning: ", "\033[1;33m"},
        [EEX_LOG_INFO] = {"", ""},
        [EEX_LOG_DEBUG] = {"debug: ", "\033[2m"},
    };
    if ((int)level > shown)
        return;
    char text[4096];
    const style *s = &styles[level];
    const bool colour = *s->colour && eex__terminal_colour(STDERR_FILENO);
    if (!eex_text_print(text, sizeof text, format, args))
        return;
    eex_text_disarm_printed(text, format); /* messages quote names and headers of files */
    eex__progress_hide();
    fprintf(stderr, "%s%s%s%s\n", colour ? s->colour : "", s->label, colour ? "\033[0m" : "", text);
    fflush(stderr);
    eex__progress_show();
}

#define LOG_FUNCTION(name, level)                \
    void eex_log_##name(const char *format, ...) \
    {                                            \
        va_list args;                            \
        va_start(args, format);                  \
        print(level, format, args);              \
        va_end(args);                            \
    }

LOG_FUNCTION(error, EEX_LOG_ERROR)
LOG_FUNCTION(warn, EEX_LOG_WARN)
LOG_FUNCTION(info, EEX_LOG_INFO)
LOG_FUNCTION(debug, EEX_LOG_DEBUG)
