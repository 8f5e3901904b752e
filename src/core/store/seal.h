/* The seal of a file: a list of all objects with two sums each, and a sum of the list. It is made
 * when a file is committed and checked when it is opened, so that what is missing, exchanged or
 * damaged is found even where HDF5's own checksums say nothing. docs/store-format.md describes it.
 *
 * What an object is, is said in lines of text, of which the first sum is:
 *     float32 300 40                "group", or an array's type and extents
 *     @unit<TAB>string[2] 6c78...   attributes by name: type, extents, sum of the values' bytes
 * The second is of the content: an array's bytes, row-major and little-endian. Sums are XXH64. */
#ifndef EEX_CORE_STORE_SEAL_H
#define EEX_CORE_STORE_SEAL_H

#include "core/store/store.h"

#include "base/xxh64.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The list's name, and that of the root's attribute with its sum. */
#define EEX__SEAL_NAME "eex_seal"

enum { EEX__SEAL_HEX = 17, EEX__SEAL_TYPE = 24 };

/* ---- lines ---- */

typedef struct eex__seal_lines {
    char **line; /* the attributes' */
    size_t count;
} eex__seal_lines;

void eex__seal_lines_free(eex__seal_lines *lines); /* accepts {0} */

/* Takes an attribute away, if there is one of that name. */
void eex__seal_lines_remove(eex__seal_lines *lines, const char *name);

/* Adds an attribute. EEX_ENOMEM. */
int eex__seal_lines_add(eex__seal_lines *lines, const char *name, const char *type,
                        const eex_store_shape *shape, const void *data, size_t bytes);

/* The first sum of an object; sorts the lines. `type` "group" has no shape. EEX_ENOMEM. */
int eex__seal_head(uint64_t *out, const char *type, const eex_store_shape *shape,
                   eex__seal_lines *lines);

/* "string[12]" */
void eex__seal_string_type(char out[EEX__SEAL_TYPE], size_t bytes);

/* ---- the list ---- */

typedef struct eex__seal_entry {
    uint64_t head, content;
    const char *name; /* without a slash in front; "" for the root */
} eex__seal_entry;

typedef struct eex__seal {
    eex__seal_entry *entry; /* sorted by name */
    size_t count;
    eex_store_list text; /* what the names are in */
} eex__seal;

void eex__seal_free(eex__seal *seal); /* accepts {0} */

/* Reads the list, which it takes: lines of "HEAD CONTENT /NAME". EEX_EFORMAT without a message
 * where it is not one, EEX_ENOMEM. */
int eex__seal_parse(eex__seal *out, eex_store_list *list);

const eex__seal_entry *eex__seal_find(const eex__seal *seal, const char *name);

/* The sum of the list: of its lines, a newline behind each, in hexadecimal digits. */
void eex__seal_sum(char out[EEX__SEAL_HEX], const eex_store_list *list);

/* A sum over everything with content below a group, as eex_store_sum says. */
void eex__seal_held(char out[EEX_STORE_SUM], const eex__seal *seal, const char *group);

/* ---- making one, while a file is written ---- */

typedef struct eex__sealed_object {
    char *name;
    char type[EEX__SEAL_TYPE];
    eex_store_shape shape;
    eex__seal_lines lines;
    eex_xxh64 content;
} eex__sealed_object;

typedef struct eex__sealing {
    eex__sealed_object *object;
    size_t count;
} eex__sealing;

void eex__sealing_free(eex__sealing *sealing); /* accepts {0} */

/* A new object; "group" has no shape. EEX_ENOMEM. */
int eex__sealing_add(eex__sealing *sealing, const char *name, const char *type,
                     const eex_store_shape *shape);

/* The object of that name, which was added; the latest one is found first. */
eex__sealed_object *eex__sealing_find(const eex__sealing *sealing, const char *name);

/* The list of what was added, sorted. EEX_ENOMEM. */
int eex__sealing_list(eex_store_list *out, eex__sealing *sealing);

#endif
