/* How wide what is printed may be. */
#include "support/capture.h"

#include "base/terminal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void forget(void)
{
    unsetenv("COLUMNS");
}

TestSuite(terminal, .init = forget);

Test(terminal, pipes_have_any_width_unless_somebody_says)
{
    const int null = open("/dev/null", O_WRONLY);
    cr_assert_eq(eex__terminal_width(null), 0);
    setenv("COLUMNS", "57", 1);
    cr_assert_eq(eex__terminal_width(null), 57);
    close(null);
}

Test(terminal, what_is_said_goes_before_what_the_terminal_is)
{
    test_capture capture;
    test_capture_terminal(&capture, 100);
    cr_expect_eq(eex__terminal_width(STDERR_FILENO), 100);
    setenv("COLUMNS", "20", 1);
    cr_expect_eq(eex__terminal_width(STDERR_FILENO), 20);
    free(test_capture_end(&capture));
    test_capture_terminal(&capture, 0); /* one that does not say */
    unsetenv("COLUMNS");
    cr_expect_eq(eex__terminal_width(STDERR_FILENO), 80);
    free(test_capture_end(&capture));
}

Test(terminal, what_is_no_number_says_nothing)
{
    static const char *const wrong[] = {
        "", "0", "-3", "wide", "60x", " 60", "99999999999999999999"};
    const int null = open("/dev/null", O_WRONLY);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("COLUMNS", wrong[i], 1);
        cr_expect_eq(eex__terminal_width(null), 0, "\"%s\"", wrong[i]);
    }
    close(null);
}

Test(terminal, no_width_is_less_than_a_word_needs)
{
    static const char *const little[] = {"1", "7", "19", "20"};
    const int null = open("/dev/null", O_WRONLY);
    test_capture capture;
    for (size_t i = 0; i < sizeof little / sizeof *little; i++) {
        setenv("COLUMNS", little[i], 1);
        cr_expect_eq(eex__terminal_width(null), 20, "%s", little[i]);
    }
    close(null);
    unsetenv("COLUMNS");
    test_capture_terminal(&capture, 3);
    cr_expect_eq(eex__terminal_width(STDERR_FILENO), 20);
    free(test_capture_end(&capture));
}

/* What knows nothing of its terminal, or that it is none to speak of, gets no escape sequences. */
Test(terminal, a_dumb_one_is_as_none)
{
    test_capture capture;
    test_capture_terminal(&capture, 80);
    unsetenv("NO_COLOR");
    setenv("TERM", "xterm", 1);
    const bool usual = eex__terminal_is(STDERR_FILENO) && eex__terminal_colour(STDERR_FILENO);
    bool dumb = false;
    for (int empty = 0; empty < 2; empty++) {
        setenv("TERM", empty ? "" : "dumb", 1);
        dumb = dumb || eex__terminal_is(STDERR_FILENO) || eex__terminal_colour(STDERR_FILENO);
    }
    free(test_capture_end(&capture));
    cr_expect(usual);
    cr_expect(!dumb);
}
