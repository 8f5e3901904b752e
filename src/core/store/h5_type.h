/* Types of elements, and extents. */
#ifndef EEX_CORE_STORE_H5_TYPE_H
#define EEX_CORE_STORE_H5_TYPE_H

#include "core/store/h5_file.h"

typedef enum eex__h5_class {
    EEX__H5_INTEGER = 0, /* of 8, 16, 32 or 64 bits */
    EEX__H5_FLOAT = 1,   /* IEEE's of 16, 32 or 64 bits */
    EEX__H5_STRING = 3,  /* of fixed length */
    EEX__H5_OTHER = 100  /* everything else, `other` names it */
} eex__h5_class;

typedef struct eex__h5_type {
    eex__h5_class class;
    uint32_t size; /* bytes of an element */
    bool big_endian, has_sign;
    bool pads_with_spaces; /* strings, otherwise with NUL */
    const char *other;
} eex__h5_type;

enum { EEX__H5_MAX_RANK = 32 };

typedef struct eex__h5_space {
    int rank; /* 0: one element; -1: none at all ("null") */
    uint64_t extent[EEX__H5_MAX_RANK];
    uint64_t most[EEX__H5_MAX_RANK]; /* how far it may grow; UINT64_MAX: without end */
} eex__h5_space;

int eex__h5_type_parse(eex__h5_type *out, const eex__h5_file *file, const uint8_t *data,
                       size_t size);
int eex__h5_space_parse(eex__h5_space *out, const eex__h5_file *file, const uint8_t *data,
                        size_t size);

/* How many elements; EEX_EFORMAT when that many bytes cannot be counted. */
int eex__h5_space_count(uint64_t *out, const eex__h5_file *file, const eex__h5_space *space);

/* Turns big-endian elements around. */
void eex__h5_to_little_endian(void *data, uint64_t count, const eex__h5_type *type);

#endif
