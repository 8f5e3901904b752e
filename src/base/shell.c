#include "base/shell.h"

#include "base/status.h"

#include <stdbool.h>
#include <string.h>

#define PLAIN                                                        \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" \
    "_-./=+:,@%"

static bool is_plain(const char *text)
{
    return *text && text[strspn(text, PLAIN)] == '\0';
}

void eex_shell_quote(eex_buffer *out, const char *text)
{
    eex_buffer_putc(out, '\'');
    for (; *text; text++)
        if (*text == '\'')
            eex_buffer_puts(out, "'\\''");
        else
            eex_buffer_putc(out, *text);
    eex_buffer_putc(out, '\'');
}

void eex_shell_word(eex_buffer *out, const char *text)
{
    if (is_plain(text))
        eex_buffer_puts(out, text);
    else
        eex_shell_quote(out, text);
}

const char *eex_shell_text(char word[EEX_SHELL_WORD], const char *text)
{
    if (is_plain(text))
        return text;
    eex_buffer out = EEX_BUFFER_INIT;
    eex_shell_quote(&out, text);
    const bool fits = eex_buffer_status(&out) == EEX_OK && out.size < EEX_SHELL_WORD;
    if (fits)
        memcpy(word, eex_buffer_text(&out), out.size + 1);
    eex_buffer_free(&out);
    return fits ? word : text;
}
