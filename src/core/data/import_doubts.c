/* Classes that are called or filled like the parts of a data set: taken for classes without a word,
 * what is for testing would be trained with, and the classes themselves would be lost. */
#include "core/data/image.h"
#include "core/data/import_layout.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* What would be a class. */
typedef struct member {
    const char *name;
    size_t folders, images;       /* in it, not in what is inside */
    const char *split[EEX_PARTS]; /* folders in it that are called like parts */
} member;

/* A folder in a member. */
typedef struct inner {
    const char *name;
    const member *in;
} inner;

typedef struct doubts {
    eex_import_layout *layout;
    const char *folder;
    member *members;
    inner *inners;
    size_t member_count, inner_count, inner_capacity;
} doubts;

#define REMEDY                                                                                 \
    "parts are called train, val (or valid, validation, dev) and test (or testing, eval) and " \
    "hold the classes, FOLDER/train/CLASS: rename what is a part so, and a class that is "     \
    "called like one otherwise"

/* ---- what is there ---- */

static int add_inner(doubts *d, member *m, const char *name)
{
    if (d->inner_count == d->inner_capacity) {
        const size_t capacity = d->inner_capacity ? 2 * d->inner_capacity : 64;
        inner *more = realloc(d->inners, capacity * sizeof *more);
        if (!more)
            return eex_fail(EEX_ENOMEM, "out of memory for %zu folders", capacity);
        d->inners = more;
        d->inner_capacity = capacity;
    }
    const char *copy = eex_arena_strdup(&d->layout->arena, name);
    if (!copy)
        return EEX_ENOMEM;
    const eex_part part = eex__import_part_like(name);
    if (part < EEX_PARTS && !m->split[part])
        m->split[part] = copy;
    d->inners[d->inner_count++] = (inner){copy, m};
    m->folders++;
    return EEX_OK;
}

/* What is called like an image is taken for one: large sets need no look at each file here. */
static int look_inside(doubts *d, member *m, const char *path)
{
    eex_fs_names names;
    int code = eex_fs_list(&names, path);
    if (code < 0)
        return code == EEX_ENOMEM ? code : EEX_OK; /* it is passed over later, with a word */
    for (size_t i = 0; i < names.count && code == EEX_OK; i++) {
        char *inside;
        if (eex_image_named(names.names[i])) {
            m->images++;
        } else if (names.names[i][0] != '.') {
            code = eex_path_join(&inside, path, names.names[i]);
            if (code == EEX_OK && eex_fs_is_folder(inside))
                code = add_inner(d, m, names.names[i]);
            if (code == EEX_OK)
                free(inside);
        }
    }
    eex_fs_names_free(&names);
    return code;
}

static int look(doubts *d, const eex_fs_names *names)
{
    d->members = calloc(names->count ? names->count : 1, sizeof *d->members);
    if (!d->members)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu folders", names->count);
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->names[i], *path = eex__import_join(d->layout, d->folder, name);
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "import interrupted");
        if (!path)
            return EEX_ENOMEM;
        if (eex__import_is_ignored(name) || eex__import_is_clutter(d->layout, name) ||
            !eex_fs_is_folder(path))
            continue;
        member *m = &d->members[d->member_count++];
        *m = (member){.name = name};
        EEX_TRY(look_inside(d, m, path));
    }
    return EEX_OK;
}

/* ---- what it could be ---- */

/* FOLDER/ant/train and FOLDER/ant/test. */
static int check_turned(const doubts *d)
{
    for (size_t i = 0; i < d->member_count; i++) {
        const member *m = &d->members[i];
        const char *two[2] = {NULL, NULL};
        for (int p = 0; p < EEX_PARTS; p++)
            if (m->split[p])
                two[two[0] != NULL] = m->split[p];
        if (two[1])
            return eex_fail(EEX_EFORMAT,
                            "%s: \"%s\" holds \"%s\" and \"%s\", folders called like parts of a "
                            "data set, of which one class would be made: %s",
                            d->folder, m->name, two[0], two[1], REMEDY);
    }
    return EEX_OK;
}

static int by_name(const void *a, const void *b)
{
    const inner *s = a, *t = b;
    const int order = strcmp(s->name, t->name);
    return order ? order : strcmp(s->in->name, t->in->name);
}

static bool is_split(const member *m)
{
    return eex__import_part_like(m->name) < EEX_PARTS;
}

static int put_doubt(doubts *d, const char *first, const char *second, const char *why)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_buffer_printf(&text,
                      "%s: \"%s\" and \"%s\" are taken for classes, though they %s: where they are "
                      "parts, %s",
                      d->folder, first, second, why, REMEDY);
    int code = eex_buffer_status(&text);
    if (code == EEX_OK &&
        !(d->layout->doubt = eex_arena_strdup(&d->layout->arena, eex_buffer_text(&text))))
        code = EEX_ENOMEM;
    eex_buffer_free(&text);
    return code;
}

/* FOLDER/train/ant and FOLDER/extra/ant, of which no two classes are made. Where both hold images
 * too, or none is called like a part, it is said alone: it may be ant/left and bee/left. */
static int check_same(doubts *d)
{
    const inner *twice = NULL;
    size_t same = 0;
    if (d->inner_count)
        qsort(d->inners, d->inner_count, sizeof *d->inners, by_name);
    for (size_t i = 1; i < d->inner_count; i++) {
        const inner *a = &d->inners[i - 1], *b = &d->inners[i];
        if (strcmp(a->name, b->name) != 0)
            continue;
        const bool split = is_split(a->in) || is_split(b->in);
        const bool images = a->in->images && b->in->images; /* as classes have, or strays */
        if (split && !images)
            return eex_fail(EEX_EFORMAT,
                            "%s: \"%s\" and \"%s\" hold a folder \"%s\" each, as parts of a data "
                            "set do, and would become classes: %s",
                            d->folder, a->in->name, b->in->name, a->name, REMEDY);
        const bool first = i == 1 || strcmp(a->name, a[-1].name) != 0;
        if (split || (first && a->in->images == 0 && b->in->images == 0)) {
            twice = twice ? twice : a;
            same += split ? 2 : 1;
        }
    }
    return same > 1 ? put_doubt(d, twice[0].in->name, twice[1].in->name, "hold the same folders")
                    : EEX_OK;
}

/* Two that are called like parts, or one that holds folders like one. */
static int check_names(doubts *d)
{
    const member *split = NULL;
    for (size_t i = 0; i < d->member_count; i++) {
        const member *m = &d->members[i];
        if (split && is_split(m))
            return put_doubt(d, split->name, m->name, "are called like parts of a data set");
        if (is_split(m))
            split = m;
    }
    if (!split || split->folders == 0 || split->images || d->member_count < 2)
        return EEX_OK;
    const member *other = split == d->members ? split + 1 : d->members;
    return put_doubt(d, split->name, other->name,
                     "lie beside each other like a part of a data set and another");
}

int eex__import_check_classes(eex_import_layout *l, const char *folder)
{
    eex_fs_names names;
    doubts d = {.layout = l, .folder = folder};
    EEX_TRY(eex_fs_list(&names, folder));
    int code = look(&d, &names);
    if (code == EEX_OK)
        code = check_turned(&d);
    if (code == EEX_OK)
        code = check_same(&d);
    if (code == EEX_OK && !l->doubt)
        code = check_names(&d);
    free(d.members);
    free(d.inners);
    eex_fs_names_free(&names);
    return code;
}
