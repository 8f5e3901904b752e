#include "base/table.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static eex_table *table;
static eex_buffer out;

static void begin(void)
{
    cr_assert_eq(eex_table_new(&table), 0);
    eex_table_column(table, "exit", EEX_ALIGN_LEFT, 3);
    eex_table_column(table, "accuracy", EEX_ALIGN_RIGHT, 2);
    eex_table_column(table, "note", EEX_ALIGN_LEFT, 0);
    eex_table_row(table);
    eex_table_cell(table, "features.%d", 4);
    eex_table_cell(table, "%.1f %%", 81.25);
    eex_table_cell(table, "µ = 3");
    eex_table_rule(table);
    eex_table_row(table);
    eex_table_cell(table, "end");
    eex_table_cell(table, "%.1f %%", 9.0);
}

static void end(void)
{
    eex_table_free(table);
    eex_buffer_free(&out);
}

TestSuite(table, .init = begin, .fini = end);

Test(table, aligns_and_rules)
{
    cr_assert_eq(eex_table_format(&out, table, 0), 0);
    cr_assert_str_eq(eex_buffer_text(&out), "exit        accuracy  note\n"
                                            "---------------------------\n"
                                            "features.4    81.2 %  µ = 3\n"
                                            "---------------------------\n"
                                            "end            9.0 %\n");
}

Test(table, folds_into_blocks_that_repeat_the_first_column)
{
    cr_assert_eq(eex_table_format(&out, table, 25), 0);
    cr_assert_str_eq(eex_buffer_text(&out), "exit        accuracy\n"
                                            "--------------------\n"
                                            "features.4    81.2 %\n"
                                            "--------------------\n"
                                            "end            9.0 %\n"
                                            "\n"
                                            "exit        note\n"
                                            "-----------------\n"
                                            "features.4  µ = 3\n"
                                            "-----------------\n"
                                            "end\n"
                                            "(folded: the table is 27\n"
                                            "columns wide, there are\n"
                                            "25)\n");
}

Test(table, columns_that_fit_beside_nothing_are_lists)
{
    cr_assert_eq(eex_table_format(&out, table, 18), 0);
    cr_assert_str_eq(eex_buffer_text(&out), "exit        note\n"
                                            "-----------------\n"
                                            "features.4  µ = 3\n"
                                            "-----------------\n"
                                            "end\n"
                                            "\n"
                                            "exit: accuracy\n"
                                            "------------------\n"
                                            "features.4: 81.2 %\n"
                                            "end: 9.0 %\n"
                                            "(folded: the table\n"
                                            "is 27 columns\n"
                                            "wide, there are\n"
                                            "18)\n");
}

Test(table, a_row_at_a_time_where_nothing_fits)
{
    cr_assert_eq(eex_table_format(&out, table, 14), 0);
    cr_assert_str_eq(eex_buffer_text(&out), "exit:\n"
                                            "features.4\n"
                                            "  accuracy:\n"
                                            "  81.2 %\n"
                                            "  note: µ = 3\n"
                                            "--------------\n"
                                            "exit: end\n"
                                            "  accuracy:\n"
                                            "  9.0 %\n"
                                            "(folded: a row\n"
                                            "at a time, for\n"
                                            "the table is\n"
                                            "27 columns\n"
                                            "wide)\n");
}

/* What there is more of than fits stands in blocks about as wide as each other, first what comes
 * first. */
Test(table, blocks_are_as_few_and_as_even_as_can_be)
{
    static const int priority[] = {9, 1, 5, 5};
    static const char wanted[] = "k  a0  a2\n---------\n0   1   3\n\n"
                                 "k  a1  a3\n---------\n0   2   4\n(folded";
    eex_table *t;
    cr_assert_eq(eex_table_new(&t), 0);
    eex_table_column(t, "k", EEX_ALIGN_LEFT, 10);
    for (int i = 0; i < 4; i++) {
        const char title[] = {'a', (char)('0' + i), '\0'};
        eex_table_column(t, title, EEX_ALIGN_RIGHT, priority[i]);
    }
    eex_table_row(t);
    for (int i = 0; i < 5; i++)
        eex_table_cell(t, "%d", i);
    cr_assert_eq(eex_table_format(&out, t, 14), 0);
    cr_assert(strncmp(eex_buffer_text(&out), wanted, strlen(wanted)) == 0, "got \"%s\"",
              eex_buffer_text(&out));
    eex_table_free(t);
}

/* Every cell and every title, whole or broken where a line ends, at every width. */
static void expect_everything(const char *text)
{
    static const char *const parts[] = {"features.4", "81.2%", "µ=3",      "end",
                                        "9.0%",       "exit",  "accuracy", "note"};
    char *dense = calloc(1, strlen(text) + 1);
    size_t used = 0;
    for (; *text; text++)
        if (*text != ' ' && *text != '\n')
            dense[used++] = *text;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        cr_assert_not_null(strstr(dense, parts[i]), "no %s in %s", parts[i], dense);
    free(dense);
}

Test(table, fits_every_width_and_leaves_nothing_out)
{
    for (size_t width = 1; width < 40; width++) {
        eex_buffer_clear(&out);
        cr_assert_eq(eex_table_format(&out, table, width), 0);
        expect_everything(eex_buffer_text(&out));
        char *line = strtok(out.data, "\n");
        for (; line; line = strtok(NULL, "\n"))
            cr_assert(eex_text_width(line) <= width, "\"%s\" in %zu", line, width);
    }
}

Test(table, without_rows_or_columns)
{
    eex_table *empty;
    cr_assert_eq(eex_table_new(&empty), 0);
    eex_table_cell(empty, "nowhere");
    cr_assert_eq(eex_table_format(&out, empty, 80), 0);
    eex_table_column(empty, "a long title", EEX_ALIGN_LEFT, 0);
    cr_assert_eq(eex_table_format(&out, empty, 5), 0);
    cr_assert_not_null(strstr(eex_buffer_text(&out), "a\nlong\ntitle\n"));
    eex_table_row(empty);
    eex_table_cell(empty, "surplus");
    cr_assert_eq(eex_table_format(&out, empty, 80), 0);
    eex_table_free(empty);
    eex_table_free(NULL);
}

Test(table, figures_that_are_not_known)
{
    eex_table_row(table);
    eex_table_fixed(table, 3, 0.12345);
    eex_table_percent(table, 2, 0.81256);
    eex_table_amount(table, 2.5e6);
    eex_table_row(table);
    eex_table_fixed(table, 3, NAN);
    eex_table_percent(table, 2, NAN);
    eex_table_amount(table, NAN);
    cr_assert_eq(eex_table_format(&out, table, 0), 0);
    cr_assert_str_eq(eex_buffer_text(&out), "exit        accuracy  note\n"
                                            "----------------------------\n"
                                            "features.4    81.2 %  µ = 3\n"
                                            "----------------------------\n"
                                            "end            9.0 %\n"
                                            "0.123        81.26 %  2.50 M\n"
                                            "-                  -  -\n");
}
