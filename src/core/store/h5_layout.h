/* How an array is stored: in its header, in one piece, or in chunks, which go through filters. */
#ifndef EEX_CORE_STORE_H5_LAYOUT_H
#define EEX_CORE_STORE_H5_LAYOUT_H

#include "core/store/h5_object.h"
#include "core/store/h5_type.h"

typedef enum eex__h5_storage {
    EEX__H5_COMPACT,
    EEX__H5_CONTIGUOUS,
    EEX__H5_CHUNKED
} eex__h5_storage;

/* How the chunks are found. */
typedef enum eex__h5_index {
    EEX__H5_SINGLE = 1,     /* there is one */
    EEX__H5_IMPLICIT = 2,   /* one behind the other */
    EEX__H5_FIXED = 3,      /* a table: the extents are fixed */
    EEX__H5_EXTENSIBLE = 4, /* tables of tables: one axis grows */
    EEX__H5_BTREE = 5       /* a tree: several axes grow */
} eex__h5_index;

typedef enum eex__h5_filter_id {
    EEX__H5_DEFLATE = 1,
    EEX__H5_SHUFFLE = 2,
    EEX__H5_FLETCHER32 = 3
} eex__h5_filter_id;

enum { EEX__H5_MAX_FILTERS = 8 };

typedef struct eex__h5_filters {
    int count; /* in the order in which they were applied */
    eex__h5_filter_id id[EEX__H5_MAX_FILTERS];
    uint32_t unit[EEX__H5_MAX_FILTERS]; /* shuffle: bytes of an element */
} eex__h5_filters;

typedef struct eex__h5_layout {
    eex__h5_storage storage;
    uint64_t address;    /* of the data, or of the chunks' index */
    uint64_t size;       /* bytes that are stored; of a filtered single chunk */
    uint32_t left_out;   /* filters, as bits: of a filtered single chunk */
    const uint8_t *data; /* compact */
    eex__h5_index index;
    uint64_t chunk[EEX__H5_MAX_RANK]; /* extents */
    uint64_t chunk_bytes;             /* without filters */
    eex__h5_filters filters;
} eex__h5_layout;

/* Refuses what would read other files, run plugins or need chunks above 64 MiB. */
int eex__h5_layout_read(eex__h5_layout *out, const eex__h5_file *file, const eex__h5_object *array,
                        const eex__h5_type *type, const eex__h5_space *space);

#endif
