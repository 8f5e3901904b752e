/* Descriptors of data sets that can be downloaded: datasets/NAME.txt, lines of "key = value".
 *
 *     title     what it is, in a line
 *     home      the page that describes it
 *     url       of the archive (https, http, file)
 *     file      the name to keep the archive under
 *     size      of the archive in bytes, about: for progress
 *     md5, sha256   of the archive; one of them at least
 *     layout    cifar10, cifar100 or folder: how it is imported
 *     inner     an archive inside the archive, to be unpacked as well (optional)
 *
 * '#' begins a comment line. */
#ifndef EEX_CORE_DATA_DESCRIPTOR_H
#define EEX_CORE_DATA_DESCRIPTOR_H

#include <stdint.h>

typedef struct eex_descriptor {
    char name[64]; /* of the data set: the file's name without .txt */
    char title[200], home[300], url[500], file[200], layout[32], inner[200];
    char md5[40], sha256[80]; /* "" when not given */
    uint64_t size;            /* 0: unknown */
} eex_descriptor;

/* Reads one file. EEX_EFORMAT names file and line. */
int eex_descriptor_read(eex_descriptor *out, const char *path);

/* Finds the one of that name among the files that come with the program. EEX_ENOTFOUND lists the
 * names that there are. */
int eex_descriptor_find(eex_descriptor *out, const char *name);

/* All of them, sorted by name; *out is the caller's (free). */
int eex_descriptor_list(eex_descriptor **out, int *count);

#endif
