/* Reads the fixtures that tests/fixtures/make_training_step.py writes: records "NAME TYPE COUNT",
 * a newline, COUNT little-endian values, a newline. Any failure fails the test. */
#ifndef EEX_TESTS_SUPPORT_FIXTURE_H
#define EEX_TESTS_SUPPORT_FIXTURE_H

#include <stddef.h>

typedef struct fixture fixture;

fixture *fixture_open(const char *path);
void fixture_close(fixture *f);

/* The values of a record of that type ("u8", "i32", "f32", "f64"), borrowed and aligned; NULL when
 * there is none of that name. *count may be NULL. The name is printf-style. */
const void *fixture_find(const fixture *f, size_t *count, const char *type, const char *name, ...)
    __attribute__((format(printf, 4, 5)));

#endif
