/* Image files and folders. */
#include "core/frames/frames_impl.h"

#include "base/arena.h"
#include "base/fs.h"
#include "base/status.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 32 };

typedef struct entry {
    const char *path;
    int32_t label;
} entry;

typedef struct files {
    eex_frames base;
    eex_arena arena; /* of the paths */
    entry *entries;
    size_t count, capacity;
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

/* The class that a folder is called like, or -1. */
static int32_t label_of(const files *f, const char *folder)
{
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    size_t from = length;
    while (from > 0 && folder[from - 1] != '/')
        from--;
    for (size_t c = 0; c < f->class_count; c++)
        if (strlen(f->classes[c]) == length - from &&
            memcmp(f->classes[c], folder + from, length - from) == 0)
            return (int32_t)c;
    return -1;
}

static int add_folder(files *f, const char *folder, int depth);

static int add_member(files *f, const char *folder, const char *name, int32_t label, int depth)
{
    char *path;
    int code = EEX_OK;
    if (name[0] == '.')
        return EEX_OK;
    EEX_TRY(eex_path_join(&path, folder, name));
    if (!eex_fs_is_folder(path))
        code = eex_image_named(name) ? add(f, path, label) : EEX_OK;
    else if (!eex_fs_is_link(path)) /* a link may lead round in circles */
        code = add_folder(f, path, depth + 1);
    free(path);
    return code;
}

static int add_folder(files *f, const char *folder, int depth)
{
    eex_fs_names names;
    if (depth > MAX_DEPTH)
        return eex_fail(EEX_EINVAL, "%s: folders more than %d deep", folder, MAX_DEPTH);
    EEX_TRY(eex_fs_list(&names, folder));
    const int32_t label = label_of(f, folder);
    int code = EEX_OK;
    for (size_t i = 0; i < names.count && code == EEX_OK; i++)
        code = add_member(f, folder, names.names[i], label, depth);
    eex_fs_names_free(&names);
    return code;
}

static int add_path(files *f, const char *path)
{
    char *folder;
    if (eex_fs_is_folder(path)) {
        const size_t before = f->count;
        EEX_TRY(add_folder(f, path, 0));
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

static int read_image(eex_image *image, const char *path, int enough)
{
    char *data = NULL;
    size_t bytes = 0;
    int code = eex_fs_read(&data, &bytes, path, EEX_IMAGE_MAX_BYTES);
    if (code == EEX_OK)
        code = eex_image_decode(image, data, bytes, enough, path);
    free(data);
    return code;
}

static int files_next(eex_frames *frames, eex_frame *frame, uint8_t *pixels)
{
    const files *f = (const files *)frames;
    const eex_frame_shape *s = &frames->shape;
    eex_image image = {0, 0, 0, NULL};
    if (frames->at == f->count) {
        frame->state = EEX_FRAME_END;
        return EEX_OK;
    }
    const entry *e = &f->entries[frames->at];
    frame->name = e->path;
    frame->label = e->label;
    /* As `eex data import` does it, so that an image gives the same pixels by both ways. */
    int code = read_image(&image, e->path, 4 * (s->width > s->height ? s->width : s->height));
    if (code == EEX_OK)
        code = eex_image_resize(pixels, s->width, s->height, s->channels, &image, s->fit);
    eex_image_free(&image);
    return code == EEX_EIO ? EEX_EFORMAT : code; /* a file that cannot be read is no end */
}

static void files_close(eex_frames *frames)
{
    files *f = (files *)frames;
    free(f->entries);
    eex_arena_free(&f->arena);
    free(f);
}

static const eex__frames_vtable files_vtable = {.next = files_next, .close = files_close};

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
