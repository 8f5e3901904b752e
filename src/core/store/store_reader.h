/* A file that is read: finding objects by name, and remembering what was found. Only src/core/store
 * includes this. */
#ifndef EEX_CORE_STORE_STORE_READER_H
#define EEX_CORE_STORE_STORE_READER_H

#include "core/store/h5_array.h"
#include "core/store/h5_attribute.h"
#include "core/store/h5_link.h"
#include "core/store/seal.h"
#include "core/store/store.h"

#include <pthread.h>

enum {
    EEX__STORE_MAX_NAME = 1000,
    EEX__STORE_MAX_NAMES = 1 << 20,
    /* What is kept at hand: groups for a path and some beside it, so that who goes through a file
     * in the order of its names reads each group once. */
    EEX__READER_DEPTH = 24,
    EEX__READER_GROUPS = 32,
    EEX__READER_OBJECTS = 8
};

typedef struct eex__reader_group {
    uint64_t address, used; /* `used`: when it was needed last */
    eex__h5_links links;
} eex__reader_group;

typedef struct eex__reader_object {
    uint64_t used;
    eex__h5_object header;
    bool has_attributes, is_array; /* whether these were looked at */
    eex__h5_attributes attributes;
    eex__h5_array array;
} eex__reader_object;

typedef struct eex__reader {
    pthread_mutex_t lock;
    eex__h5_file file;
    char name[EEX__STORE_MAX_NAME + 1]; /* what is being looked for, see file.name */
    /* Those used last. */
    eex__reader_group group[EEX__READER_GROUPS];
    eex__reader_object object[EEX__READER_OBJECTS];
    uint64_t clock;
    uint64_t structures_left; /* bytes, see file.structures_left */
    uint64_t unpacked_left;   /* bytes that arrays may still have beyond what is usual */
    eex__h5_reader chunk;
    bool is_sealed;
    eex__seal seal;
} eex__reader;

/* Opens the file and checks its seal. `path` and `kind` (what it should be, for messages, or NULL)
 * must stay. */
int eex__reader_open(eex__reader **out, const char *path, const char *kind);
void eex__reader_close(eex__reader *reader); /* accepts NULL */

/* The calls below are made under the reader's lock; what they hand out lives until the next of
 * them. A name is a path from the root; "" and "/" are the root itself. */

/* EEX_ENOTFOUND when there is no such object, EEX_EFORMAT when that cannot be told. */
int eex__reader_address(uint64_t *out, eex__reader *reader, const char *name);
int eex__reader_find(eex__reader_object **out, eex__reader *reader, const char *name);

int eex__reader_links(const eex__h5_links **out, eex__reader *reader, const char *group);
int eex__reader_array(eex__h5_array **out, eex__reader *reader, const char *name);
int eex__reader_attributes(const eex__h5_attributes **out, eex__reader *reader, const char *name);

/* The type and the extents of an array in the store's terms. */
int eex__reader_type(eex_store_type *out, const eex__reader *reader, const eex__h5_type *type);
int eex__reader_shape(eex_store_shape *out, const eex__reader *reader, const eex__h5_space *space);

/* Reads an array as a whole, which the seal must agree with. */
int eex__reader_read(void *out, eex__reader *reader, eex__h5_array *array, const char *name);

/* Compares everything but the arrays' content with the seal, if the file has one. */
int eex__reader_check_seal(eex__reader *reader);

#endif
