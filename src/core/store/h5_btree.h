/* B-trees (version 2) of records: links and attributes by name, chunks by place. */
#ifndef EEX_CORE_STORE_H5_BTREE_H
#define EEX_CORE_STORE_H5_BTREE_H

#include "core/store/h5_file.h"

typedef enum eex__h5_btree_type {
    EEX__H5_BTREE_HUGE = 1,     /* address, bytes, number of a large object of a heap */
    EEX__H5_BTREE_LINKS = 5,    /* hash of the name, place in the heap */
    EEX__H5_BTREE_NAMES = 8,    /* place in the heap, flags, order, hash of the name */
    EEX__H5_BTREE_CHUNKS = 10,  /* address, place in units of chunks */
    EEX__H5_BTREE_FILTERED = 11 /* address, bytes, filters left out, place */
} eex__h5_btree_type;

/* Takes a record of the size that the tree says; negative ends the walk. */
typedef int (*eex__h5_visit)(void *data, const uint8_t *record, size_t size);

/* Visits all records, in order. */
int eex__h5_btree_visit(const eex__h5_file *file, uint64_t address, eex__h5_btree_type type,
                        eex__h5_visit visit, void *data);

#endif
