/* What is known about the terminal: shared by the files of this room. */
#ifndef EEX_BASE_TERMINAL_H
#define EEX_BASE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the descriptor is a terminal on which a line can be rewritten: none of a $TERM that is
 * empty or "dumb". */
bool eex__terminal_is(int descriptor);

/* Columns that there are: $COLUMNS, if somebody has set it, for pipes and files too; else the
 * terminal's, 80 when it does not say; 0, any, when it is none. */
size_t eex__terminal_columns(int descriptor);

/* Columns that what is read there may have: the same, but no fewer than 20. In less no word has
 * room, and lines that the terminal breaks read better. */
size_t eex__terminal_width(int descriptor);

/* Whether to colour: a terminal, and NO_COLOR is unset or empty (no-color.org). */
bool eex__terminal_colour(int descriptor);

#endif
