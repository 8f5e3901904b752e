/* What the files of fs.h share. */
#ifndef EEX_BASE_FS_IMPL_H
#define EEX_BASE_FS_IMPL_H

#include "base/fs.h"

/* "cannot VERB PATH: " and what errno says. EEX_ENOTFOUND, EEX_ENOMEM, EEX_EIO. */
int eex__fs_fail(const char *verb, const char *path);

/* Flushes a file or folder, opened with these flags, to the disk; file systems that cannot flush
 * folders say EINVAL, and a folder that one may write into but not read is left to the system. */
int eex__fs_flush(const char *path, int flags);

#endif
