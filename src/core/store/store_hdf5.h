/* What the store's files share. Only src/core/store*.c include this: it shows HDF5. */
#ifndef EEX_CORE_STORE_STORE_HDF5_H
#define EEX_CORE_STORE_STORE_HDF5_H

#include "core/store/store.h"

#include <hdf5.h>

struct eex_store_file {
    hid_t id;
    char *path;
    char *part; /* where it is written until it is committed; NULL when it is read */
    int version;
    int error;   /* errno of the first failure to write, see store_driver.c */
    hid_t array; /* the array used last, kept open for what follows; or H5I_INVALID_HID */
    char *array_name;
};

enum {
    EEX__STORE_MAX_NAME = 1000,
    /* Smaller arrays lie in the object header, which has a checksum of its own. */
    EEX__STORE_COMPACT_BYTES = 32 * 1024,
    EEX__STORE_CHUNK_BYTES = 1024 * 1024,
    EEX__STORE_ROW_CHUNK_BYTES = 128 * 1024,
    EEX__STORE_MAX_CHUNK_BYTES = 64 * 1024 * 1024, /* in files that are read */
    EEX__STORE_MAX_NAMES = 1 << 20
};

/* Every public function is between these two: HDF5 is not thread-safe. leave returns its code. */
void eex__store_enter(void);
int eex__store_leave(int code);

/* "PATH: /name: what happened (HDF5's innermost message)". When the system's errno is in HDF5's
 * message the code becomes EEX_EIO with its text. Call it before any other HDF5 call. */
int eex__store_fail(int code, const eex_store_file *file, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Makes HDF5 write through store_driver.c. Negative on failure. */
int eex__store_use_driver(hid_t access, int *error);

/* Names without a leading slash, "/" for the root; EEX_EINVAL for empty components and the like. */
int eex__store_check_name(const eex_store_file *file, const char *name);
const char *eex__store_object(const char *name);

/* EEX_EINVAL when the file is read, EEX_EIO when writing it has failed already. */
int eex__store_check_writing(const eex_store_file *file, const char *name);

/* Finds an object by hard links alone: soft and external links could lead out of the file. */
int eex__store_find(H5O_type_t *type, const eex_store_file *file, const char *name);

/* Makes the group and those above it; with `parents`, only those above. */
int eex__store_make_groups(eex_store_file *file, const char *name, bool parents);

/* Opens an array through the file's one-entry cache; borrowed. Refuses storage that could read
 * other files, run plugins or need huge chunks. */
int eex__store_open_array(hid_t *out, eex_store_file *file, const char *name);
void eex__store_forget_array(eex_store_file *file);

/* Shape of an open array; EEX_EFORMAT when its rank is above EEX_STORE_MAX_RANK. */
int eex__store_shape(eex_store_shape *shape, const eex_store_file *file, const char *name,
                     hid_t array);

/* Makes an array. `max` has H5S_UNLIMITED where it may grow, or is NULL. The result is cached. */
int eex__store_make_array(hid_t *out, eex_store_file *file, const char *name, hid_t type,
                          const eex_store_shape *shape, bool grows, bool pack);

#endif
