/* What people are told of the kinds of files that there are: what a kind is, and what to do about a
 * file that cannot be read. Kinds that are not listed are as good as others, but nothing is said.
 */
#ifndef EEX_CORE_STORE_KINDS_H
#define EEX_CORE_STORE_KINDS_H

typedef struct eex__store_kind {
    const char *name, *what;
    const char *remedy; /* never "remove": it may be another file altogether */
} eex__store_kind;

/* NULL: not listed. Accepts NULL. */
const eex__store_kind *eex__store_kind_of(const char *name);

/* What to do about a file of that kind that cannot be read; NULL: nothing is known. Accepts NULL.
 */
const char *eex__store_remedy(const char *name);

#endif
