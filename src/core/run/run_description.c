#include "core/run/run_description.h"

#include <stdio.h>
#include <string.h>

static size_t line_length(const char *text)
{
    return strcspn(text, "\n");
}

size_t eex__entry_path(const char *line)
{
    const size_t length = strcspn(line, " \n");
    return strncmp(line + length, " = ", 3) == 0 ? length : 0;
}

bool eex__entry_is(const char *entry, const char *path)
{
    const size_t length = eex__entry_path(entry);
    return length == strlen(path) && memcmp(entry, path, length) == 0;
}

bool eex__entry_next(eex__entry *out, const char **text)
{
    const char *at = *text;
    if (!*at)
        return false;
    do {
        at += line_length(at);
        at += *at == '\n';
    } while (*at && eex__entry_path(at) == 0);
    *out = (eex__entry){*text, (size_t)(at - *text)};
    *text = at;
    return true;
}

bool eex__entry_find(eex__entry *out, const char *text, const eex__entry *like)
{
    const size_t length = eex__entry_path(like->at);
    while (eex__entry_next(out, &text))
        if (eex__entry_path(out->at) == length && memcmp(out->at, like->at, length) == 0)
            return true;
    *out = (eex__entry){like->at, 0};
    return false;
}

static bool same(const eex__entry *a, const eex__entry *b)
{
    return a->length == b->length && memcmp(a->at, b->at, a->length) == 0;
}

/* Those that one side alone has are found from that side. */
static bool differs_from(eex__entry *own, eex__entry *other, const char *text, const char *others,
                         eex__entry_counts *counts, const void *context)
{
    while (eex__entry_next(own, &text)) {
        if (!counts(own->at, context))
            continue;
        if (!eex__entry_find(other, others, own) || !same(own, other))
            return true;
    }
    return false;
}

bool eex__descriptions_differ(eex__difference *out, const char *here, const char *there,
                              eex__entry_counts *counts, const void *context)
{
    return differs_from(&out->there, &out->here, there, here, counts, context) ||
           differs_from(&out->here, &out->there, here, there, counts, context);
}

void eex__entry_text(char out[EEX__ENTRY_TEXT], const eex__entry *entry, const eex__entry *other)
{
    if (entry->length)
        snprintf(out, EEX__ENTRY_TEXT, "\"%.*s\"", (int)line_length(entry->at), entry->at);
    else
        snprintf(out, EEX__ENTRY_TEXT, "%.*s as it is when nobody sets it",
                 (int)eex__entry_path(other->at), other->at);
}
