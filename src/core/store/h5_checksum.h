/* The two checksums of HDF5: Bob Jenkins' lookup3 ("hashlittle") under every structure, Fletcher-32
 * behind every chunk of data. */
#ifndef EEX_CORE_STORE_H5_CHECKSUM_H
#define EEX_CORE_STORE_H5_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint32_t eex__h5_lookup3(const void *data, size_t size);

/* Of 16-bit words, the high byte first; an odd last byte is a word's high one. */
uint32_t eex__h5_fletcher32(const void *data, size_t size);

#endif
