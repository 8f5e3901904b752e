/* A file of the store as somebody writes it who knows the format and means harm: one to three of
 * its values, types, extents or names are others, and its checksums and its seal are right. */
#ifndef EEX_TESTS_SUPPORT_FORGE_H
#define EEX_TESTS_SUPPORT_FORGE_H

#include "base/buffer.h"
#include "base/rng.h"

typedef struct test_forge test_forge;

/* Reads all of a file; free it with test_forge_free. Errors: the store's. */
int test_forge_read(test_forge **out, const char *path);
void test_forge_free(test_forge *forge); /* accepts NULL */

/* Writes it to `path`, changed, and says in `what`, a line each, what was. The next call begins
 * again with what was read. */
int test_forge_write(test_forge *forge, const char *path, eex_rng *rng, eex_buffer *what);

/* Writes a file again without a group and all that is in it: as an eex wrote it that had no such
 * group. Errors: the store's. */
int test_forge_without(const char *path, const char *group);

#endif
