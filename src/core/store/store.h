/* The store: typed arrays, strings and attributes in HDF5 files that are complete or absent.
 *
 * A file is written aside (PATH.<pid>.part) and renamed when it is committed; until then PATH keeps
 * what it had. Nothing is ever changed in place. Files use HDF5's checksummed structures
 * (superblock 2 and up, version 2 object headers, Fletcher-32 on every chunk) and carry a seal, a
 * list of all that is in them with sums (seal.h), so that corruption is found instead of believed;
 * h5py and h5dump read them. docs/store-format.md has the conventions.
 *
 * Writing goes through HDF5's library, reading through a reader of our own (h5_file.h) for the part
 * of the format that eex and h5py write: a file may come from anyone, and must not harm who opens
 * it.
 *
 * Names are paths of links from the root: "train/images". Groups on the way are made as needed.
 * Object "" or "/" is the root group. Arrays are row-major, little-endian.
 *
 * Errors everywhere: EEX_EIO (the system refused), EEX_EFORMAT (truncated, damaged, or not what the
 * caller expects; the message names file and object), EEX_ENOTFOUND (no such file or object: never
 * for what is damaged), EEX_EVERSION, EEX_ENOMEM, EEX_EINVAL, EEX_EINTERRUPTED (in reads of more
 * than 64 MiB, and in files of more than 16 MiB that is packed). Reads check type, rank and extents
 * before they allocate, and that the file holds as much.
 *
 * Any thread may call any function: files are written under one lock, each file is read under its
 * own. */
#ifndef EEX_CORE_STORE_STORE_H
#define EEX_CORE_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct eex_store_file eex_store_file;

typedef enum eex_store_type {
    EEX_STORE_U8,
    EEX_STORE_I32,
    EEX_STORE_U32,
    EEX_STORE_I64,
    EEX_STORE_U64,
    EEX_STORE_F32,
    EEX_STORE_F64,
    EEX_STORE_TYPES
} eex_store_type;

enum {
    EEX_STORE_MAX_RANK = 8,
    EEX_STORE_MAX_ATTRIBUTE = 32 * 1024 /* bytes */
};

typedef struct eex_store_shape {
    int rank; /* 0: one scalar */
    uint64_t extent[EEX_STORE_MAX_RANK];
} eex_store_shape;

/* Any extent will do: for the `expected` shape of reads that allocate. */
#define EEX_STORE_ANY UINT64_MAX

typedef struct eex_store_list {
    size_t count;
    char **item;
} eex_store_list;

void eex_store_list_free(eex_store_list *list); /* accepts NULL and {0}; leaves {0} */

size_t eex_store_type_size(eex_store_type type);
const char *eex_store_type_name(eex_store_type type); /* "uint8", "float32", ... */

/* ---- files ---- */

/* Opens a file for reading and compares everything in it but the arrays' content with its seal, if
 * it has one, and what it was made with with what is there (eex_store_made_with, below); content is
 * compared when it is read as a whole. `kind` must be what its attribute
 * eex_format says ("dataset", "weights", "trial", "trace", "policy", "checkpoint", "run"), NULL
 * accepts every kind; it must stay, messages name it. A file whose eex_format_version is above
 * `version` is refused with EEX_EVERSION. */
int eex_store_open(eex_store_file **out, const char *path, const char *kind, int version);

/* Begins a new file of that kind and version. PATH's folder must exist. */
int eex_store_create(eex_store_file **out, const char *path, const char *kind, int version);

/* Ends writing: flush, fsync, rename to PATH, fsync of the folder. *file is gone and NULL
 * afterwards, whether or not it worked; when it did not, PATH is as it was before. */
int eex_store_commit(eex_store_file **file);

/* Closes a file that is read; abandons one that is written and removes what was there of it. */
void eex_store_close(eex_store_file *file); /* accepts NULL */

/* A whole file by one function: begins it, has `fill` write into it, and commits it; when anything
 * fails, PATH is as it was before. The context is handed on. */
typedef int (*eex_store_fill)(eex_store_file *file, const void *context);
int eex_store_write_file(const char *path, const char *kind, int version, eex_store_fill fill,
                         const void *context);

/* Opens a file, has `use` read from it, and closes it. */
typedef int (*eex_store_use)(eex_store_file *file, void *context);
int eex_store_read_file(const char *path, const char *kind, int version, eex_store_use use,
                        void *context);

const char *eex_store_path(const eex_store_file *file); /* borrowed */
int eex_store_version(const eex_store_file *file);      /* of the file's format */

/* EEX_EFORMAT with the file in front of the message, and what to do about a file of its kind behind
 * it: for what a file says that cannot be, or does not go with the rest. */
