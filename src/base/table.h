/* Plain-text tables for a terminal.
 *
 * Columns are padded to their widest cell by display width. A table that is wider than it may be is
 * folded, and says so in a line: columns that have no room stand in further blocks under the first,
 * with the first column repeated; where not even one has room beside the first column, each row is
 * a list of lines "title: value". Nothing is left out. */
#ifndef EEX_BASE_TABLE_H
#define EEX_BASE_TABLE_H

#include "base/buffer.h"

#include <stddef.h>
#include <stdio.h>

typedef enum eex_align { EEX_ALIGN_LEFT, EEX_ALIGN_RIGHT } eex_align;

typedef struct eex_table eex_table;

int eex_table_new(eex_table **out);
void eex_table_free(eex_table *table); /* accepts NULL */

/* Columns come before the first row; the first one says what a row is about. Where the table is
 * folded, those with the highest priority stand in the first block, the left ones of equals. The
 * title is copied. Memory failures stick and show up when the table is printed. */
void eex_table_column(eex_table *table, const char *title, eex_align align, int priority);

/* Starts a row, then fills its cells from the left, printf-style. Missing cells are empty, surplus
 * ones are ignored. */
void eex_table_row(eex_table *table);
void eex_table_cell(eex_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Cells of figures: "86.40 %" of a fraction, "0.123", and "2.5 M" (eex_text_number); "-" where the
 * value is NaN, which is what is not known. */
void eex_table_percent(eex_table *table, int digits, double fraction);
void eex_table_fixed(eex_table *table, int digits, double value);
void eex_table_amount(eex_table *table, double value);

/* A horizontal line between the rows before and after. */
void eex_table_rule(eex_table *table);

/* Appends the table; width 0: as wide as it is. */
int eex_table_format(eex_buffer *out, const eex_table *table, size_t width);

/* Prints it, within the width that the stream has (terminal.h). */
int eex_table_print(FILE *stream, const eex_table *table);

#endif
