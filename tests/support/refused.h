/* Calls that cannot be, in tests of what is refused, and calls that have nothing to do. */
#ifndef EEX_TESTS_SUPPORT_REFUSED_H
#define EEX_TESTS_SUPPORT_REFUSED_H

#include "base/status.h"

#include <criterion/criterion.h>
#include <string.h>

/* The call is refused, with a message of its own. */
#define REFUSED(call)                                                                       \
    do {                                                                                    \
        (void)eex_fail(EEX_EIO, "of an earlier call");                                      \
        cr_expect_eq((call), EEX_EINVAL, "%s: %s", #call, eex_error());                     \
        cr_expect(strcmp(eex_error(), "of an earlier call") != 0, "%s: no message", #call); \
    } while (0)

/* The call does nothing: the message of an earlier failure is still the last one. */
#define NOTHING_HAPPENS(call)                                                   \
    do {                                                                        \
        (void)eex_fail(EEX_EIO, "of an earlier call");                          \
        (call);                                                                 \
        cr_expect_str_eq(eex_error(), "of an earlier call", "%s spoke", #call); \
    } while (0)

#endif
