#include "base/json.h"

#include "base/numbers.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_char(eex_buffer *out, uint32_t code)
{
    char bytes[4];
    switch (code) {
    case '"':
        eex_buffer_puts(out, "\\\"");
        break;
    case '\\':
        eex_buffer_puts(out, "\\\\");
        break;
    case '\n':
        eex_buffer_puts(out, "\\n");
        break;
    case '\r':
        eex_buffer_puts(out, "\\r");
        break;
    case '\t':
        eex_buffer_puts(out, "\\t");
        break;
    default:
        if (code < 0x20 || code == 0x7f)
            eex_buffer_printf(out, "\\u%04x", (unsigned)code);
        else
            eex_buffer_append(out, bytes, eex__utf8_encode(bytes, code));
    }
}

static void write_string(eex_buffer *out, const char *text)
{
    eex_buffer_putc(out, '"');
    while (*text)
        write_char(out, eex__utf8_next(&text));
    eex_buffer_putc(out, '"');
}

static void new_line(eex_json *json)
{
    if (json->compact)
        return;
    eex_buffer_putc(json->out, '\n');
    eex_buffer_fill(json->out, ' ', 2 * (size_t)json->depth);
}

/* Whatever comes before a value: the comma, the line and the key. */
static void begin_value(eex_json *json, const char *key)
{
    const uint64_t here = UINT64_C(1) << json->depth;
    if (json->filled & here)
        eex_buffer_puts(json->out, json->compact ? ", " : ",");
    json->filled |= here;
    if (json->depth > 0)
        new_line(json);
    if (key) {
        write_string(json->out, key);
        eex_buffer_puts(json->out, ": ");
    }
}

static void open_container(eex_json *json, const char *key, bool array)
{
    begin_value(json, key);
    eex_buffer_putc(json->out, array ? '[' : '{');
    if (json->depth + 1 >= EEX_JSON_DEPTH) {
        json->out->failed = true; /* would not be JSON */
        return;
    }
    const uint64_t inside = UINT64_C(1) << ++json->depth;
    json->filled &= ~inside;
    json->arrays = array ? json->arrays | inside : json->arrays & ~inside;
}

void eex_json_object(eex_json *json, const char *key)
{
    open_container(json, key, false);
}

void eex_json_array(eex_json *json, const char *key)
{
    open_container(json, key, true);
}

void eex_json_end(eex_json *json)
{
    if (json->depth == 0)
        return;
    const uint64_t inside = UINT64_C(1) << json->depth;
    json->depth--;
    if (json->filled & inside)
        new_line(json);
    eex_buffer_putc(json->out, json->arrays & inside ? ']' : '}');
}

void eex_json_string(eex_json *json, const char *key, const char *value)
{
    if (!value) {
        eex_json_null(json, key);
        return;
    }
    begin_value(json, key);
    write_string(json->out, value);
}

void eex_json_int(eex_json *json, const char *key, int64_t value)
{
    begin_value(json, key);
    eex_buffer_printf(json->out, "%" PRId64, value);
}

void eex_json_uint(eex_json *json, const char *key, uint64_t value)
{
    begin_value(json, key);
    eex_buffer_printf(json->out, "%" PRIu64, value);
}

void eex_json_bool(eex_json *json, const char *key, bool value)
{
    begin_value(json, key);
    eex_buffer_puts(json->out, value ? "true" : "false");
}

void eex_json_null(eex_json *json, const char *key)
{
    begin_value(json, key);
    eex_buffer_puts(json->out, "null");
}

void eex_json_double(eex_json *json, const char *key, double value)
{
    if (!isfinite(value)) {
        eex_json_null(json, key);
        return;
    }
    begin_value(json, key);
    /* 15 digits are always exact for decimal literals, 17 for every double; only subnormal numbers
     * may need fewer than %g leaves of 15. */
    char text[40];
    const locale_t before = eex_numbers_begin();
    for (int digits = isnormal(value) ? 15 : 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    eex_numbers_end(before);
    eex_buffer_puts(json->out, text);
}
