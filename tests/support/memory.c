#include "support/memory.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

static long countdown; /* the allocation that brings it to 0 fails; negative: none does */

static atomic_long made;

static bool fails(void)
{
    made++;
    return countdown > 0 && --countdown == 0;
}

/* The linker sends calls of f to __wrap_f, and those of __real_f to f. */
#define WRAP(name, parameters, arguments)                \
    void *__real_##name parameters;                      \
    void *__wrap_##name parameters;                      \
    void *__wrap_##name parameters                       \
    {                                                    \
        return fails() ? NULL : __real_##name arguments; \
    }

WRAP(malloc, (size_t size), (size))
WRAP(calloc, (size_t count, size_t size), (count, size))
WRAP(realloc, (void *memory, size_t size), (memory, size))
WRAP(strdup, (const char *text), (text))
WRAP(strndup, (const char *text, size_t size), (text, size))

static void expect_no_leak(void)
{
#ifdef __SANITIZE_ADDRESS__
    cr_assert_eq(__lsan_do_recoverable_leak_check(), 0, "memory leaked");
#endif
}

int test_fail_each_allocation(test_scenario scenario)
{
    for (int failing = 1;; failing++) {
        eex_fail(EEX_OK, "%s", "");
        countdown = failing;
        const int code = scenario();
        const bool through = countdown > 0;
        countdown = 0;
        if (through) {
            cr_assert_eq(code, EEX_OK, "without a failure: %s", eex_error());
            expect_no_leak();
            return failing - 1;
        }
        cr_assert(code == EEX_OK || code == EEX_ENOMEM, "allocation %d: %s, %s", failing,
                  eex_status_name(code), eex_error());
        cr_assert(code == EEX_OK || strstr(eex_error(), "memory"), "allocation %d: \"%s\"", failing,
                  eex_error());
    }
}

long test_allocations(void)
{
    return made;
}
