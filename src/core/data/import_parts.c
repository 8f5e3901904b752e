/* Which folder holds which part of a data set. */
#include "core/data/image.h"
#include "core/data/import_layout.h"

#include "base/fs.h"
#include "base/status.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    MAX_LONELY = 3, /* folders that hold nothing but one folder */
    NAMES = 5       /* at most, of a part */
};

const char *eex__import_join(eex_import_layout *l, const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = eex_arena_alloc(&l->arena, size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

bool eex__import_is_ignored(const char *name)
{
    return name[0] == '.' || strcmp(name, "__MACOSX") == 0;
}

bool eex__import_is_clutter(const eex_import_layout *l, const char *name)
{
    return !l->background &&
           (strcmp(name, "BACKGROUND_Google") == 0 || strcmp(name, "257.clutter") == 0);
}

/* ---- names of parts ---- */

/* Where there are several of a part, the first of these is it. */
static const char *const part_names[EEX_PARTS][NAMES] = {
    [EEX_PART_TRAIN] = {"train", "training"},
    [EEX_PART_VALIDATION] = {"val", "valid", "validation", "dev"},
    [EEX_PART_TEST] = {"test", "testing"},
};

/* What is meant by these depends on what else there is. */
static const char *const eval_names[NAMES] = {"eval", "evaluation"};

static int rank_in(const char *const names[NAMES], const char *name)
{
    for (int i = 0; i < NAMES && names[i]; i++)
        if (strcasecmp(name, names[i]) == 0)
            return 2 * i + (strcmp(name, names[i]) != 0);
    return -1;
}

static eex_part find_part(int *rank, const char *name)
{
    for (int p = 0; p < EEX_PARTS; p++)
        if ((*rank = rank_in(part_names[p], name)) >= 0)
            return (eex_part)p;
    return EEX_PARTS;
}

static bool is_part(const char *name)
{
    int rank;
    return find_part(&rank, name) < EEX_PARTS || rank_in(eval_names, name) >= 0;
}

static bool cut_end(char *text, const char *end)
{
    const size_t length = strlen(text), n = strlen(end);
    if (length <= n || strcmp(text + length - n, end) != 0)
        return false;
    text[length - n] = '\0';
    return true;
}

eex_part eex__import_part_like(const char *name)
{
    static const char *const ends[] = {"set", "split", "data", "images"};
    static const char *const held_out[NAMES] = {"holdout", "heldout"};
    char text[32];
    size_t length = 0;
    int rank;
    for (; *name; name++)
        if (isalpha((unsigned char)*name) && length + 1 < sizeof text)
            text[length++] = (char)tolower((unsigned char)*name);
        else if (!strchr("_-. 0123456789", *name))
            return EEX_PARTS;
    text[length] = '\0';
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (cut_end(text, ends[i]))
            break;
    if (rank_in(eval_names, text) >= 0 || rank_in(held_out, text) >= 0)
        return EEX_PART_TEST;
    return find_part(&rank, text);
}

/* ---- which folders ---- */

/* What is in a folder, as far as it matters for telling layouts apart. */
typedef struct survey {
    const char *caltech;         /* 101_ObjectCategories or the like inside it */
    const char *part[EEX_PARTS]; /* folders of these names */
    const char *eval;            /* one that is for choosing or for testing */
    int rank[EEX_PARTS + 1];     /* of those names, the last one eval's */
    const char *only;            /* the last folder */
    size_t folders, images;
} survey;

static void note_part(const char **part, int *of, const char *path, int rank)
{
    if (rank < 0 || (*part && *of <= rank))
        return;
    *part = path;
    *of = rank;
}

static void note_folder(survey *s, const char *path, const char *name)
{
    int rank;
    const eex_part part = find_part(&rank, name);
    s->folders++;
    s->only = path;
    if (strcmp(name, "101_ObjectCategories") == 0 || strcmp(name, "256_ObjectCategories") == 0)
        s->caltech = path;
    if (part < EEX_PARTS)
        note_part(&s->part[part], &s->rank[part], path, rank);
    note_part(&s->eval, &s->rank[EEX_PARTS], path, rank_in(eval_names, name));
}

/* What is called eval is for testing, or for choosing where that has a folder of its own. */
static void place_eval(survey *s)
{
    const eex_part place = s->part[EEX_PART_TEST] ? EEX_PART_VALIDATION : EEX_PART_TEST;
    if (s->eval && !s->part[place])
        s->part[place] = s->eval;
}

static int look_at(survey *s, eex_import_layout *l, const char *folder)
{
    eex_fs_names names;
    *s = (survey){.folders = 0};
    EEX_TRY(eex_fs_list(&names, folder));
    int code = EEX_OK;
    for (size_t i = 0; i < names.count && code == EEX_OK; i++) {
        const char *name = names.names[i], *path = eex__import_join(l, folder, name);
        if (!path)
            code = EEX_ENOMEM;
        else if (!eex__import_is_ignored(name) && eex_fs_is_folder(path))
            note_folder(s, path, name);
        else
            s->images += eex_image_named(name);
    }
    place_eval(s);
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

int eex__import_pass_over_stray(eex_import_layout *l, const char *name, const char *path)
{
    if (eex__import_is_ignored(name))
        return eex_passed_add_tree(&l->passed, "hidden", path);
    return eex_image_named(name)
               ? eex_passed_add(&l->passed, "images beside the classes' folders, of no class", path)
               : eex_passed_add_ending(&l->passed, path);
}

/* What belongs to nobody: it lies beside the parts, or beside the only folder, which is looked into
 * instead. */
static int pass_over_one(eex_import_layout *l, const char *name, const char *path, bool parts)
{
    if (!parts || eex__import_is_ignored(name))
        return eex__import_pass_over_stray(l, name, path);
    const bool twice = is_part(name) && eex_fs_is_folder(path);
    return eex_passed_add_tree(
        &l->passed, twice ? "in another folder of a part that has one already" : "beside the parts",
        path);
}

static int pass_over_beside(eex_import_layout *l, const char *root, const char *const *kept,
                            size_t count, bool parts)
{
    eex_fs_names names;
    EEX_TRY(eex_fs_list(&names, root));
    int code = EEX_OK;
    for (size_t i = 0; i < names.count && code == EEX_OK; i++) {
        const char *path = eex__import_join(l, root, names.names[i]);
        bool known = false;
        for (size_t k = 0; k < count; k++)
            known |= path && kept[k] && strcmp(path, kept[k]) == 0;
        if (!path)
            code = EEX_ENOMEM;
        else if (!known)
            code = pass_over_one(l, names.names[i], path, parts);
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

int eex__import_find_folders(eex_import_layout *l, const char *folder)
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
        EEX_TRY(pass_over_beside(l, folder, &s.only, 1, false));
        folder = s.only;
    }
    l->folder[EEX_PART_TRAIN] = s.caltech ? s.caltech : folder;
    if (!parts || s.caltech)
        return eex__import_check_classes(l, l->folder[EEX_PART_TRAIN]);
    for (int p = 0; p < EEX_PARTS; p++)
        l->folder[p] = s.part[p];
    return pass_over_beside(l, folder, l->folder, EEX_PARTS, true);
}
