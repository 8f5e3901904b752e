/* How a table is laid out: aligned, or folded where that is wider than it may be. */
#include "base/status.h"
#include "base/table_impl.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

const char *eex__table_text(const eex__row *row, size_t column)
{
    if (column >= row->count)
        return "";
    const char *cell = eex_buffer_text(&row->cells);
    while (column-- > 0)
        cell += strlen(cell) + 1;
    return cell;
}

/* The display width of each column, measured over all rows. */
static void measure(size_t *widths, const eex_table *table)
{
    for (size_t c = 0; c < table->column_count; c++) {
        widths[c] = eex_text_width(table->columns[c].title);
        for (size_t r = 0; r < table->row_count; r++) {
            const size_t width = eex_text_width(eex__table_text(&table->rows[r], c));
            if (width > widths[c])
                widths[c] = width;
        }
    }
}

static bool has(const bool *chosen, size_t column)
{
    return !chosen || chosen[column];
}

size_t eex__table_width(const eex_table *table, const size_t *widths, const bool *chosen)
{
    size_t total = 0;
    for (size_t c = 0; c < table->column_count; c++)
        if (has(chosen, c))
            total += widths[c] + (total > 0 ? EEX__TABLE_GAP : 0);
    return total;
}

static void format_rule(eex_buffer *out, size_t width)
{
    eex_buffer_fill(out, '-', width);
    eex_buffer_putc(out, '\n');
}

/* One line of cells; r NULL: the titles. Blanks at the end of a line are left out. */
static void format_line(eex_buffer *out, const eex_table *table, const eex__row *r,
                        const size_t *widths, const bool *chosen)
{
    size_t blanks = 0;
    bool first = true;
    for (size_t c = 0; c < table->column_count; c++) {
        if (!has(chosen, c))
            continue;
        const char *text = r ? eex__table_text(r, c) : table->columns[c].title;
        const size_t padding = widths[c] - eex_text_width(text);
        blanks += first ? 0 : EEX__TABLE_GAP;
        first = false;
        if (table->columns[c].align == EEX_ALIGN_RIGHT)
            blanks += padding;
        if (*text) {
            eex_buffer_fill(out, ' ', blanks);
            eex_buffer_puts(out, text);
            blanks = 0;
        }
        if (table->columns[c].align == EEX_ALIGN_LEFT)
            blanks += padding;
    }
    eex_buffer_putc(out, '\n');
}

void eex__table_block(eex_buffer *out, const eex_table *table, const size_t *widths,
                      const bool *chosen)
{
    const size_t total = eex__table_width(table, widths, chosen);
    format_line(out, table, NULL, widths, chosen);
    format_rule(out, total);
    for (size_t r = 0; r < table->row_count; r++) {
        if (table->rows[r].rule)
            format_rule(out, total);
        format_line(out, table, &table->rows[r], widths, chosen);
    }
}

int eex_table_format(eex_buffer *out, const eex_table *table, size_t width)
{
    size_t *widths = calloc(table->column_count + 1, sizeof *widths);
    if (!widths || table->failed) {
        free(widths);
        return eex_fail(EEX_ENOMEM, "out of memory: cannot lay out a table");
    }
    int code = EEX_OK;
    measure(widths, table);
    if (width == 0 || eex__table_width(table, widths, NULL) <= width)
        eex__table_block(out, table, widths, NULL);
    else
        code = eex__table_fold(out, table, widths, width);
    free(widths);
    return code == EEX_OK ? eex_buffer_status(out) : code;
}
