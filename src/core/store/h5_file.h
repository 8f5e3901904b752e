/* A file in HDF5's format, read without the HDF5 library: what a file from anywhere says is checked
 * before it is used. docs/store-format.md says which part of the format is read.
 *
 * h5_file.h       bytes and blocks of the file, and what is said of them
 * h5_object.h     an object header and its messages
 * h5_link.h       the members of a group
 * h5_attribute.h  the attributes of an object
 * h5_type.h       types of elements, and extents
 * h5_layout.h     how an array is stored
 * h5_chunks.h     where its chunks are
 * h5_filter.h     what a chunk went through
 * h5_array.h      reading an array
 * h5_heap.h, h5_btree.h: where many links or attributes are
 *
 * The format: "HDF5 File Format Specification Version 3.0", The HDF Group. Every structure that is
 * read has a checksum, which is checked first. Every address, size and count is compared with the
 * file's size, so that work and memory are bounded by what there is: blocks that count each other,
 * or twice, are refused. */
#ifndef EEX_CORE_STORE_H5_FILE_H
#define EEX_CORE_STORE_H5_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address that leads nowhere. */
#define EEX__H5_NOWHERE UINT64_MAX

typedef struct eex__h5_file {
    const char *path; /* borrowed */
    const char *name; /* what is being read, for messages: "train/images"; NULL: the file itself */
    const char *kind; /* what the file should be, for messages (kinds.h); NULL: anything */
    int fd;
    uint64_t size; /* bytes in the file */
    uint64_t root; /* address of the root group's header */
    /* Bytes of structures that may still be read; NULL: as many as one likes. A file needs each of
     * its own a few times; one whose objects share them could ask for any number. */
    uint64_t *structures_left;
} eex__h5_file;

enum { EEX__H5_SIGNATURE = 8 }; /* bytes */

/* Whether a file that begins with these bytes is in HDF5's format. */
bool eex__h5_begins(const uint8_t bytes[EEX__H5_SIGNATURE]);

/* Opens a regular file and reads its superblock. EEX_ENOTFOUND, EEX_EIO, EEX_EFORMAT, EEX_ENOMEM.
 * On failure there is nothing to close. `path` and `kind` must stay. */
int eex__h5_open(eex__h5_file *file, const char *path, const char *kind);
void eex__h5_close(eex__h5_file *file);

/* Reads bytes of `what` ("the header of the object"). EEX_EFORMAT when they lie outside of the
 * file. */
int eex__h5_read(void *out, const eex__h5_file *file, uint64_t address, uint64_t size,
                 const char *what);

/* The same of what says where content is and what it is, which counts against structures_left. */
int eex__h5_read_structure(void *out, const eex__h5_file *file, uint64_t address, uint64_t size,
                           const char *what);

/* Reads a structure into new memory: it must begin with the four letters of `signature` and end
 * with the checksum of what is before. */
int eex__h5_read_block(uint8_t **out, const eex__h5_file *file, uint64_t address, uint64_t size,
                       const char *signature, const char *what);

/* Whether the last four bytes are the checksum of those before them. */
bool eex__h5_checksum_is_right(const uint8_t *block, size_t size);

/* "PATH: /name: damaged: ...; remedy" and EEX_EFORMAT. */
int eex__h5_damaged(const eex__h5_file *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "PATH: /name: ...; remedy" and EEX_EFORMAT: sound, but not read here. */
int eex__h5_refused(const eex__h5_file *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts what to do about the file behind the message that there is; `code`. */
int eex__h5_advise(const eex__h5_file *file, int code);

int eex__h5_no_memory(const eex__h5_file *file);

/* Makes room for one more in a list of `count` items whose capacity is the next power of two. NULL
 * when there is no memory: the old list is still there. */
void *eex__h5_grown(void *list, size_t count, size_t item_bytes);

#endif
