#include "base/wrap.h"

#include "base/text.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

/* Columns of the first `bytes` bytes. */
static size_t columns_of(const char *text, size_t bytes)
{
    size_t columns = 0;
    for (const char *at = text; at < text + bytes;)
        columns += (size_t)eex__utf8_columns(eex__utf8_next(&at));
    return columns;
}

static size_t indent_of(const char *line, size_t length)
{
    const size_t indent = strspn(line, " ");
    return indent < length ? indent : 0;
}

/* Where what stands behind two blanks in the line begins; its indentation where nothing does. */
static size_t second_of(const char *line, size_t length)
{
    const size_t indent = indent_of(line, length);
    for (size_t i = indent; i + 2 < length; i++)
        if (line[i] == ' ' && line[i + 1] == ' ')
            return i + strspn(line + i, " ");
    return indent;
}

/* How far the lines that continue this one are indented: not beyond a third of the width. */
static size_t hang_of(const char *line, size_t length, size_t width)
{
    const size_t indent = indent_of(line, length);
    size_t hang = second_of(line, length);
    if (hang > width / 3)
        hang = indent;
    return hang > width / 3 ? 0 : hang;
}

/* Bytes of the text, `length` in all, that go into a line of `room` columns: to a blank (not that
 * in front of "%"), or where a word is too long for a line of its own as many characters as fit, at
 * least one. */
static size_t piece_of(const char *text, size_t length, size_t room)
{
    const size_t indent = strspn(text, " ");
    size_t blank = 0, columns = 0;
    const char *at = text;
    while (at < text + length) {
        const char *next = at;
        columns += (size_t)eex__utf8_columns(eex__utf8_next(&next));
        if (columns > room && at > text)
            break;
        if (*at != ' ' && (next == text + length || (*next == ' ' && next[1] != '%')))
            blank = (size_t)(next - text);
        at = next;
    }
    return blank > indent ? blank : (size_t)(at - text);
}

static void wrap_line(eex_buffer *out, const char *line, size_t length, size_t width)
{
    const size_t hang = hang_of(line, length, width);
    size_t room = width;
    while (columns_of(line, length) > room) {
        const size_t piece = piece_of(line, length, room);
        const size_t blanks = strspn(line + piece, " ");
        eex_buffer_append(out, line, piece);
        if (piece + blanks >= length)
            return;
        line += piece + blanks;
        length -= piece + blanks;
        eex_buffer_putc(out, '\n');
        eex_buffer_fill(out, ' ', hang);
        room = width - hang;
    }
    eex_buffer_append(out, line, length);
}

void eex_wrap(eex_buffer *out, const char *text, size_t width)
{
    for (;;) {
        const size_t length = strcspn(text, "\n");
        if (width == 0)
            eex_buffer_append(out, text, length);
        else
            wrap_line(out, text, length, width);
        if (!text[length])
            return;
        eex_buffer_putc(out, '\n');
        text += length + 1;
    }
}

void eex_reflow(eex_buffer *out, const char *text)
{
    size_t goes_on = (size_t)-1; /* the indentation of a line that goes on with the paragraph */
    for (bool first = true;; first = false) {
        const size_t length = strcspn(text, "\n"), indent = indent_of(text, length);
        const size_t second = second_of(text, length);
        const bool joined = !first && length > 0 && indent == goes_on;
        if (!first)
            eex_buffer_putc(out, joined ? ' ' : '\n');
        eex_buffer_append(out, text + (joined ? indent : 0), length - (joined ? indent : 0));
        if (!joined) {
            const bool example = second == indent && indent > 0;
            goes_on = length == 0 || example ? (size_t)-1 : second;
        }
        if (!text[length])
            return;
        text += length + 1;
    }
}
