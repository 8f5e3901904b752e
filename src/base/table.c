#include "base/table.h"

#include "base/status.h"
#include "base/terminal.h"
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char column_gap[] = "  ";

typedef struct column {
    char *title;
    eex_align align;
    int priority;
} column;

/* Rows are lines of text: the cells lie one after the other, NUL-terminated. */
typedef struct row {
    eex_buffer cells;
    size_t count;
    bool rule; /* a line above this row */
} row;

struct eex_table {
    column *columns;
    row *rows;
    size_t column_count, row_count;
    bool failed, rule_next;
};

int eex_table_new(eex_table **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory: cannot make a table");
}

void eex_table_free(eex_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->column_count; i++)
        free(table->columns[i].title);
    for (size_t i = 0; i < table->row_count; i++)
        eex_buffer_free(&table->rows[i].cells);
    free(table->columns);
    free(table->rows);
    free(table);
}

void eex_table_column(eex_table *table, const char *title, eex_align align, int priority)
{
    column *grown = realloc(table->columns, (table->column_count + 1) * sizeof *grown);
    char *copy = strdup(title);
    if (grown)
        table->columns = grown;
    if (!grown || !copy) {
        free(copy);
        table->failed = true;
        return;
    }
    table->columns[table->column_count++] = (column){copy, align, priority};
}

void eex_table_row(eex_table *table)
{
    row *grown = realloc(table->rows, (table->row_count + 1) * sizeof *grown);
    if (!grown) {
        table->failed = true;
        return;
    }
    table->rows = grown;
    table->rows[table->row_count++] = (row){EEX_BUFFER_INIT, 0, table->rule_next};
    table->rule_next = false;
}

void eex_table_cell(eex_table *table, const char *format, ...)
{
    if (table->failed || table->row_count == 0)
        return;
    row *last = &table->rows[table->row_count - 1];
    va_list args;
    va_start(args, format);
    const size_t from = last->cells.size;
    eex_buffer_vprintf(&last->cells, format, args);
    va_end(args);
    eex_buffer_putc(&last->cells, '\0');
    if (!last->cells.failed) /* names of classes come from files */
        eex_text_disarm(last->cells.data + from, "");
    last->count++;
    table->failed = table->failed || last->cells.failed;
}

void eex_table_percent(eex_table *table, int digits, double fraction)
{
    if (isnan(fraction))
        eex_table_cell(table, "-");
    else
        eex_table_cell(table, "%.*f %%", digits, 100 * fraction);
}

void eex_table_fixed(eex_table *table, int digits, double value)
{
    if (isnan(value))
        eex_table_cell(table, "-");
    else
        eex_table_cell(table, "%.*f", digits, value);
}

void eex_table_amount(eex_table *table, double value)
{
    char text[EEX_TEXT_SIZE];
    eex_table_cell(table, "%s", isnan(value) ? "-" : eex_text_number(text, value, NULL));
}

void eex_table_rule(eex_table *table)
{
    table->rule_next = true;
}

static const char *cell_text(const row *r, size_t index)
{
    if (index >= r->count)
        return "";
    const char *cell = eex_buffer_text(&r->cells);
    while (index-- > 0)
        cell += strlen(cell) + 1;
    return cell;
}

/* The display width of each column, measured over all rows. */
static void measure(size_t *widths, const eex_table *table)
{
    for (size_t c = 0; c < table->column_count; c++) {
        widths[c] = eex_text_width(table->columns[c].title);
        for (size_t r = 0; r < table->row_count; r++) {
            const size_t width = eex_text_width(cell_text(&table->rows[r], c));
            if (width > widths[c])
                widths[c] = width;
        }
    }
}

enum { DROPPED = -1 }; /* as a size_t: wider than any column */

static size_t total_width(const size_t *widths, size_t count)
{
    size_t total = 0;
    for (size_t c = 0; c < count; c++)
        if (widths[c] != (size_t)DROPPED)
            total += widths[c] + (total > 0 ? strlen(column_gap) : 0);
    return total;
}

/* Drops columns until the table fits; one always stays. */
static void fit(size_t *widths, const eex_table *table, size_t limit)
{
    const size_t count = table->column_count;
    for (size_t left = count; left > 1 && total_width(widths, count) > limit; left--) {
        size_t victim = count;
        for (size_t c = 0; c < count; c++)
            if (widths[c] != (size_t)DROPPED &&
                (victim == count || table->columns[c].priority <= table->columns[victim].priority))
                victim = c;
        widths[victim] = (size_t)DROPPED;
    }
}

static void format_rule(eex_buffer *out, size_t width)
{
    eex_buffer_fill(out, '-', width);
    eex_buffer_putc(out, '\n');
}

/* One line of cells; r NULL: the titles. Blanks at the end of a line are left out. */
static void format_line(eex_buffer *out, const eex_table *table, const row *r, const size_t *widths)
{
    size_t blanks = 0;
    bool first = true;
    for (size_t c = 0; c < table->column_count; c++) {
        if (widths[c] == (size_t)DROPPED)
            continue;
        const char *text = r ? cell_text(r, c) : table->columns[c].title;
        const size_t padding = widths[c] - eex_text_width(text);
        blanks += first ? 0 : strlen(column_gap);
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

int eex_table_format(eex_buffer *out, const eex_table *table, size_t width)
{
    size_t *widths = calloc(table->column_count + 1, sizeof *widths);
    if (!widths || table->failed) {
        free(widths);
        return eex_fail(EEX_ENOMEM, "out of memory: cannot lay out a table");
    }
    measure(widths, table);
    if (width > 0)
        fit(widths, table, width);
    const size_t total = total_width(widths, table->column_count);
    format_line(out, table, NULL, widths);
    format_rule(out, total);
    for (size_t r = 0; r < table->row_count; r++) {
        if (table->rows[r].rule)
            format_rule(out, total);
        format_line(out, table, &table->rows[r], widths);
    }
    free(widths);
    return eex_buffer_status(out);
}

int eex_table_print(FILE *stream, const eex_table *table)
{
    eex_buffer text = EEX_BUFFER_INIT;
    const size_t width = eex__terminal_width(fileno(stream));
    int code = eex_table_format(&text, table, width);
    if (code == EEX_OK && fputs(eex_buffer_text(&text), stream) == EOF)
        code = eex_fail(EEX_EIO, "cannot print a table");
    eex_buffer_free(&text);
    return code;
}
