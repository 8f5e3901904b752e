/* Image files and folders. */
#include "core/data/passed.h"
#include "core/frames/frames_impl.h"
#include "core/frames/video.h"

#include "base/arena.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"
#include "base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct entry {
    const char *path;
    int32_t label;
} entry;

typedef struct files {
    eex_frames base;
    eex_arena arena; /* of the paths */
    entry *entries;
    size_t count, capacity;
    size_t links; /* to folders, not followed */
    const char *first_link;
    eex_passed passed;          /* files that are called like no image */
    const char *const *classes; /* while the list is made */
    size_t class_count;
} files;

/* ---- the list ---- */

static int add(files *f, const char *path, int32_t label)
{
    if (f->count == f->capacity) {
        const size_t capacity = f->capacity ? 2 * f->capacity : 64;
        entry *entries = realloc(f->entries, capacity * sizeof *entries);
        if (!entries)
            return eex_fail(EEX_ENOMEM, "out of memory for a list of %zu files", capacity);
        f->entries = entries;
        f->capacity = capacity;
    }
    const char *copy = eex_arena_strdup(&f->arena, path);
    if (!copy)
        return EEX_ENOMEM;
    const size_t width = eex_text_width(path);
    f->base.widest = width > f->base.widest ? width : f->base.widest;
    f->entries[f->count++] = (entry){copy, label};
    return EEX_OK;
}

int32_t eex__frames_label(const char *const *classes, size_t class_count, const char *folder)
{
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    size_t from = length;
    while (from > 0 && folder[from - 1] != '/')
        from--;
    for (size_t c = 0; c < class_count; c++)
        if (strlen(classes[c]) == length - from &&
            memcmp(classes[c], folder + from, length - from) == 0)
            return (int32_t)c;
    return -1;
}

static int32_t label_of(const files *f, const char *folder)
{
    return eex__frames_label(f->classes, f->class_count, folder);
}

/* A folder on the way down, with what is still to be looked at in it. */
typedef struct level {
    char *folder;
    eex_fs_names names;
    size_t next;
    int32_t label;
    bool inside; /* a class */
} level;

typedef struct walk {
    level *levels;
    size_t depth, capacity;
} walk;

static void leave(walk *w)
{
    level *l = &w->levels[--w->depth];
    free(l->folder);
    eex_fs_names_free(&l->names);
}

/* Takes the path over. One that cannot be listed (no permission, a path too long) is no reason to
 * leave out the others: it stands in the list as a file that cannot be read. */
static int enter(walk *w, files *f, char *path)
{
    level l = {.folder = path, .label = label_of(f, path)};
    l.inside = l.label >= 0 || (w->depth > 0 && w->levels[w->depth - 1].inside);
    if (w->depth == w->capacity) {
        const size_t capacity = w->capacity ? 2 * w->capacity : 16;
        level *levels = realloc(w->levels, capacity * sizeof *levels);
        if (!levels) {
            free(path);
            return eex_fail(EEX_ENOMEM, "out of memory for folders %zu deep", capacity);
        }
        w->levels = levels;
        w->capacity = capacity;
    }
    int code = eex_fs_list(&l.names, path);
    if (code == EEX_OK) {
        w->levels[w->depth++] = l;
        return EEX_OK;
    }
    if (code != EEX_ENOMEM)
        code = add(f, path, -1);
    free(path);
    return code;
}

/* A link may lead round in circles. One that is a class is followed, as `eex data import` does it,
 * and none inside a class, so there is at most one on the way down. */
static bool is_followed(const files *f, const level *l, const char *path)
{
    return !eex_fs_is_link(path) || (!l->inside && label_of(f, path) >= 0);
}

static int pass_over_link(files *f, const char *path)
{
    if (f->links++ == 0)
        f->first_link = eex_arena_strdup(&f->arena, path);
    return f->first_link ? EEX_OK : EEX_ENOMEM;
}

static int visit(walk *w, files *f, level *l, const char *name)
{
    char *path;
    if (name[0] == '.')
        return EEX_OK;
    EEX_TRY(eex_path_join(&path, l->folder, name));
    const bool folder = eex_fs_is_folder(path);
    if (folder && is_followed(f, l, path))
        return enter(w, f, path);
    int code = EEX_OK;
    if (folder)
        code = pass_over_link(f, path);
    else if (eex_image_named(name) || strlen(path) >= PATH_MAX)
        code = add(f, path, l->label);
    else
        code = eex_passed_add_ending(&f->passed, path);
    free(path);
    return code;
}

/* However deep: the way down is kept here and not on the stack. */
static int add_folder(files *f, const char *folder)
{
    walk w = {.levels = NULL};
    char *path = strdup(folder);
    int code = path ? enter(&w, f, path) : eex_fail(EEX_ENOMEM, "out of memory for a path");
    while (code == EEX_OK && w.depth > 0) {
        level *l = &w.levels[w.depth - 1];
        if (eex_interrupted())
            code = eex_fail(EEX_EINTERRUPTED, "interrupted");
        else if (l->next == l->names.count)
            leave(&w);
        else
            code = visit(&w, f, l, l->names.names[l->next++]);
    }
    while (w.depth > 0)
        leave(&w);
    free(w.levels);
    return code;
}

