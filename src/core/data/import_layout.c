#include "core/data/import_layout.h"

#include "core/data/image.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/spelling.h"
#include "base/status.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    MAX_LONELY = 3, /* folders that hold nothing but one folder */
    MAX_DEPTH = 16  /* of folders inside a class */
};

static const char *join(eex_import_layout *l, const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = eex_arena_alloc(&l->arena, size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

/* ---- what is passed over ---- */

static int pass_over(eex_import_layout *l, const char *why, const char *path)
{
    int i = 0;
    while (i < l->passed_count && strcmp(l->passed[i].why, why) != 0)
        i++;
    if (i == EEX_IMPORT_REASONS)
        i--; /* the last one counts what comes after it, too */
    if (i == l->passed_count) {
        const bool last = i == EEX_IMPORT_REASONS - 1;
        l->passed[i].why = eex_arena_strdup(&l->arena, last ? "for other reasons" : why);
        l->passed[i].first = eex_arena_strdup(&l->arena, path);
        if (!l->passed[i].why || !l->passed[i].first)
            return EEX_ENOMEM;
        l->passed_count++;
    }
    l->passed[i].count++;
    return EEX_OK;
}

/* "named .gif" */
static int pass_over_ending(eex_import_layout *l, const char *name, const char *path)
{
    char why[32] = "without an ending";
    const char *dot = strrchr(name, '.');
    size_t length = dot ? strlen(dot) : 0;
    if (length > 1 && length < 12) {
        snprintf(why, sizeof why, "named %s", dot);
        for (char *c = why; *c; c++)
            *c = (char)(isprint((unsigned char)*c) ? tolower((unsigned char)*c) : '?');
    } else if (length) {
        snprintf(why, sizeof why, "with other endings");
    }
    return pass_over(l, why, path);
}

void eex_import_layout_say(eex_import_result *result, const eex_import_layout *l)
{
    for (int i = 0; i < l->passed_count; i++) {
        eex_buffer_printf(&result->passed_list, "%zu %s (", l->passed[i].count, l->passed[i].why);
        eex_spelling_escape(&result->passed_list, l->passed[i].first);
        eex_buffer_puts(&result->passed_list, ")\n");
        result->passed += l->passed[i].count;
    }
}

/* ---- which folders ---- */

static const char *const part_names[EEX_PARTS][4] = {
    [EEX_PART_TRAIN] = {"train", "training"},
    [EEX_PART_VALIDATION] = {"val", "valid", "validation"},
    [EEX_PART_TEST] = {"test", "testing"},
};

/* Which part a folder is called like, or EEX_PARTS. */
static int part_named(const char *name)
{
    for (int p = 0; p < EEX_PARTS; p++)
        for (int i = 0; i < 4 && part_names[p][i]; i++)
            if (strcasecmp(name, part_names[p][i]) == 0)
                return p;
    return EEX_PARTS;
}

/* What is in a folder, as far as it matters for telling layouts apart. */
typedef struct survey {
    const char *caltech;         /* 101_ObjectCategories or the like inside it */
    const char *part[EEX_PARTS]; /* folders of these names */
    const char *only;            /* the last folder */
    size_t folders, images;
} survey;

static bool is_ignored(const char *name)
{
    return name[0] == '.' || strcmp(name, "__MACOSX") == 0;
}

static void note_folder(survey *s, const char *path, const char *name)
{
    const int part = part_named(name);
    s->folders++;
    s->only = path;
    if (strcmp(name, "101_ObjectCategories") == 0 || strcmp(name, "256_ObjectCategories") == 0)
        s->caltech = path;
    if (part < EEX_PARTS && !s->part[part])
        s->part[part] = path;
}

static int look_at(survey *s, eex_import_layout *l, const char *folder)
{
    eex_fs_names names;
    *s = (survey){.folders = 0};
    EEX_TRY(eex_fs_list(&names, folder));
    int code = EEX_OK;
    for (size_t i = 0; i < names.count && code == EEX_OK; i++) {
        const char *name = names.names[i], *path = join(l, folder, name);
        if (!path)
            code = EEX_ENOMEM;
        else if (!is_ignored(name) && eex_fs_is_folder(path))
            note_folder(s, path, name);
        else
            s->images += eex_image_named(name);
    }
    eex_fs_names_free(&names);
    return code;
}

/* Whether the folder has parts, or a class that happens to be called train. Folders decide: a stray
 * image beside those of the classes makes no class of a part. */
static int has_parts(bool *out, eex_import_layout *l, const survey *s)
{
    survey inside;
    *out = false;
    if (!s->part[EEX_PART_TRAIN])
        return EEX_OK;
    EEX_TRY(look_at(&inside, l, s->part[EEX_PART_TRAIN]));
    const bool company = s->part[EEX_PART_VALIDATION] || s->part[EEX_PART_TEST] || s->folders == 1;
    *out = company && (inside.folders > 0 || inside.images == 0);
    return EEX_OK;
}

/* What is no folder, where folders are looked for, and what is hidden. */
static int pass_over_stray(eex_import_layout *l, const char *name, const char *path)
{
    if (is_ignored(name))
        return pass_over(l, "hidden", path);
    return eex_image_named(name)
               ? pass_over(l, "images beside the classes' folders, of no class", path)
               : pass_over_ending(l, name, path);
}

/* What belongs to nobody: it lies beside the parts, or beside the only folder, which is looked into
 * instead. `why` is NULL where each says for itself what it is. */
static int pass_over_beside(eex_import_layout *l, const char *root, const char *const *kept,
                            size_t count, const char *why)
{
    eex_fs_names names;
    EEX_TRY(eex_fs_list(&names, root));
    int code = EEX_OK;
    for (size_t i = 0; i < names.count && code == EEX_OK; i++) {
        const char *path = join(l, root, names.names[i]);
        bool known = false;
        for (size_t k = 0; k < count; k++)
            known |= path && kept[k] && strcmp(path, kept[k]) == 0;
        if (!path)
            code = EEX_ENOMEM;
        else if (!known)
            code = why ? pass_over(l, why, path) : pass_over_stray(l, names.names[i], path);
    }
    eex_fs_names_free(&names);
    return code;
}

int eex__import_check_folder(const char *folder, const char *what)
{
    if (!*folder)
        return eex_fail(EEX_EINVAL, "the path is empty: expected a folder of %s", what);
    if (!eex_fs_exists(folder))
        return eex_fail(EEX_ENOTFOUND, "%s: there is no such folder", folder);
    if (eex_fs_is_file(folder))
        return eex_fail(EEX_EINVAL,
                        "%s is a file: expected a folder of %s; an archive is to be unpacked first",
                        folder, what);
    return EEX_OK;
}

static int find_folders(eex_import_layout *l, const char *folder)
{
    survey s, inside;
    bool parts = false;
    EEX_TRY(eex__import_check_folder(folder, "images, one folder for each class"));
    for (int depth = 0;; depth++) {
        EEX_TRY(look_at(&s, l, folder));
        EEX_TRY(has_parts(&parts, l, &s));
        if (s.caltech || parts || s.folders != 1 || depth == MAX_LONELY)
            break;
        EEX_TRY(look_at(&inside, l, s.only));
        if (inside.folders == 0)
            break; /* the only folder is a class */
        EEX_TRY(pass_over_beside(l, folder, &s.only, 1, NULL));
        folder = s.only;
    }
    l->folder[EEX_PART_TRAIN] = s.caltech ? s.caltech : folder;
    if (!parts || s.caltech)
        return EEX_OK;
    for (int p = 0; p < EEX_PARTS; p++)
        l->folder[p] = s.part[p];
    return pass_over_beside(l, folder, l->folder, EEX_PARTS, "beside the parts");
}

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

/* What a class's folder holds; links to folders may lead round in circles. */
static int add_member(eex_import_layout *l, const char *path, const char *name, size_t label,
                      eex_part part, int depth)
{
    if (name[0] == '.')
        return pass_over(l, "hidden", path);
    if (eex_fs_is_folder(path)) {
        if (eex_fs_is_link(path))
            return pass_over(l, "links to folders inside a class", path);
        return depth < MAX_DEPTH ? add_folder(l, path, label, part, depth + 1)
                                 : pass_over(l, "folders too deep inside a class", path);
    }
    if (!eex_image_named(name))
        return pass_over_ending(l, name, path);
    if (!eex_fs_is_file(path))
        return pass_over(l, "no regular files", path);
    return add_file(l, path, label, part);
}

static int add_folder(eex_import_layout *l, const char *folder, size_t label, eex_part part,
                      int depth)
{
    eex_fs_names names;
    EEX_TRY(eex_fs_list(&names, folder));
    int code = EEX_OK;
    for (size_t i = 0; i < names.count && code == EEX_OK; i++) {
        const char *path = join(l, folder, names.names[i]);
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

static bool is_clutter(const char *name)
{
    return strcmp(name, "BACKGROUND_Google") == 0 || strcmp(name, "257.clutter") == 0;
}

/* Something in a part's folder: *class says whether it is a class. */
static int look_at_member(bool *class, eex_import_layout *l, const char *folder, const char *name)
{
    const char *path = join(l, folder, name);
    *class = false;
    if (!path)
        return EEX_ENOMEM;
    if (is_ignored(name) || !eex_fs_is_folder(path))
        return pass_over_stray(l, name, path);
    if (is_clutter(name) && !l->background)
        return pass_over(l, "folders of clutter (--background keeps them)", path);
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
    const size_t before = l->file_count;
    const char *path = NULL;
    for (int p = 0; p < EEX_PARTS; p++) {
        if (!l->folder[p])
            continue;
        path = join(l, l->folder[p], name);
        if (!path)
            return EEX_ENOMEM;
        if (eex_fs_is_folder(path))
            EEX_TRY(add_folder(l, path, *label, (eex_part)p, 0));
    }
    if (l->file_count == before)
        return pass_over(l, "folders without an image", path);
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

int eex_import_layout_find(eex_import_layout *l, const char *folder)
{
    EEX_TRY(find_folders(l, folder));
    EEX_TRY(list_files(l));
    if (l->part_count[EEX_PART_TEST] == 0 && l->part_count[EEX_PART_VALIDATION])
        use_validation_as_test(l);
    return EEX_OK;
}

void eex_import_layout_free(eex_import_layout *l)
{
    free(l->files);
    free(l->classes);
    eex_arena_free(&l->arena);
}
