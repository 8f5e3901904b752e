/* Which files of a folder are images of which class and part; and what else is there. */
#ifndef EEX_CORE_DATA_IMPORT_LAYOUT_H
#define EEX_CORE_DATA_IMPORT_LAYOUT_H

#include "core/data/dataset.h"
#include "core/data/import.h"

#include "base/arena.h"

typedef struct eex_import_file {
    const char *path;
    int32_t label;
    eex_part part;
} eex_import_file;

enum { EEX_IMPORT_REASONS = 24 };

typedef struct eex_import_layout {
    eex_arena arena;               /* of all strings */
    const char *folder[EEX_PARTS]; /* of the parts; NULL: there is none */
    const char **classes;          /* in the order of their names */
    size_t class_count;
    eex_import_file *files; /* class by class, in each part by part */
    size_t file_count, file_capacity;
    size_t part_count[EEX_PARTS]; /* files of each part */
    struct {
        const char *why, *first;
        size_t count;
    } passed[EEX_IMPORT_REASONS];
    int passed_count;
    bool background; /* set it before: clutter is a class too */
} eex_import_layout;

/* Looks through FOLDER (import.h says what it understands). *layout is zero but for what is to be
 * set before. EEX_EINTERRUPTED. Free it after failures too. */
int eex_import_layout_find(eex_import_layout *layout, const char *folder);
void eex_import_layout_free(eex_import_layout *layout);

/* Whether PATH is a folder at all; `what` is what is expected in it. EEX_ENOTFOUND, EEX_EINVAL. */
int eex__import_check_folder(const char *folder, const char *what);

/* EEX_EFORMAT where a class's name is no UTF-8, which text in a data set is. */
int eex__import_check_names(const eex_import_layout *layout);

/* The classes whose names differ in letter case or blanks alone. */
int eex__import_tell_alike(eex_import_result *result, eex_import_layout *layout);

/* What was passed over. */
void eex_import_layout_say(eex_import_result *result, const eex_import_layout *layout);

#endif
