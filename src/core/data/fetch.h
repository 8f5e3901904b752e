/* Downloads. */
#ifndef EEX_CORE_DATA_FETCH_H
#define EEX_CORE_DATA_FETCH_H

#include <stdint.h>

/* Downloads `url` to `path`. What came before an interruption lies in PATH.download and is
 * continued from by the next call. `size` is about what is expected (0: unknown), for progress; a
 * server that sends more than twice as much is refused. EEX_EIO says what failed, EEX_EINTERRUPTED
 * how to go on; EEX_EUNSUPPORTED when the program was built without libcurl. */
int eex_fetch(const char *path, const char *url, uint64_t size);

/* Unpacks an archive into a folder, which must exist, with the system's tar or, for .zip, unzip. */
int eex_unpack(const char *archive, const char *folder);

#endif
