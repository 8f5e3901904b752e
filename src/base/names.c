#include "base/names.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

const char *eex_name_of(const eex_names *names, int value)
{
    return names && value >= 0 && value < names->count && names->name[value] ? names->name[value]
                                                                             : "?";
}

int eex_name_find(const eex_names *names, const char *name)
{
    for (int i = 0; names && name && i < names->count; i++)
        if (names->name[i] && strcmp(names->name[i], name) == 0)
            return i;
    return -1;
}

/* The first member from `at` on that is offered; count when there is none. */
static int offered(const eex_names *names, int at)
{
    while (at < names->count && !names->name[at])
        at++;
    return at;
}

const char *eex_names_list(char out[EEX_NAMES_SIZE], const eex_names *names, const char *quote,
                           const char *last)
{
    const char *before = "";
    size_t at = 0;
    *out = '\0';
    if (!names)
        return out;
    for (int i = offered(names, 0); i < names->count && at < EEX_NAMES_SIZE;) {
        const int next = offered(names, i + 1);
        const int written = snprintf(out + at, EEX_NAMES_SIZE - at, "%s%s%s%s", before, quote,
                                     names->name[i], quote);
        at += written > 0 ? (size_t)written : 0;
        before = offered(names, next + 1) < names->count ? ", " : last;
        i = next;
    }
    return out;
}

const char *eex_name_near(const eex_names *names, const char *name)
{
    if (!names || !name)
        return NULL;
    enum { MOST = 32 };
    const char *known[MOST];
    size_t count = 0;
    for (int i = offered(names, 0); i < names->count && count < MOST; i = offered(names, i + 1))
        known[count++] = names->name[i];
    return eex_text_nearest(name, known, count);
}

const char *eex_names_hint(char out[EEX_NAMES_SIZE], const eex_names *names, const char *name)
{
    const char *near = eex_name_near(names, name);
    char list[EEX_NAMES_SIZE];
    eex_names_list(list, names, "", " and ");
    if (near)
        snprintf(out, EEX_NAMES_SIZE, "did you mean \"%.100s\"? there are %.250s", near, list);
    else
        snprintf(out, EEX_NAMES_SIZE, "there are %.380s", list);
    return out;
}
