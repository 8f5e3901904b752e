/* What is known about the terminal: shared by the files of this room. */
#ifndef EEX_BASE_TERMINAL_H
#define EEX_BASE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the descriptor is a terminal on which a line can be rewritten. */
bool eex__terminal_is(int descriptor);

/* Columns that what is written there may have: $COLUMNS, if somebody has set it, for pipes and
 * files too; else the terminal's, 80 when it does not say; 0, any, when it is none. */
size_t eex__terminal_width(int descriptor);

/* Whether to colour: a terminal, and NO_COLOR is unset or empty (no-color.org). */
bool eex__terminal_colour(int descriptor);

#endif
