/* A growable buffer of bytes or text.
 *
 * Appending never fails visibly: a buffer that ran out of memory stays as it was, ignores what
 * comes after, and eex_buffer_status says so at the end. Text is always NUL-terminated. */
#ifndef EEX_BASE_BUFFER_H
#define EEX_BASE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct eex_buffer {
    char *data; /* NULL while nothing was appended: read text through eex_buffer_text */
    size_t size;
    size_t capacity;
    bool failed;
} eex_buffer;

#define EEX_BUFFER_INIT   \
    {                     \
        NULL, 0, 0, false \
    }

void eex_buffer_free(eex_buffer *buffer);  /* leaves an empty buffer; accepts NULL */
void eex_buffer_clear(eex_buffer *buffer); /* keeps the memory, forgets failure */

void eex_buffer_append(eex_buffer *buffer, const void *data, size_t size);
void eex_buffer_puts(eex_buffer *buffer, const char *text);
void eex_buffer_putc(eex_buffer *buffer, char c);
void eex_buffer_fill(eex_buffer *buffer, char c, size_t count);
void eex_buffer_printf(eex_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void eex_buffer_vprintf(eex_buffer *buffer, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* EEX_OK, or EEX_ENOMEM when something could not be appended. */
int eex_buffer_status(const eex_buffer *buffer);

/* The content as text; "" when empty. Borrowed until the next append. */
const char *eex_buffer_text(const eex_buffer *buffer);

/* Hands the content over (the caller frees it) and leaves an empty buffer, on failure too. */
int eex_buffer_take(char **out, eex_buffer *buffer);

#endif