int eex_store_refuse(const eex_store_file *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether two files that are read hold the same arrays and texts, by what their seals say of them;
 * attributes of groups, such as seconds, do not count. False where one has no seal. */
bool eex_store_same(const eex_store_file *a, const eex_store_file *b);

enum { EEX_STORE_SUM = 17 }; /* 16 hexadecimal digits and the end */

/* A sum over the same of a file that is read, of all that is below a group ("": the whole file):
 * for telling whether it is still what something else was made from. False where it has no seal. */
bool eex_store_sum(char out[EEX_STORE_SUM], const eex_store_file *file, const char *group);

/* ---- files that go together ---- */

/* Says in a file that is being written which others in its folder it was made with: their names,
 * and sums of what they hold now. Those that are not there, or have no seal, are left out. Whoever
 * opens the file under its name compares those that are there then, and refuses it with EEX_EFORMAT
 * where one holds something else; what cannot be opened is for its own reader to refuse. A name has
 * no folder, no blank and no newline. */
int eex_store_made_with(eex_store_file *file, const char *const *names, int count);

/* ---- what is in a file ---- */

/* 1: there is an object of that name; 0: there is none; negative: that cannot be told, because what
 * would say so is damaged. So a condition takes what is damaged for there, and reading it says what
 * is wrong. */
int eex_store_has(eex_store_file *file, const char *name);

/* Names of the members of a group, sorted. */
int eex_store_names(eex_store_list *out, eex_store_file *file, const char *group);

/* Type and shape of an array. EEX_EFORMAT when it is something else. */
int eex_store_describe(eex_store_type *type, eex_store_shape *shape, eex_store_file *file,
                       const char *name);

/* ---- arrays ---- */

int eex_store_make_group(eex_store_file *file, const char *name);

/* Writes a whole array; data may be NULL when it has no elements. */
int eex_store_write(eex_store_file *file, const char *name, eex_store_type type,
                    const eex_store_shape *shape, const void *data);

/* The same through shuffle and deflate: for what repeats itself (traces, indices), not weights,
 * which have to be saved after a signal: a file with more than 16 MiB of these is given up then. */
int eex_store_write_packed(eex_store_file *file, const char *name, eex_store_type type,
                           const eex_store_shape *shape, const void *data);

/* Reads a whole array of exactly this type and shape into out. */
int eex_store_read(void *out, eex_store_file *file, const char *name, eex_store_type type,
                   const eex_store_shape *shape);

/* Reads a whole array into new memory (free it with free). `shape` holds the expected rank and
 * extents, EEX_STORE_ANY where any will do, and receives the actual ones. Arrays above `max_bytes`
 * are refused before anything is allocated. An empty array gives a non-NULL pointer. */
int eex_store_read_new(void **out, eex_store_file *file, const char *name, eex_store_type type,
                       eex_store_shape *shape, size_t max_bytes);

/* An array that grows along its first axis: shape->extent[0] is ignored, it starts with no rows.
 * Chunks are about 128 KiB. */
int eex_store_make_rows(eex_store_file *file, const char *name, eex_store_type type,
                        const eex_store_shape *shape);
int eex_store_append(eex_store_file *file, const char *name, eex_store_type type, uint64_t rows,
                     const void *data);

/* Reads rows [first, first + rows) of an array whose rows have shape->extent[1..]. */
int eex_store_read_rows(void *out, eex_store_file *file, const char *name, eex_store_type type,
                        const eex_store_shape *shape, uint64_t first, uint64_t rows);

/* ---- text ---- */

/* One string is a list of one. Strings are stored with a fixed length, padded with NUL, UTF-8. */
int eex_store_write_string(eex_store_file *file, const char *name, const char *text);
int eex_store_read_string(char **out, eex_store_file *file, const char *name, size_t max_bytes);
int eex_store_write_strings(eex_store_file *file, const char *name, const char *const *items,
                            size_t count);
int eex_store_read_strings(eex_store_list *out, eex_store_file *file, const char *name,
                           size_t max_bytes);

/* ---- attributes of an array or group ---- */

int eex_store_set_int(eex_store_file *file, const char *object, const char *name, int64_t value);
int eex_store_set_double(eex_store_file *file, const char *object, const char *name, double value);
int eex_store_set_doubles(eex_store_file *file, const char *object, const char *name,
                          const double *values, size_t count);
int eex_store_set_string(eex_store_file *file, const char *object, const char *name,
                         const char *text);

/* 1, 0 or negative, as eex_store_has. */
int eex_store_has_attribute(eex_store_file *file, const char *object, const char *name);
int eex_store_get_int(int64_t *out, eex_store_file *file, const char *object, const char *name);
int eex_store_get_double(double *out, eex_store_file *file, const char *object, const char *name);
/* Exactly `count` values. */
int eex_store_get_doubles(double *out, eex_store_file *file, const char *object, const char *name,
                          size_t count);
int eex_store_get_string(char **out, eex_store_file *file, const char *object, const char *name);

#endif
