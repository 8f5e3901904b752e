#include "core/data/import_layout.h"

#include "core/data/image.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 16 }; /* of folders inside a class */

/* ---- which files ---- */

static int add_file(eex_import_layout *l, const char *path, size_t label, eex_part part)
{
    if (l->file_count == l->file_capacity) {
        size_t capacity = l->file_capacity ? l->file_capacity * 2 : 1024;
        eex_import_file *files = realloc(l->files, capacity * sizeof *files);
        if (!files)
            return eex_fail(EEX_ENOMEM, "out of memory, cannot list %zu images", capacity);
        l->files = files;
        l->file_capacity = capacity;
    }
    l->files[l->file_count++] = (eex_import_file){path, (int32_t)label, part};
    l->part_count[part]++;
    return EEX_OK;
}

static int add_folder(eex_import_layout *l, const char *folder, size_t label, eex_part part,
                      int depth);

/* Whether it is in a folder that may not be searched: reading it says so. */
static bool is_shut(const char *path)
{
    struct stat is;
    return stat(path, &is) != 0 && errno == EACCES;
}

/* What a class's folder holds; links to folders may lead round in circles. */
static int add_member(eex_import_layout *l, const char *path, const char *name, size_t label,
                      eex_part part, int depth)
{
    if (name[0] == '.')
        return eex_passed_add_tree(&l->passed, "hidden", path);
    if (eex_fs_is_folder(path)) {
        if (eex_fs_is_link(path))
            return eex_passed_add(&l->passed, "links to folders inside a class", path);
        return depth < MAX_DEPTH ? add_folder(l, path, label, part, depth + 1)
                                 : eex_passed_add_tree(&l->passed, "too deep inside a class", path);
    }
    if (!eex_image_named(name) || (eex_fs_is_link(path) && !eex_fs_exists(path)))
        return eex_passed_add_ending(&l->passed, path);
    if (!eex_fs_is_file(path) && !is_shut(path))
        return eex_passed_add(&l->passed, "no regular files", path);
    return add_file(l, path, label, part);
}

/* A folder that cannot be listed is left out, as a file is that cannot be read. */
static int add_folder(eex_import_layout *l, const char *folder, size_t label, eex_part part,
                      int depth)
{
    eex_fs_names names;
    int code = eex_fs_list(&names, folder);
    if (code < 0 && code != EEX_ENOMEM) {
        l->shut++;
        return eex_passed_add(&l->passed, "folders that cannot be listed", folder);
    }
    if (code < 0)
        return code;
    for (size_t i = 0; i < names.count && code == EEX_OK; i++) {
        const char *path = eex__import_join(l, folder, names.names[i]);
        if (eex_interrupted())
            code = eex_fail(EEX_EINTERRUPTED, "import interrupted");
        else
            code = path ? add_member(l, path, names.names[i], label, part, depth) : EEX_ENOMEM;
    }
    eex_fs_names_free(&names);
    return code;
}

/* ---- which classes ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Something in a part's folder: *class says whether it is a class. */
static int look_at_member(bool *class, eex_import_layout *l, const char *folder, const char *name)
{
    const char *path = eex__import_join(l, folder, name);
    *class = false;
    if (!path)
        return EEX_ENOMEM;
    if (eex__import_is_ignored(name) || !eex_fs_is_folder(path))
        return eex__import_pass_over_stray(l, name, path);
    if (eex__import_is_clutter(l, name))
        return eex_passed_add_tree(&l->passed, "of clutter (--background keeps it)", path);
    *class = true;
    return EEX_OK;
}

/* Appends the names of a part's classes. */
static int name_classes(eex_import_layout *l, size_t *capacity, const char *folder)
{
    eex_fs_names names;
    EEX_TRY(eex_fs_list(&names, folder));
    int code = EEX_OK;
    for (size_t i = 0; i < names.count && code == EEX_OK; i++) {
        bool class;
        code = look_at_member(&class, l, folder, names.names[i]);
        if (code < 0 || !class)
            continue;
        if (l->class_count == *capacity) {
            const char **more = realloc(l->classes, 2 * (*capacity + 32) * sizeof *more);
            if (!more) {
                code = eex_fail(EEX_ENOMEM, "out of memory for the names of classes");
                break;
            }
            l->classes = more;
            *capacity = 2 * (*capacity + 32);
        }
        l->classes[l->class_count] = eex_arena_strdup(&l->arena, names.names[i]);
        code = l->classes[l->class_count++] ? EEX_OK : EEX_ENOMEM;
    }
    eex_fs_names_free(&names);
    return code;
}

