/* What people are told of the kinds of files that there are: what a kind is, and what to do about a
 * file that cannot be read. Kinds that are not listed are as good as others, but nothing is said.
 */
#ifndef EEX_CORE_STORE_KINDS_H
#define EEX_CORE_STORE_KINDS_H

#include <stdbool.h>

typedef struct eex__store_kind {
    const char *name, *what;
    const char *remedy; /* NULL: that of files that a run makes again when they are gone */
    /* Nobody names such a file on a command line: what is there is meant to be one, whatever it
     * is. */
    bool by_place;
} eex__store_kind;

/* NULL: not listed. Accepts NULL. */
const eex__store_kind *eex__store_kind_of(const char *name);

/* What to do about a damaged file of that kind; NULL: nothing is known. Accepts NULL. */
const char *eex__store_remedy(const char *name);

#endif
