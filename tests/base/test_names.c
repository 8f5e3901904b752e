#include "base/names.h"
#include "base/range.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum colour { RED, GREEN, BLUE, COLOURS };
EEX_NAMES_LOCAL(colour, COLOURS, [RED] = "red", [GREEN] = "green", [BLUE] = "blue");

Test(names, members_have_names_and_names_members)
{
    for (int i = 0; i < COLOURS; i++)
        cr_expect_eq(eex_name_find(colour_names(), eex_name_of(colour_names(), i)), i);
    cr_expect_str_eq(eex_name_of(colour_names(), COLOURS), "?");
    cr_expect_str_eq(eex_name_of(colour_names(), -1), "?");
    cr_expect_eq(eex_name_find(colour_names(), "grey"), -1);
}

Test(names, a_member_may_be_left_out)
{
    static const char *const list[] = {NULL, "green", "blue"};
    const eex_names names = {list, COLOURS};
    char out[EEX_NAMES_SIZE];
    cr_expect_eq(eex_name_find(&names, "red"), -1);
    cr_expect_eq(eex_name_find(&names, "green"), GREEN);
    cr_expect_str_eq(eex_name_of(&names, RED), "?");
    cr_expect_str_eq(eex_names_list(out, &names, "", " or "), "green or blue");
}

Test(names, are_listed_as_far_as_they_fit)
{
    char out[EEX_NAMES_SIZE];
    char name[EEX_NAMES_SIZE];
    cr_expect_str_eq(eex_names_list(out, colour_names(), "\"", " and "),
                     "\"red\", \"green\" and \"blue\"");
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const char *const list[] = {name, name};
    const eex_names names = {list, 2}, none = {list, 0};
    cr_expect_eq(strlen(eex_names_list(out, &names, "\"", " and ")), (size_t)EEX_NAMES_SIZE - 1);
    cr_expect_str_eq(eex_names_list(out, &none, "", ""), "");
}

Test(names, the_nearest_is_asked_for)
{
    static const char *const list[] = {NULL, "green", "blue"};
    const eex_names names = {list, COLOURS};
    char out[EEX_NAMES_SIZE];
    cr_expect_str_eq(eex_name_near(&names, "gren"), "green");
    cr_expect_null(eex_name_near(&names, "red"));
    cr_expect_str_eq(eex_names_hint(out, &names, "gren"),
                     "did you mean \"green\"? there are green and blue");
    cr_expect_str_eq(eex_names_hint(out, &names, "something else"), "there are green and blue");
}

static const char *words(double min, double max, bool above, bool below, bool integer)
{
    static char out[EEX_RANGE_SIZE];
    const eex_range range = {min, max, above, below};
    return eex_range_words(out, &range, integer);
}

Test(range, says_what_it_is)
{
    cr_expect_str_eq(words(1, INT32_MAX, false, false, true), "a positive integer");
    cr_expect_str_eq(words(0, INT32_MAX, false, false, true), "an integer of 0 or more");
    cr_expect_str_eq(words(0, 15, false, false, true), "an integer in 0..15");
    cr_expect_str_eq(words(-INFINITY, INFINITY, false, false, false), "a number");
    cr_expect_str_eq(words(0, INFINITY, true, true, false), "a positive number");
    cr_expect_str_eq(words(0, INFINITY, false, true, false), "a number of at least 0");
    cr_expect_str_eq(words(0.1, 4, false, false, false), "a number in 0.1..4");
    cr_expect_str_eq(words(0, 1, false, true, false), "a number from 0 to below 1");
    cr_expect_str_eq(words(2, 4, true, false, false), "a number above 2 to 4");
    cr_expect_str_eq(words(2, INFINITY, true, false, false), "a number above 2");
}

static const char *words_for(eex_range range, bool integer, double value)
{
    static char out[EEX_RANGE_SIZE];
    return eex_range_words_for(out, &range, integer, value);
}

Test(range, names_what_a_value_breaks)
{
    const eex_range count = {1, INT32_MAX, false, false}, wide = {0, 0x1p63, false, false};
    const eex_range any = {-INFINITY, INFINITY, false, false}, rate = {0, INFINITY, true, true};
    cr_expect_str_eq(words_for(count, true, 2147483648.0), "an integer in 1..2147483647");
    cr_expect_str_eq(words_for(count, true, 0), "a positive integer");
    cr_expect_str_eq(words_for(count, true, (double)NAN), "a positive integer");
    cr_expect_str_eq(words_for(wide, true, 1e30), "an integer in 0..9223372036854775807");
    cr_expect_str_eq(words_for(any, false, (double)NAN), "a finite number");
    cr_expect_str_eq(words_for(rate, false, INFINITY), "a finite number above 0");
    cr_expect_str_eq(words_for(rate, false, -1), "a positive number");
}

Test(range, has_what_lies_in_it)
{
    const eex_range closed = {0, 1, false, false}, open = {0, 1, true, true};
    cr_expect(eex_range_has(&closed, 0) && eex_range_has(&closed, 1));
    cr_expect(!eex_range_has(&open, 0) && !eex_range_has(&open, 1) && eex_range_has(&open, 0.5));
    cr_expect(!eex_range_has(&closed, -1) && !eex_range_has(&closed, 2));
    cr_expect(!eex_range_has(&closed, (double)NAN));
}

/* A number that is calculated with as a float32 is one there too. */
Test(range, floats_are_within_as_floats)
{
    const eex_range eps = {.min = 1e-12, .max = 1}, rate = {.above = true, .max = INFINITY},
                    part = {.max = 1, .below = true}, any = {.min = -INFINITY, .max = INFINITY};
    cr_expect(eex_range_has_float(&eps, 1e-12));
    cr_expect(eex_range_has_float(&eps, 1));
    cr_expect_not(eex_range_has_float(&eps, 9e-13));
    cr_expect_not(eex_range_has_float(&eps, 1.0001));
    cr_expect(eex_range_has_float(&rate, 1.2e-38));
    cr_expect(eex_range_has_float(&rate, 3.4e38));
    const double lost[] = {0, 1e-46, 1e-40, 1e-300, 1e39, INFINITY, NAN};
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++)
        cr_expect_not(eex_range_has_float(&rate, lost[i]), "%g", lost[i]);
    cr_expect(eex_range_has_float(&part, 0));
    cr_expect(eex_range_has_float(&part, 0.9999));
    cr_expect_not(eex_range_has_float(&part, 1 - 1e-12));
    cr_expect_not(eex_range_has_float(&any, -1e-50));
}
