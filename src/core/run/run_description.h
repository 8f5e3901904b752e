/* Descriptions of runs, as run.h5 keeps them: entries "path = value", a line each. A line that
 * names no path goes on with the entry above it: where data come from may take several. Entries are
 * compared by their paths, whatever their order and whether or not both sides have them. */
#ifndef EEX_CORE_RUN_RUN_DESCRIPTION_H
#define EEX_CORE_RUN_RUN_DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>

typedef struct eex__entry {
    const char *at; /* borrowed */
    size_t length;  /* 0: this side says nothing of it */
} eex__entry;

typedef struct eex__difference {
    eex__entry here, there;
} eex__difference;

/* Bytes of the path that a line begins with; 0: it goes on with the entry above. */
size_t eex__entry_path(const char *line);

/* The entry at *text, which is moved behind it; false at the end. */
bool eex__entry_next(eex__entry *out, const char **text);

/* The entry of a description with the path of another; false, with a length of 0: it has none. */
bool eex__entry_find(eex__entry *out, const char *text, const eex__entry *like);

/* Whether the entry is that of a path. */
bool eex__entry_is(const char *entry, const char *path);

/* Which entries are compared; the context is handed on. */
typedef bool eex__entry_counts(const char *entry, const void *context);

/* Whether two descriptions differ in entries that count; *out is the first of them. */
bool eex__descriptions_differ(eex__difference *out, const char *here, const char *there,
                              eex__entry_counts *counts, const void *context);

/* The entries of a description by their paths, for who looks for many. */
typedef struct eex__entries {
    eex__entry *at; /* those of one path in the description's order */
    size_t count;
} eex__entries;

int eex__entries_of(eex__entries *out, const char *text); /* EEX_ENOMEM */
void eex__entries_free(eex__entries *entries);

/* As eex__entry_find and eex__descriptions_differ. */
bool eex__entries_find(eex__entry *out, const eex__entries *entries, const eex__entry *like);
bool eex__entries_differ(const eex__entries *here, const eex__entries *there,
                         eex__entry_counts *counts, const void *context);

/* One side of a difference for messages: its first line, or that the field is left alone. */
enum { EEX__ENTRY_TEXT = 256 };
void eex__entry_text(char out[EEX__ENTRY_TEXT], const eex__entry *entry, const eex__entry *other);

#endif
