/* The attributes of an object. */
#ifndef EEX_CORE_STORE_H5_ATTRIBUTE_H
#define EEX_CORE_STORE_H5_ATTRIBUTE_H

#include "core/store/h5_heap.h"
#include "core/store/h5_object.h"
#include "core/store/h5_type.h"

typedef struct eex__h5_attribute {
    char *name;
    eex__h5_type type;
    eex__h5_space space;
    uint64_t count;      /* elements */
    const uint8_t *data; /* in the object's header or in the heap */
    uint64_t size;       /* bytes there are: at least those of the elements */
} eex__h5_attribute;

typedef struct eex__h5_attributes {
    eex__h5_attribute *attribute; /* in the order of the file */
    size_t count;
    eex__h5_heap heap; /* where there are many of them */
} eex__h5_attributes;

/* They live as long as the object. On failure *out is {0}. */
int eex__h5_attributes_read(eex__h5_attributes *out, const eex__h5_file *file,
                            const eex__h5_object *object);
void eex__h5_attributes_free(eex__h5_attributes *attributes); /* accepts {0} */

/* NULL when there is none of that name. */
const eex__h5_attribute *eex__h5_attributes_find(const eex__h5_attributes *attributes,
                                                 const char *name);

#endif
