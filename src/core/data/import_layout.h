/* Which files of a folder are images of which class and part; and what else is there. */
#ifndef EEX_CORE_DATA_IMPORT_LAYOUT_H
#define EEX_CORE_DATA_IMPORT_LAYOUT_H

#include "core/data/dataset.h"
#include "core/data/import.h"
#include "core/data/passed.h"

#include "base/arena.h"

typedef struct eex_import_file {
    const char *path;
    int32_t label;
    eex_part part;
} eex_import_file;

typedef struct eex_import_layout {
    eex_arena arena;               /* of all strings */
    const char *folder[EEX_PARTS]; /* of the parts; NULL: there is none */
    const char **classes;          /* in the order of their names */
    size_t class_count;
    eex_import_file *files; /* class by class, in each part by part */
    size_t file_count, file_capacity;
    size_t part_count[EEX_PARTS]; /* files of each part */
    eex_passed passed;
    size_t shut;       /* folders that cannot be listed, which are passed over */
    const char *doubt; /* what could be meant otherwise, a sentence; NULL: nothing */
    bool background;   /* set it before: clutter is a class too */
} eex_import_layout;

/* Looks through FOLDER (import.h says what it understands). *layout is zero but for what is to be
 * set before. EEX_EINTERRUPTED, and EEX_EFORMAT for parts that would be taken for classes. Free it
 * after failures too. */
int eex_import_layout_find(eex_import_layout *layout, const char *folder);
void eex_import_layout_free(eex_import_layout *layout);

/* Which folder is which part, and whether what is there could be meant otherwise. */
int eex__import_find_folders(eex_import_layout *layout, const char *folder);
int eex__import_check_classes(eex_import_layout *layout, const char *folder);

/* Which part a folder is called like, loosely: also "test_set" and "train2017"; else EEX_PARTS. */
eex_part eex__import_part_like(const char *name);

/* Of the layout's arena; NULL: out of memory. */
const char *eex__import_join(eex_import_layout *layout, const char *folder, const char *name);

bool eex__import_is_ignored(const char *name);
bool eex__import_is_clutter(const eex_import_layout *layout, const char *name);

/* What is no folder, where folders are looked for, and what is hidden. */
int eex__import_pass_over_stray(eex_import_layout *layout, const char *name, const char *path);

/* Whether PATH is a folder at all; `what` is what is expected in it. EEX_ENOTFOUND, EEX_EINVAL. */
int eex__import_check_folder(const char *folder, const char *what);

/* EEX_EFORMAT where a class's name is no UTF-8, which text in a data set is. */
int eex__import_check_names(const eex_import_layout *layout);

/* The classes whose names have one core (base/spelling.h). */
int eex__import_tell_alike(eex_import_result *result, eex_import_layout *layout);

/* What was passed over, and what could be meant otherwise. */
void eex_import_layout_say(eex_import_result *result, const eex_import_layout *layout);

#endif
