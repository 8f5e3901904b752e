/* Numbers are read and written with a point, whatever locale a program or a trusted script has set.
 *
 * setlocale changes what printf and strtod of all threads take for the decimal point; a locale of a
 * thread's own goes before it. */
#ifndef EEX_BASE_NUMBERS_H
#define EEX_BASE_NUMBERS_H

#include <locale.h>

/* From here on the calling thread's numbers have a point. Returns what eex_numbers_end takes: what
 * the thread had before. */
locale_t eex_numbers_begin(void);
void eex_numbers_end(locale_t before);

#endif
