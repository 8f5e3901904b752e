#include "base/buffer.h"

#include "base/numbers.h"
#include "base/status.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void eex_buffer_free(eex_buffer *buffer)
{
    if (!buffer)
        return;
    free(buffer->data);
    memset(buffer, 0, sizeof *buffer);
}

void eex_buffer_clear(eex_buffer *buffer)
{
    if (!buffer)
        return;
    buffer->size = 0;
    buffer->failed = false;
    if (buffer->data)
        buffer->data[0] = '\0';
}

/* Makes room for `more` bytes and the NUL behind them. */
static bool reserve(eex_buffer *buffer, size_t more)
{
    if (!buffer || buffer->failed)
        return false;
    if (more < buffer->capacity - buffer->size)
        return true;
    size_t needed, capacity = 0;
    char *data = NULL;
    if (!__builtin_add_overflow(buffer->size, more, &needed) && needed < SIZE_MAX / 2) {
        capacity = needed + needed / 2 + 64;
        data = realloc(buffer->data, capacity);
    }
    if (!data) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void eex_buffer_append(eex_buffer *buffer, const void *data, size_t size)
{
    if ((size > 0 && !data) || !reserve(buffer, size))
        return;
    if (size > 0)
        memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
}

void eex_buffer_puts(eex_buffer *buffer, const char *text)
{
    if (text)
        eex_buffer_append(buffer, text, strlen(text));
}

void eex_buffer_putc(eex_buffer *buffer, char c)
{
    eex_buffer_append(buffer, &c, 1);
}

void eex_buffer_fill(eex_buffer *buffer, char c, size_t count)
{
    if (!reserve(buffer, count))
        return;
    memset(buffer->data + buffer->size, c, count);
    buffer->size += count;
    buffer->data[buffer->size] = '\0';
}

void eex_buffer_vprintf(eex_buffer *buffer, const char *format, va_list args)
{
    if (!buffer || !format)
        return;
    va_list again;
    va_copy(again, args);
    const locale_t before = eex_numbers_begin();
    const int length = vsnprintf(NULL, 0, format, args);
    if (length < 0) {
        buffer->failed = true;
    } else if (reserve(buffer, (size_t)length)) {
        vsnprintf(buffer->data + buffer->size, (size_t)length + 1, format, again);
        buffer->size += (size_t)length;
    }
    eex_numbers_end(before);
    va_end(again);
}

void eex_buffer_printf(eex_buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    eex_buffer_vprintf(buffer, format, args);
    va_end(args);
}

int eex_buffer_status(const eex_buffer *buffer)
{
    EEX_NEED(buffer, "buffer");
    if (buffer->failed)
        return eex_fail(EEX_ENOMEM, "out of memory: a buffer of %zu bytes could not grow",
                        buffer->size);
    return EEX_OK;
}

const char *eex_buffer_text(const eex_buffer *buffer)
{
    return buffer && buffer->data ? buffer->data : "";
}

int eex_buffer_take(char **out, eex_buffer *buffer)
{
    EEX_NEED(out, "place for the text");
    EEX_NEED(buffer, "buffer");
    reserve(buffer, 0); /* an empty buffer has no NUL yet */
    const int code = eex_buffer_status(buffer);
    if (code != EEX_OK) {
        eex_buffer_free(buffer);
        return code;
    }
    buffer->data[buffer->size] = '\0';
    *out = buffer->data;
    memset(buffer, 0, sizeof *buffer);
    return EEX_OK;
}
