#include "base/table.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <math.h>
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

Test(table, drops_the_least_important_columns)
{
    cr_assert_eq(eex_table_format(&out, table, 25), 0);
    cr_assert_str_eq(eex_buffer_text(&out), "exit        accuracy\n"
                                            "--------------------\n"
                                            "features.4    81.2 %\n"
                                            "--------------------\n"
                                            "end            9.0 %\n");
    eex_buffer_clear(&out);
    cr_assert_eq(eex_table_format(&out, table, 3), 0);
    cr_assert_str_eq(eex_buffer_text(&out), "exit\n----------\nfeatures.4\n----------\nend\n");
}

Test(table, fits_every_width_that_it_can)
{
    for (size_t width = 10; width < 40; width++) {
        eex_buffer_clear(&out);
        cr_assert_eq(eex_table_format(&out, table, width), 0);
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
