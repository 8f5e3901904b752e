/* UTF-8, one character at a time: shared by the files of this room. */
#ifndef EEX_BASE_UTF8_H
#define EEX_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the character at *text, which is not the final NUL, and steps over it. A byte that is no
 * valid UTF-8 gives U+FFFD and is stepped over alone. */
uint32_t eex__utf8_next(const char **text);

/* Encodes a character; returns the number of bytes, 1..4. */
size_t eex__utf8_encode(char out[4], uint32_t code);

/* Whether a character changes how the text behind it is laid out, and does not show: ends of lines
 * and of paragraphs, and what turns the direction of writing. */
bool eex__utf8_is_unseen(uint32_t code);

/* Columns that a character takes on a terminal: 0, 1 or 2. */
int eex__utf8_columns(uint32_t code);

#endif
