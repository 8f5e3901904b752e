/* The two checksums of HDF5: Bob Jenkins' lookup3 ("hashlittle") under every structure, Fletcher-32
 * behind every chunk of data. */
#ifndef EEX_CORE_STORE_H5_CHECKSUM_H
#define EEX_CORE_STORE_H5_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint32_t eex__h5_lookup3(const void *data, size_t size);

/* Of 16-bit words, the high byte first; an odd last byte is a word's high one. */
uint32_t eex__h5_fletcher32(const void *data, size_t size);

/* Whether data has the checksum that is stored with it: of a structure, of a chunk. All that is
 * read passes here, so that a fuzzer may take them all for right. */
bool eex__h5_lookup3_fits(const void *data, size_t size, uint32_t stored);
bool eex__h5_fletcher32_fits(const void *data, size_t size, uint32_t stored);

#endif
