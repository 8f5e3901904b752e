#include "core/run/run_description.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
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

/* ---- by their paths ---- */

static int compare_paths(const eex__entry *a, const eex__entry *b)
{
    const size_t x = eex__entry_path(a->at), y = eex__entry_path(b->at);
    const int order = memcmp(a->at, b->at, x < y ? x : y);
    return order ? order : (x > y) - (x < y);
}

static int compare_entries(const void *left, const void *right)
{
    const eex__entry *a = left, *b = right;
    const int order = compare_paths(a, b);
    return order ? order : (a->at > b->at) - (a->at < b->at);
}

int eex__entries_of(eex__entries *out, const char *text)
{
    const char *at = text;
    eex__entry e;
    *out = (eex__entries){0};
    while (eex__entry_next(&e, &at))
        out->count++;
    out->at = calloc(out->count + 1, sizeof *out->at);
    if (!out->at)
        return eex_fail(EEX_ENOMEM, "out of memory for the %zu entries of a description",
                        out->count);
    for (size_t i = 0; eex__entry_next(&e, &text); i++)
        out->at[i] = e;
    qsort(out->at, out->count, sizeof *out->at, compare_entries);
    return EEX_OK;
}

void eex__entries_free(eex__entries *entries)
{
    free(entries->at);
    *entries = (eex__entries){0};
}

bool eex__entries_find(eex__entry *out, const eex__entries *entries, const eex__entry *like)
{
    size_t low = 0, high = entries->count;
    while (low < high) { /* to the first that is not before it */
        const size_t middle = low + (high - low) / 2;
        if (compare_paths(&entries->at[middle], like) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const bool found = low < entries->count && compare_paths(&entries->at[low], like) == 0;
    *out = found ? entries->at[low] : (eex__entry){like->at, 0};
    return found;
}

static bool lacks(const eex__entries *entries, const eex__entries *others,
                  eex__entry_counts *counts, const void *context)
{
    eex__entry other;
    for (size_t i = 0; i < entries->count; i++)
        if (counts(entries->at[i].at, context) &&
            (!eex__entries_find(&other, others, &entries->at[i]) || !same(&entries->at[i], &other)))
            return true;
    return false;
}

bool eex__entries_differ(const eex__entries *here, const eex__entries *there,
                         eex__entry_counts *counts, const void *context)
{
    return lacks(there, here, counts, context) || lacks(here, there, counts, context);
}

/* ---- for messages ---- */

void eex__entry_text(char out[EEX__ENTRY_TEXT], const eex__entry *entry, const eex__entry *other)
{
    if (entry->length)
        snprintf(out, EEX__ENTRY_TEXT, "\"%.*s\"", (int)line_length(entry->at), entry->at);
    else
        snprintf(out, EEX__ENTRY_TEXT, "%.*s as it is when nobody sets it",
                 (int)eex__entry_path(other->at), other->at);
}
