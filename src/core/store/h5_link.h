/* The members of a group. */
#ifndef EEX_CORE_STORE_H5_LINK_H
#define EEX_CORE_STORE_H5_LINK_H

#include "core/store/h5_object.h"

enum { EEX__H5_HARD_LINK = 0 }; /* others lead out of the group, or out of the file */

typedef struct eex__h5_link {
    char *name;
    uint64_t address; /* of the object's header */
    int type;
} eex__h5_link;

typedef struct eex__h5_links {
    eex__h5_link *link; /* sorted by name */
    size_t count;
} eex__h5_links;

/* On failure *out is {0}. */
int eex__h5_links_read(eex__h5_links *out, const eex__h5_file *file, const eex__h5_object *group);
void eex__h5_links_free(eex__h5_links *links); /* accepts {0} */

/* NULL when there is no such member. */
const eex__h5_link *eex__h5_links_find(const eex__h5_links *links, const char *name);

#endif
