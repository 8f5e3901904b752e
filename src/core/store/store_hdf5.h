/* What the store's files share. Only src/core/store*.c include this: it shows HDF5. */
#ifndef EEX_CORE_STORE_STORE_HDF5_H
#define EEX_CORE_STORE_STORE_HDF5_H

#include "core/store/store.h"
#include "core/store/store_reader.h"

#include <hdf5.h>

/* A file is either read, without HDF5's library, or written with it. */
struct eex_store_file {
    char *path;
    int version;
    eex__reader *reader; /* NULL when it is written */
    /* Of a file that is written: */
    hid_t id;
    char *part;      /* where it is until it is committed; NULL when it is read */
    bool made;       /* whether the part is there, and ours */
    int error;       /* errno of the first failure to write, see store_driver.c */
    uint64_t packed; /* bytes that went through deflate so far */
    hid_t array;     /* the array used last, kept open for what follows; or H5I_INVALID_HID */
    char *array_name;
    eex__sealing sealing;
};

enum {
    /* Smaller arrays lie in the object header, which has a checksum of its own. */
    EEX__STORE_COMPACT_BYTES = 32 * 1024,
    EEX__STORE_CHUNK_BYTES = 1024 * 1024,
    EEX__STORE_ROW_CHUNK_BYTES = 128 * 1024
};

/* Whatever writes is between these two: HDF5 is not thread-safe. leave returns its code. */
void eex__store_enter(void);
int eex__store_leave(int code);

/* "PATH: /name: what happened (HDF5's innermost message)". When the system's errno is in HDF5's
 * message the code becomes EEX_EIO with its text. Call it before any other HDF5 call. */
int eex__store_fail(int code, const eex_store_file *file, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Makes HDF5 write through store_driver.c. Negative on failure. */
int eex__store_use_driver(hid_t access, int *error, bool *made);

/* Names without a leading slash, "/" for the root; EEX_EINVAL for empty components and the like. */
int eex__store_check_name(const eex_store_file *file, const char *name);
const char *eex__store_object(const char *name);

/* EEX_EINVAL for a type that there is not, and for no shape. */
int eex__store_check_type(const eex_store_file *file, const char *name, eex_store_type type,
                          const eex_store_shape *shape);

/* EEX_EINVAL when the file is read, EEX_EIO when writing it has failed already. */
int eex__store_check_writing(const eex_store_file *file, const char *name);

/* Makes the group and those above it; with `parents`, only those above. */
int eex__store_make_groups(eex_store_file *file, const char *name, bool parents);

/* Opens an array of a file that is written, through the one-entry cache; borrowed. */
int eex__store_open_array(hid_t *out, eex_store_file *file, const char *name);
void eex__store_forget_array(eex_store_file *file);

/* Makes an array, which the seal will list as of that type. The result is cached. */
int eex__store_make_array(hid_t *out, eex_store_file *file, const char *name, hid_t type,
                          const char *type_name, const eex_store_shape *shape, bool grows,
                          bool pack);

/* Elements from axis `first` on; UINT64_MAX when they do not fit 2^63 bytes of any type. */
uint64_t eex__store_count(const eex_store_shape *shape, int first);

/* Writes the seal of what was written into the file. */
int eex__store_seal(eex_store_file *file);

/* Opens a file as eex_store_open does, and looks at no other. */
int eex__store_open_alone(eex_store_file **out, const char *path, const char *kind, int version);

/* Compares the files that it was made with (eex_store_made_with) with those that are there now. */
int eex__store_check_company(eex_store_file *file);

/* Locks the reader of a file that is read. EEX_EINVAL when it is written. */
int eex__store_begin_reading(const eex_store_file *file);
/* Unlocks it and returns the code. */
int eex__store_end_reading(const eex_store_file *file, int code);

/* Reads a list of strings of fixed length; one string is a list of one. */
int eex__reader_strings(eex_store_list *out, eex__reader *reader, const char *name,
                        size_t max_bytes);

#endif
