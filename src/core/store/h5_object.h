/* An object header (version 2): a list of messages, in one block or several. */
#ifndef EEX_CORE_STORE_H5_OBJECT_H
#define EEX_CORE_STORE_H5_OBJECT_H

#include "core/store/h5_file.h"

typedef enum eex__h5_message_type {
    EEX__H5_NIL = 0x00,
    EEX__H5_DATASPACE = 0x01,
    EEX__H5_LINK_INFO = 0x02,
    EEX__H5_DATATYPE = 0x03,
    EEX__H5_FILL_VALUE = 0x05,
    EEX__H5_LINK = 0x06,
    EEX__H5_EXTERNAL_FILES = 0x07,
    EEX__H5_LAYOUT = 0x08,
    EEX__H5_FILTERS = 0x0b,
    EEX__H5_ATTRIBUTE = 0x0c,
    EEX__H5_CONTINUATION = 0x10,
    EEX__H5_SYMBOL_TABLE = 0x11,
    EEX__H5_ATTRIBUTE_INFO = 0x15,
    EEX__H5_MESSAGE_TYPES = 0x18
} eex__h5_message_type;

typedef struct eex__h5_message {
    uint8_t type, flags;
    uint16_t size;
    const uint8_t *data; /* in one of the object's blocks */
} eex__h5_message;

typedef struct eex__h5_block {
    uint64_t address, size;
    uint8_t *data;
} eex__h5_block;

typedef enum eex__h5_kind { EEX__H5_GROUP, EEX__H5_ARRAY, EEX__H5_NEITHER } eex__h5_kind;

typedef struct eex__h5_object {
    uint64_t address;
    eex__h5_kind kind;
    eex__h5_message *message; /* those of known types, in the order of the file */
    size_t messages;
    eex__h5_block *block;
    size_t blocks;
    uint64_t bytes; /* of all blocks */
} eex__h5_object;

/* Reads the header at an address. On failure *out is {0}. */
int eex__h5_object_read(eex__h5_object *out, const eex__h5_file *file, uint64_t address);
void eex__h5_object_free(eex__h5_object *object); /* accepts {0} */

/* The only message of a type, NULL when there is none; a second one is damage. Refuses one that is
 * kept elsewhere (a committed type). */
int eex__h5_object_find(const eex__h5_message **out, const eex__h5_file *file,
                        const eex__h5_object *object, eex__h5_message_type type);

#endif
