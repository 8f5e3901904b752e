/* Names of an enum's members: one table beside the enum, from which members are written, read,
 * listed and checked. A member's value is its place in the table. */
#ifndef EEX_BASE_NAMES_H
#define EEX_BASE_NAMES_H

#include <stddef.h>

typedef struct eex_names {
    const char *const *name; /* (count); NULL: this member is not offered */
    int count;
} eex_names;

/* The name of a member; "?" where it has none. */
const char *eex_name_of(const eex_names *names, int value);

/* The member of that name, -1 when there is none. */
int eex_name_find(const eex_names *names, const char *name);

/* Writes all names as far as they fit: `"a", "b" and "c"` with the quote "\"" and the last
 * separator " and ". Returns `out`. */
enum { EEX_NAMES_SIZE = 400 };
const char *eex_names_list(char out[EEX_NAMES_SIZE], const eex_names *names, const char *quote,
                           const char *last);

/* The name most like this one, NULL when none is near. */
const char *eex_name_near(const eex_names *names, const char *name);

/* What is to be said of a name that is none of these: `did you mean "b"? there are a, b and c`, as
 * far as it fits; without the question when none is near. Returns `out`. */
const char *eex_names_hint(char out[EEX_NAMES_SIZE], const eex_names *names, const char *name);

/* Defines `const eex_names *PREFIX_names(void)`; each of the `members` members has to have an
 * entry: EEX_NAMES_TABLE(eex_act, EEX_ACTS, [EEX_ACT_RELU] = "relu", ...); */
#define EEX_NAMES_TABLE(prefix, members, ...) EEX__NAMES(, prefix, members, __VA_ARGS__)

/* Likewise, for one file alone. */
#define EEX_NAMES_LOCAL(prefix, members, ...) EEX__NAMES(static, prefix, members, __VA_ARGS__)

/* That, and `const char *PREFIX_name(TYPE value)`, both declared in a header. */
#define EEX_NAMES(prefix, type, members, ...)               \
    const char *prefix##_name(type value)                   \
    {                                                       \
        return eex_name_of(prefix##_names(), (int)(value)); \
    }                                                       \
    EEX_NAMES_TABLE(prefix, members, __VA_ARGS__)

#define EEX__NAMES(storage, prefix, members, ...)                \
    static const char *const prefix##_list[] = {__VA_ARGS__};    \
    storage const eex_names *prefix##_names(void)                \
    {                                                            \
        static const eex_names names = {prefix##_list, members}; \
        return &names;                                           \
    }                                                            \
    _Static_assert(sizeof prefix##_list / sizeof *prefix##_list == (members), "a name a member")

#endif
