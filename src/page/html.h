/* Pieces of HTML. What comes from files is text, never markup. */
#ifndef EEX_PAGE_HTML_H
#define EEX_PAGE_HTML_H

#include "base/buffer.h"

#include <stdint.h>

/* Appends text so that it reads as it is, in an element as in an attribute; bytes that are not
 * UTF-8, and control characters but for newline and tab, become U+FFFD. NULL: nothing. */
void eex_html_text(eex_buffer *out, const char *text);

/* "<tag class>text</tag>", printf-style. `tag` may have attributes: "td class=\"n\"". */
void eex_html_element(eex_buffer *out, const char *tag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Cells of a row: of text; of figures: "86.40 %" of a fraction, fixed digits, "2.50 M"; NaN is an
 * en dash. */
void eex_html_cell(eex_buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void eex_html_percent(eex_buffer *out, int digits, double fraction);
void eex_html_fixed(eex_buffer *out, int digits, double value);
void eex_html_amount(eex_buffer *out, double value);

/* A table that scrolls sideways where it has no room. titles: NULL at the end; those that begin
 * with '#' are of figures, without that character. */
void eex_html_table_begin(eex_buffer *out, const char *const *titles);
void eex_html_table_end(eex_buffer *out);

/* Bytes as base64. */
void eex_html_base64(eex_buffer *out, const uint8_t *data, size_t size);

#endif
