/* How names are spelled, which people do not see: blanks, case, bytes that are no text. */
#ifndef EEX_BASE_SPELLING_H
#define EEX_BASE_SPELLING_H

#include "base/buffer.h"

#include <stdbool.h>

bool eex_spelling_is_utf8(const char *text);

/* Appends the text with whatever does not show escaped: "\t" and the like, "\x1b" and "\xe9" for
 * control characters and bytes that are no UTF-8, "\u00a0" or "\U000e0001" for blanks that are no
 * ' ', and for marks that take no room of their own and change nothing. Quotes and backslashes are
 * escaped, so no two texts become the same. */
void eex_spelling_escape(eex_buffer *out, const char *text);

/* Appends what texts have in common that differ in letter case (of Latin, Greek and Cyrillic), in
 * blanks, also those that do not show, and in accents on Latin letters being stored with the letter
 * or behind it: small letters without blanks, each in one piece. */
void eex_spelling_core(eex_buffer *out, const char *text);

#endif