static int add_path(files *f, const char *path)
{
    char *folder;
    if (eex_fs_is_folder(path)) {
        const size_t before = f->count;
        EEX_TRY(add_folder(f, path));
        return f->count > before ? EEX_OK
                                 : eex_fail(EEX_ENOTFOUND, "%s: no %s files in this folder", path,
                                            EEX_IMAGE_FORMATS);
    }
    EEX_TRY(eex_path_folder(&folder, path));
    const int32_t label = label_of(f, folder);
    free(folder);
    return add(f, path, label);
}

/* ---- the source ---- */

static int read_image(eex_image *image, eex_frames *frames, const char *path)
{
    char *data = NULL;
    size_t bytes = 0;
    eex_fs_names names;
    if (eex_fs_is_folder(path)) { /* which could not be listed, and says why once more */
        EEX_TRY(eex_fs_list(&names, path));
        eex_fs_names_free(&names);
    }
    int code = eex_fs_read(&data, &bytes, path, EEX_IMAGE_MAX_BYTES);
    if (code == EEX_OK)
        code = eex_image_decode(image, data, bytes, eex__frames_enough(&frames->shape), path);
    if (code == EEX_OK)
        eex__frames_tell_more(frames, data, bytes, path);
    free(data);
    return code;
}

/* As `eex data import` does it, so that an image gives the same pixels by both ways. */
int eex__frames_enough(const eex_frame_shape *s)
{
    return 4 * (s->width > s->height ? s->width : s->height);
}

int eex__frames_resize(uint8_t *pixels, const eex_frame_shape *s, eex_image *image)
{
    const int code = eex_image_resize(pixels, s->width, s->height, s->channels, image, s->fit);
    eex_image_free(image);
    return code;
}

int eex__frames_read_file(eex_frames *frames, uint8_t *pixels, const char *path)
{
    eex_image image = {0, 0, 0, NULL};
    int code = read_image(&image, frames, path);
    const char *video = code < 0 && code != EEX_ENOMEM ? eex_video_file(path) : NULL;
    if (video)
        code = eex_video_refuse(path, video, "RUN");
    if (code == EEX_OK)
        code = eex__frames_resize(pixels, &frames->shape, &image);
    eex_image_free(&image);
    return code == EEX_EIO ? EEX_EFORMAT : code; /* a file that cannot be read is no end */
}

static int files_next(eex_frames *frames, eex_frame *frame, uint8_t *pixels)
{
    const files *f = (const files *)frames;
    if (frames->at == f->count) {
        frame->state = EEX_FRAME_END;
        return EEX_OK;
    }
    const entry *e = &f->entries[frames->at];
    frame->name = e->path;
    frame->label = e->label;
    return eex__frames_read_file(frames, pixels, e->path);
}

static void files_close(eex_frames *frames)
{
    files *f = (files *)frames;
    free(f->entries);
    eex_passed_free(&f->passed);
    eex_arena_free(&f->arena);
    free(f);
}

static bool files_reads(const eex_frames *frames, const char *path)
{
    const files *f = (const files *)frames;
    struct stat written, read;
    bool found = false;
    if (lstat(path, &written) != 0)
        return false;
    for (size_t i = 0; i < f->count && !found; i++)
        found = (stat(f->entries[i].path, &read) == 0 && read.st_dev == written.st_dev &&
                 read.st_ino == written.st_ino) ||
                (lstat(f->entries[i].path, &read) == 0 && read.st_dev == written.st_dev &&
                 read.st_ino == written.st_ino);
    return found;
}

static const eex__frames_vtable files_vtable = {
    .next = files_next, .close = files_close, .reads = files_reads};

static int check_lists(const char *const *paths, size_t count, const char *const *classes,
                       size_t class_count)
{
    if (count)
        EEX_NEED(paths, "list of paths");
    for (size_t i = 0; i < count; i++)
        EEX_NEED(paths[i], "path");
    for (size_t c = 0; classes && c < class_count; c++)
        EEX_NEED(classes[c], "name of a class");
    return EEX_OK;
}

/* Hidden files are nobody's images and are not spoken of. */
static int warn_of_passed(const files *f)
{
    eex_buffer list = EEX_BUFFER_INIT;
    const size_t count = eex_passed_say(&list, &f->passed, ", ");
    const int code = eex_buffer_status(&list);
    if (f->links)
        eex_log_warn("%zu of the links to folders are passed over, the first %s: only one that is "
                     "called like a class, outside of those, is followed",
                     f->links, f->first_link);
    if (count && code == EEX_OK)
        eex_log_warn("%zu of the files in folders are passed over, which are not called like %s: "
                     "%s; one that is named by itself is read whatever it is called",
                     count, EEX_IMAGE_FORMATS, eex_buffer_text(&list));
    eex_buffer_free(&list);
    return code;
}

int eex_frames_open_files(eex_frames **out, const eex_frame_shape *shape, const char *const *paths,
                          size_t count, const char *const *classes, size_t class_count)
{
    EEX_TRY(eex__frames_check(out, shape));
    EEX_TRY(check_lists(paths, count, classes, class_count));
    files *f = eex__frames_new(sizeof *f, &files_vtable, shape);
    int code = f ? EEX_OK : EEX_ENOMEM;
    if (f) {
        f->classes = classes;
        f->class_count = classes ? class_count : 0;
    }
    for (size_t i = 0; i < count && code == EEX_OK; i++)
        code = add_path(f, paths[i]);
    if (code == EEX_OK)
        code = warn_of_passed(f);
    if (code < 0) {
        if (f)
            files_close(&f->base);
        return code;
    }
    f->classes = NULL;
    f->class_count = 0;
    f->base.total = f->count;
    *out = &f->base;
    return EEX_OK;
}
