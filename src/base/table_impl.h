/* A table as its files see it: what was put in (table.c), and how it is laid out in a given width
 * (table_layout.c, table_fold.c). */
#ifndef EEX_BASE_TABLE_IMPL_H
#define EEX_BASE_TABLE_IMPL_H

#include "base/table.h"

#include <stdbool.h>

typedef struct eex__column {
    char *title;
    eex_align align;
    int priority;
} eex__column;

/* Rows are lines of text: the cells lie one after the other, NUL-terminated. */
typedef struct eex__row {
    eex_buffer cells;
    size_t count;
    bool rule; /* a line above this row */
} eex__row;

struct eex_table {
    eex__column *columns;
    eex__row *rows;
    size_t column_count, row_count;
    bool failed, rule_next;
};

enum { EEX__TABLE_GAP = 2 }; /* blanks between columns */

/* The text of a cell; "" where the row has none. */
const char *eex__table_text(const eex__row *row, size_t column);

/* Lines of cells, of the columns that `chosen` names, each as wide as `widths` says; their width
 * without blanks at the end is returned by the second. */
void eex__table_block(eex_buffer *out, const eex_table *table, const size_t *widths,
                      const bool *chosen);
size_t eex__table_width(const eex_table *table, const size_t *widths, const bool *chosen);

/* The table in no more than `limit` columns, narrower than it is. */
int eex__table_fold(eex_buffer *out, const eex_table *table, const size_t *widths, size_t limit);

#endif
