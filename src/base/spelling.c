#include "base/spelling.h"

#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Steps over a character. False: over a byte that is none. */
static bool next(uint32_t *code, const char **text)
{
    const char *from = *text;
    *code = eex__utf8_next(text);
    return *code != 0xfffd || *text - from > 1;
}

bool eex_spelling_is_utf8(const char *text)
{
    uint32_t code;
    while (*text)
        if (!next(&code, &text))
            return false;
    return true;
}

/* Of any width, none at all too. */
static bool is_blank(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xa0 || c == 0xad ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f) ||
           (c >= 0x205f && c <= 0x2064) || c == 0x3000 || c == 0xfeff;
}

/* ---- escaped ---- */

static void escape_byte(eex_buffer *out, unsigned char byte)
{
    static const char letters[] = "\a\b\t\n\v\f\r";
    const char *letter = byte ? strchr(letters, byte) : NULL;
    if (letter)
        eex_buffer_printf(out, "\\%c", "abtnvfr"[letter - letters]);
    else
        eex_buffer_printf(out, "\\x%02x", byte);
}

void eex_spelling_escape(eex_buffer *out, const char *text)
{
    while (*text) {
        uint32_t c;
        const char *from = text;
        if (!next(&c, &text) || c < ' ' || c == 0x7f)
            escape_byte(out, (unsigned char)*from);
        else if ((c >= 0x80 && c < 0xa0) || (c != ' ' && is_blank(c)))
            eex_buffer_printf(out, "\\u%04x", (unsigned)c);
        else if (c == '"' || c == '\\')
            eex_buffer_printf(out, "\\%c", (int)c);
        else
            eex_buffer_append(out, from, (size_t)(text - from));
    }
}

/* ---- the core ---- */

/* Capitals of which every second one is a letter's small one. */
static bool is_paired(uint32_t c, bool *even)
{
    *even = !((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e));
    return (c >= 0x100 && c <= 0x177 && c != 0x130 && c != 0x131 && c != 0x138 && c != 0x149) ||
           (c >= 0x179 && c <= 0x17e) || (c >= 0x460 && c <= 0x481) || (c >= 0x48a && c <= 0x4bf) ||
           (c >= 0x4d0 && c <= 0x52f) || (c >= 0x1e00 && c <= 0x1e95) ||
           (c >= 0x1ea0 && c <= 0x1eff);
}

static uint32_t small(uint32_t c)
{
    bool even;
    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
        (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
        return c + 0x20;
    if (c >= 0x400 && c <= 0x40f)
        return c + 0x50;
    if (is_paired(c, &even) && (c % 2 == 0) == even)
        return c + 1;
    return c == 0x178 ? 0xff : c;
}

void eex_spelling_core(eex_buffer *out, const char *text)
{
    char bytes[4];
    while (*text) {
        uint32_t c;
        const char *from = text;
        if (!next(&c, &text))
            eex_buffer_putc(out, *from);
        else if (!is_blank(c))
            eex_buffer_append(out, bytes, eex__utf8_encode(bytes, small(c)));
    }
}
