#include "base/status.h"
#include "base/table_impl.h"
#include "base/terminal.h"
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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
    eex__column *grown = realloc(table->columns, (table->column_count + 1) * sizeof *grown);
    char *copy = strdup(title);
    if (grown)
        table->columns = grown;
    if (!grown || !copy) {
        free(copy);
        table->failed = true;
        return;
    }
    table->columns[table->column_count++] = (eex__column){copy, align, priority};
}

void eex_table_row(eex_table *table)
{
    eex__row *grown = realloc(table->rows, (table->row_count + 1) * sizeof *grown);
    if (!grown) {
        table->failed = true;
        return;
    }
    table->rows = grown;
    table->rows[table->row_count++] = (eex__row){EEX_BUFFER_INIT, 0, table->rule_next};
    table->rule_next = false;
}

void eex_table_cell(eex_table *table, const char *format, ...)
{
    if (table->failed || table->row_count == 0)
        return;
    eex__row *last = &table->rows[table->row_count - 1];
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
