#include "base/status.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

Test(status, fail_formats_and_returns_the_code)
{
    cr_assert_eq(eex_fail(EEX_EIO, "cannot write %s: %d", "x", 5), EEX_EIO);
    cr_assert_str_eq(eex_error(), "cannot write x: 5");
}

Test(status, fail_may_quote_the_old_message)
{
    eex_fail(EEX_EIO, "inner");
    eex_fail(EEX_EINVAL, "outer (%s)", eex_error());
    cr_assert_str_eq(eex_error(), "outer (inner)");
}

Test(status, fail_in_puts_context_in_front)
{
    eex_fail(EEX_EIO, "disk full");
    cr_assert_eq(eex_fail_in(EEX_EIO, "trial %d", 7), EEX_EIO);
    cr_assert_str_eq(eex_error(), "trial 7: disk full");
}

/* A message is one line, whatever the name in it; a whole text that is passed on stays what it is.
 */
Test(status, a_name_does_not_break_a_message)
{
    eex_fail(EEX_EIO, "cannot read %s", "a\nerror:\t\x1b[31mb\xc2\x9b");
    cr_assert_str_eq(eex_error(), "cannot read a?error:??[31mb??");
    eex_fail_in(EEX_EIO, "%s", "c\nd");
    cr_assert_str_eq(eex_error(), "c?d: cannot read a?error:??[31mb??");
    eex_fail(EEX_ESCRIPT, "%s", "x.lua:1: no\n\tat 1\x1b");
    cr_assert_str_eq(eex_error(), "x.lua:1: no\n\tat 1?");
}

Test(status, long_messages_have_2047_bytes)
{
    char longest[4000];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    eex_fail(EEX_EIO, "%s", longest);
    cr_assert_eq(strlen(eex_error()), 2047);
    eex_fail_in(EEX_EIO, "x");
    cr_assert_eq(strlen(eex_error()), 2047);
    cr_assert_eq(strncmp(eex_error(), "x: aaa", 6), 0);
    eex_fail_in(EEX_EIO, "%s", longest);
    cr_assert_eq(strlen(eex_error()), 2047);
}

/* What was expected stands at the end, and what is quoted before it. */
Test(status, long_messages_keep_both_ends)
{
    char *quoted = malloc(100000), *wide = malloc(100001);
    memset(quoted, 'x', 99999);
    quoted[99999] = '\0';
    for (size_t i = 0; i < 50000; i++)
        memcpy(wide + 2 * i, "\xc3\xa4", 3);
    for (int in = 0; in < 2; in++) {
        const char *names[] = {quoted, wide};
        eex_fail(EEX_EINVAL, "seeds: no number is \"%s\": an integer expected", names[in]);
        cr_expect(strncmp(eex_error(), "seeds: no number", 16) == 0, "%s", eex_error());
        cr_expect(strstr(eex_error(), "...") && strstr(eex_error(), "\": an integer expected"),
                  "%s", eex_error());
        cr_expect_null(strchr(eex_error(), '?'), "half a character: %s", eex_error());
        eex_fail_in(EEX_EINVAL, "%s", names[in]);
        cr_expect(strstr(eex_error(), "\": an integer expected"), "%s", eex_error());
        cr_expect_null(strchr(eex_error(), '?'), "half a character: %s", eex_error());
    }
    free(quoted);
    free(wide);
}

static void *fail_elsewhere(void *initial)
{
    strcpy(initial, eex_error());
    eex_fail(EEX_EIO, "of the other thread");
    return NULL;
}

Test(status, messages_are_per_thread)
{
    char initial[64] = "?";
    pthread_t thread;
    eex_fail(EEX_EIO, "of this thread");
    cr_assert_eq(pthread_create(&thread, NULL, fail_elsewhere, initial), 0);
    pthread_join(thread, NULL);
    cr_assert_str_eq(initial, "");
    cr_assert_str_eq(eex_error(), "of this thread");
}

static int try_twice(int first, int second, int *reached)
{
    EEX_TRY(first);
    *reached = 1;
    EEX_TRY(second);
    return EEX_OK;
}

Test(status, try_returns_the_first_failure)
{
    int reached = 0;
    cr_assert_eq(try_twice(EEX_EIO, EEX_ENOMEM, &reached), EEX_EIO);
    cr_assert_eq(reached, 0);
    cr_assert_eq(try_twice(EEX_OK, EEX_ENOMEM, &reached), EEX_ENOMEM);
    cr_assert_eq(reached, 1);
    cr_assert_eq(try_twice(EEX_OK, EEX_OK, &reached), EEX_OK);
}

Test(status, every_code_has_a_name_of_its_own)
{
    for (int a = 0; a >= EEX_ESCRIPT; a--) {
        cr_assert(strlen(eex_status_name(a)) > 0);
        for (int b = 0; b > a; b--)
            cr_assert_str_neq(eex_status_name(a), eex_status_name(b));
    }
    cr_assert_str_eq(eex_status_name(EEX_ESCRIPT - 1), "unknown status");
    cr_assert_str_eq(eex_status_name(1), "unknown status");
}
