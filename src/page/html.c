#include "page/html.h"

#include "base/text.h"
#include "base/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void eex_html_text(eex_buffer *out, const char *text)
{
    while (text && *text) {
        const char *const from = text;
        const uint32_t c = eex__utf8_next(&text);
        const bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0);
        if (c == 0xfffd || control || eex__utf8_is_unseen(c))
            eex_buffer_puts(out, "\xef\xbf\xbd");
        else if (c < 0x80 && strchr("&<>\"'", (int)c))
            eex_buffer_printf(out, "&#%u;", (unsigned)c);
        else
            eex_buffer_append(out, from, (size_t)(text - from));
    }
}

static void put_args(eex_buffer *out, const char *format, va_list args)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_buffer_vprintf(&text, format, args);
    eex_html_text(out, eex_buffer_text(&text));
    out->failed |= eex_buffer_status(&text) < 0;
    eex_buffer_free(&text);
}

void eex_html_element(eex_buffer *out, const char *tag, const char *format, ...)
{
    va_list args;
    eex_buffer_printf(out, "<%s>", tag);
    va_start(args, format);
    put_args(out, format, args);
    va_end(args);
    eex_buffer_printf(out, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

void eex_html_cell(eex_buffer *out, const char *format, ...)
{
    va_list args;
    eex_buffer_puts(out, "<td>");
    va_start(args, format);
    put_args(out, format, args);
    va_end(args);
    eex_buffer_puts(out, "</td>");
}

static void figure(eex_buffer *out, const char *text)
{
    eex_buffer_printf(out, "<td class=\"n\">%s</td>", text);
}

void eex_html_fixed(eex_buffer *out, int digits, double value)
{
    char text[EEX_TEXT_SIZE];
    snprintf(text, sizeof text, "%.*f", digits, value);
    figure(out, isnan(value) ? "–" : text);
}

void eex_html_percent(eex_buffer *out, int digits, double fraction)
{
    char text[EEX_TEXT_SIZE];
    snprintf(text, sizeof text, "%.*f %%", digits, 100 * fraction);
    figure(out, isnan(fraction) ? "–" : text);
}

void eex_html_amount(eex_buffer *out, double value)
{
    char text[EEX_TEXT_SIZE];
    figure(out, isnan(value) ? "–" : eex_text_number(text, value, NULL));
}

void eex_html_table_begin(eex_buffer *out, const char *const *titles)
{
    eex_buffer_puts(out, "<div class=\"wide\" tabindex=\"0\"><table><thead><tr>");
    for (; *titles; titles++) {
        const bool of_figures = **titles == '#';
        eex_buffer_puts(out, of_figures ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
        eex_html_text(out, *titles + of_figures);
        eex_buffer_puts(out, "</th>");
    }
    eex_buffer_puts(out, "</tr></thead><tbody>\n");
}

void eex_html_table_end(eex_buffer *out)
{
    eex_buffer_puts(out, "</tbody></table></div>\n");
}

void eex_html_base64(eex_buffer *out, const uint8_t *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const uint32_t bits = (uint32_t)data[i] << 16 |
                              (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                              (left > 2 ? data[i + 2] : 0U);
        const char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                              left > 1 ? digits[bits >> 6 & 63] : '=',
                              left > 2 ? digits[bits & 63] : '='};
        eex_buffer_append(out, four, sizeof four);
    }
}
