/* Tables in fewer columns than they are wide. Nothing is left out: what has no room beside the
 * first column stands in further blocks below, with the first column again; what does not even fit
 * beside it, in lines "first: value"; and where that is so of everything, each row is a list of
 * lines. */
#include "base/status.h"
#include "base/table_impl.h"
#include "base/text.h"
#include "base/wrap.h"

#include <stdlib.h>

typedef struct fold {
    const eex_table *table;
    const size_t *widths;
    size_t limit;
    size_t *order; /* columns behind the first, those that come first in front */
    size_t *block; /* of each column; NOWHERE: it does not fit beside the first one */
    bool *chosen;
    size_t blocks;
} fold;

#define NOWHERE ((size_t)-1)

static bool fits(const fold *f, size_t column)
{
    return f->widths[0] + EEX__TABLE_GAP + f->widths[column] <= f->limit;
}

/* Columns by priority, the left one first of equals. */
static void sort(fold *f)
{
    const eex_table *t = f->table;
    for (size_t c = 1; c < t->column_count; c++) {
        size_t at = c - 1;
        for (; at > 0 && t->columns[f->order[at - 1]].priority < t->columns[c].priority; at--)
            f->order[at] = f->order[at - 1];
        f->order[at] = c;
    }
}

/* Fills blocks of at most `limit` columns one after the other; returns how many there are. */
static size_t fill(fold *f, size_t limit)
{
    size_t block = 0, used = f->widths[0];
    bool any = false;
    for (size_t i = 0; i + 1 < f->table->column_count; i++) {
        const size_t c = f->order[i];
        f->block[c] = NOWHERE;
        if (!fits(f, c))
            continue;
        if (any && used + EEX__TABLE_GAP + f->widths[c] > limit) {
            block++;
            used = f->widths[0];
        }
        f->block[c] = block;
        used += EEX__TABLE_GAP + f->widths[c];
        any = true;
    }
    return any ? block + 1 : 0;
}

/* As few blocks as there can be, and those about as wide as each other. */
static void balance(fold *f)
{
    size_t least = f->widths[0], limit = f->limit;
    for (size_t c = 1; c < f->table->column_count; c++)
        if (fits(f, c) && f->widths[0] + EEX__TABLE_GAP + f->widths[c] > least)
            least = f->widths[0] + EEX__TABLE_GAP + f->widths[c];
    f->blocks = fill(f, limit);
    while (limit > least && fill(f, limit - 1) == f->blocks)
        limit--;
    fill(f, limit);
}

static void put_wrapped(eex_buffer *out, const fold *f, eex_buffer *line)
{
    eex_wrap(out, eex_buffer_text(line), f->limit);
    eex_buffer_putc(out, '\n');
    eex_buffer_clear(line);
}

/* A column that does not fit beside the first: "first: value", a row a line. */
static void put_list(eex_buffer *out, const fold *f, size_t column, eex_buffer *line)
{
    const eex_table *t = f->table;
    eex_buffer_printf(line, "%s: %s", t->columns[0].title, t->columns[column].title);
    put_wrapped(out, f, line);
    eex_buffer_fill(out, '-', f->limit);
    eex_buffer_putc(out, '\n');
    for (size_t r = 0; r < t->row_count; r++) {
        eex_buffer_printf(line, "%s: %s", eex__table_text(&t->rows[r], 0),
                          eex__table_text(&t->rows[r], column));
        put_wrapped(out, f, line);
    }
}

static void put_blocks(eex_buffer *out, const fold *f, eex_buffer *line)
{
    const eex_table *t = f->table;
    bool begun = false;
    for (size_t b = 0; b < f->blocks; b++) {
        f->chosen[0] = true;
        for (size_t c = 1; c < t->column_count; c++)
            f->chosen[c] = f->block[c] == b;
        if (begun)
            eex_buffer_putc(out, '\n');
        eex__table_block(out, t, f->widths, f->chosen);
        begun = true;
    }
    for (size_t c = 1; c < t->column_count; c++) {
        if (f->block[c] != NOWHERE)
            continue;
        eex_buffer_putc(out, '\n');
        put_list(out, f, c, line);
    }
}

/* Each row by itself: "title: value", a column a line. */
static void put_rows(eex_buffer *out, const fold *f, eex_buffer *line)
{
    const eex_table *t = f->table;
    for (size_t r = 0; r < t->row_count; r++) {
        if (t->rows[r].rule)
            eex_buffer_fill(out, '-', f->limit);
        if (r > 0)
            eex_buffer_putc(out, '\n');
        for (size_t c = 0; c < t->column_count; c++) {
            const char *title = t->columns[c].title, *text = eex__table_text(&t->rows[r], c);
            if (c > 0 && !*text)
                continue;
            eex_buffer_printf(line, "%s%s%s%s", c ? "  " : "", title, *title ? ": " : "", text);
            put_wrapped(out, f, line);
        }
    }
    for (size_t c = 0; c < t->column_count && t->row_count == 0; c++) {
        eex_buffer_puts(line, t->columns[c].title);
        put_wrapped(out, f, line);
    }
}

static void put_note(eex_buffer *out, const fold *f, eex_buffer *line)
{
    const size_t whole = eex__table_width(f->table, f->widths, NULL);
    if (f->blocks == 0)
        eex_buffer_printf(line, "(folded: a row at a time, for the table is %zu columns wide)",
                          whole);
    else
        eex_buffer_printf(line, "(folded: the table is %zu columns wide, there are %zu)", whole,
                          f->limit);
    put_wrapped(out, f, line);
}

int eex__table_fold(eex_buffer *out, const eex_table *table, const size_t *widths, size_t limit)
{
    const size_t count = table->column_count + 1;
    eex_buffer line = EEX_BUFFER_INIT;
    fold f = {.table = table, .widths = widths, .limit = limit};
    f.order = calloc(count, sizeof *f.order);
    f.block = calloc(count, sizeof *f.block);
    f.chosen = calloc(count, sizeof *f.chosen);
    int code = f.order && f.block && f.chosen
                   ? EEX_OK
                   : eex_fail(EEX_ENOMEM, "out of memory: cannot fold a table");
    if (code == EEX_OK) {
        sort(&f);
        balance(&f);
        if (f.blocks > 0)
            put_blocks(out, &f, &line);
        else
            put_rows(out, &f, &line);
        put_note(out, &f, &line);
        code = eex_buffer_status(&line);
    }
    eex_buffer_free(&line);
    free(f.order);
    free(f.block);
    free(f.chosen);
    return code;
}
