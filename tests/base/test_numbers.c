#include "base/buffer.h"
#include "base/json.h"
#include "base/numbers.h"
#include "base/status.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[] = "/tmp/eex-locale-XXXXXX";

/* A locale with a decimal comma for this process, made where the system has none; false: it cannot
 * be had. */
static bool set_comma(void)
{
    char command[256];
    if (setlocale(LC_ALL, "de_DE.UTF-8"))
        return true;
    cr_assert(mkdtemp(folder));
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 2>/dev/null",
             folder);
    const int status = system(command);
    setenv("LOCPATH", folder, 1);
    return status == 0 && setlocale(LC_ALL, "de_DE.UTF-8");
}

static void remove_locale(void)
{
    char command[256];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_expect(system(command) == 0);
}

Test(numbers, have_a_point_in_every_locale, .fini = remove_locale)
{
    char text[EEX_TEXT_SIZE];
    double value = 0;
    eex_buffer b = EEX_BUFFER_INIT;
    if (!set_comma())
        cr_skip("no locale with a decimal comma, and localedef makes none");
    snprintf(text, sizeof text, "%.1f", 1.5);
    cr_assert_str_eq(text, "1,5", "this locale has no comma");
    eex_json json = {.out = &b};
    eex_json_double(&json, NULL, 0.125);
    eex_buffer_printf(&b, " %g", 2.5);
    cr_expect_str_eq(eex_buffer_text(&b), "0.125 2.5");
    cr_expect_str_eq(eex_text_number(text, 1234, "x"), "1.23 kx");
    cr_expect_str_eq(eex_text_time(text, 0.0015), "1.50 ms");
    cr_expect_eq(eex_text_parse_double(&value, "0.25", 0, 1, "value"), EEX_OK);
    cr_expect_eq(value, 0.25);
    cr_expect(eex_text_parse_double(&value, "0,25", 0, 1, "value") < 0);
    snprintf(text, sizeof text, "%.1f", 1.5);
    cr_expect_str_eq(text, "1,5", "the program's own locale is back");
    const locale_t before = eex_numbers_begin();
    snprintf(text, sizeof text, "%.1f", 1.5);
    cr_expect_str_eq(text, "1.5");
    eex_numbers_end(before);
    eex_buffer_free(&b);
}