/* Each name once, in order. */
static void sort_classes(eex_import_layout *l)
{
    size_t kept = 0;
    if (l->class_count)
        qsort(l->classes, l->class_count, sizeof *l->classes, by_name);
    for (size_t i = 0; i < l->class_count; i++)
        if (!kept || strcmp(l->classes[kept - 1], l->classes[i]) != 0)
            l->classes[kept++] = l->classes[i];
    l->class_count = kept;
}

/* The files of a class in all parts; one without any is no class. */
static int add_class(eex_import_layout *l, size_t *label, const char *name)
{
    const size_t before = l->file_count, shut = l->shut;
    const char *path = NULL;
    for (int p = 0; p < EEX_PARTS; p++) {
        if (!l->folder[p])
            continue;
        path = eex__import_join(l, l->folder[p], name);
        if (!path)
            return EEX_ENOMEM;
        if (eex_fs_is_folder(path))
            EEX_TRY(add_folder(l, path, *label, (eex_part)p, 0));
    }
    if (l->file_count == before && l->shut > shut)
        return EEX_OK; /* which has been said */
    if (l->file_count == before)
        return eex_passed_add(&l->passed, "folders without an image", path);
    l->classes[(*label)++] = name;
    return EEX_OK;
}

static int list_files(eex_import_layout *l)
{
    size_t capacity = 0, label = 0;
    for (int p = 0; p < EEX_PARTS; p++)
        if (l->folder[p])
            EEX_TRY(name_classes(l, &capacity, l->folder[p]));
    sort_classes(l);
    const size_t named = l->class_count;
    for (size_t i = 0; i < named; i++)
        EEX_TRY(add_class(l, &label, l->classes[i]));
    l->class_count = label;
    if (l->part_count[EEX_PART_TRAIN] == 0)
        return eex_fail(EEX_ENOTFOUND,
                        "%s: no %s files in its folders; one folder for each class is expected",
                        l->folder[EEX_PART_TRAIN], EEX_IMAGE_FORMATS);
    return EEX_OK;
}

/* What is meant for choosing is what there is for testing, where there is nothing else. */
static void use_validation_as_test(eex_import_layout *l)
{
    for (size_t i = 0; i < l->file_count; i++)
        if (l->files[i].part == EEX_PART_VALIDATION)
            l->files[i].part = EEX_PART_TEST;
    l->folder[EEX_PART_TEST] = l->folder[EEX_PART_VALIDATION];
    l->folder[EEX_PART_VALIDATION] = NULL;
    l->part_count[EEX_PART_TEST] = l->part_count[EEX_PART_VALIDATION];
    l->part_count[EEX_PART_VALIDATION] = 0;
}

void eex_import_layout_say(eex_import_result *result, const eex_import_layout *l)
{
    result->passed = eex_passed_say(&result->passed_list, &l->passed, "\n");
    eex_buffer_puts(&result->passed_list, result->passed ? "\n" : "");
    eex_buffer_puts(&result->doubt, l->doubt ? l->doubt : "");
}

int eex_import_layout_find(eex_import_layout *l, const char *folder)
{
    EEX_TRY(eex__import_find_folders(l, folder));
    EEX_TRY(list_files(l));
    if (l->part_count[EEX_PART_TEST] == 0 && l->part_count[EEX_PART_VALIDATION])
        use_validation_as_test(l);
    return EEX_OK;
}

void eex_import_layout_free(eex_import_layout *l)
{
    free(l->files);
    free(l->classes);
    eex_passed_free(&l->passed);
    eex_arena_free(&l->arena);
}
