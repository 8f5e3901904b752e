/* MD5 (RFC 1321), only because some data sets are published with no other checksum. */
#ifndef EEX_BASE_MD5_H
#define EEX_BASE_MD5_H

enum { EEX_MD5_HEX = 33 };

/* Of a whole file, as 32 lower-case hexadecimal digits and a NUL. EEX_ENOTFOUND, EEX_EIO,
 * EEX_EINTERRUPTED on Ctrl-C. */
int eex_md5_file(char out[EEX_MD5_HEX], const char *path);

#endif
