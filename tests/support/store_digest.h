/* Everything that can be read from a file of the store, as one number. */
#ifndef EEX_TESTS_STORE_DIGEST_H
#define EEX_TESTS_STORE_DIGEST_H

#include <stdint.h>

/* Opens the file as every command does and reads all groups, arrays, strings and attributes, arrays
 * of up to 64 MiB as a whole and by rows; goes on behind what is refused as not supported. Returns
 * the first other error. */
int test_store_digest(uint64_t *out, const char *path);

/* The same of a file in which all is supported: whatever is refused is an error. */
int test_store_digest_whole(uint64_t *out, const char *path);

/* Writes a file that has every structure that eex writes: small and large arrays, rows, strings,
 * groups and attributes, few and many. */
int test_store_write_sample(const char *path);

#endif
