#include "cli/export_c99.h"

#include "cli/out_file.h"
#include "cli/print.h"
#include "core/exchange/c99.h"

#include "base/fs.h"
#include "base/share.h"
#include "base/status.h"
#include "base/text.h"

#include <stdlib.h>

enum { MOST_BYTES = 1 << 20 };

/* The same for all networks, in export/c99 of what comes with the program. */
static const char *const fixed[] = {"kernels.c", "kernels.h", "main.c", "Makefile"};
enum { FIXED = sizeof fixed / sizeof *fixed };

static int check_file(const char *folder, const char *name, bool force)
{
    char *path = NULL;
    EEX_TRY(eex_path_join(&path, folder, name));
    int code = eex_check_out(path, force, NULL, NULL);
    free(path);
    return code;
}

int eex_export_c99_check(const char *folder, bool force)
{
    if (!folder)
        return EEX_OK;
    if (!eex_fs_is_folder(folder))
        return eex_fs_try_folder(folder);
    for (int i = 0; i < FIXED; i++)
        EEX_TRY(check_file(folder, fixed[i], force));
    EEX_TRY(check_file(folder, "model.h", force));
    return check_file(folder, "model.c", force);
}

/* ---- writing: all files are there, aside, before any gets its name ---- */

typedef struct output {
    char *path, *part; /* part NULL: not written */
} output;

typedef struct outputs {
    output file[FIXED + 2];
    int count;
} outputs;

static int put_file(outputs *o, const char *folder, const char *name, const void *data, size_t size)
{
    output *file = &o->file[o->count++];
    EEX_TRY(eex_path_join(&file->path, folder, name));
    EEX_TRY(eex_fs_part_name(&file->part, file->path));
    return eex_fs_write(file->part, data, size);
}

static int copy_fixed(outputs *o, const char *folder, const char *from, const char *name)
{
    char *path = NULL, *text = NULL;
    size_t size = 0;
    EEX_TRY(eex_path_join(&path, from, name));
    int code = eex_fs_read(&text, &size, path, MOST_BYTES);
    if (code == EEX_OK)
        code = put_file(o, folder, name, text, size);
    free(text);
    free(path);
    return code;
}

static int put_all(outputs *o, const char *folder, const eex_buffer *header,
                   const eex_buffer *source)
{
    char *from = NULL;
    EEX_TRY(eex_share_find(&from, "export/c99"));
    int code = EEX_OK;
    for (int i = 0; i < FIXED && code == EEX_OK; i++)
        code = copy_fixed(o, folder, from, fixed[i]);
    if (code == EEX_OK)
        code = put_file(o, folder, "model.h", header->data, header->size);
    if (code == EEX_OK)
        code = put_file(o, folder, "model.c", source->data, source->size);
    for (int i = 0; i < o->count && code == EEX_OK; i++)
        code = eex_fs_commit(o->file[i].part, o->file[i].path);
    free(from);
    return code;
}

static void close_all(outputs *o)
{
    for (int i = 0; i < o->count; i++) {
        if (o->file[i].part)
            eex_fs_remove_file(o->file[i].part); /* which is not there any more if all went well */
        free(o->file[i].part);
        free(o->file[i].path);
    }
}

static int write_all(const char *folder, const eex_buffer *header, const eex_buffer *source)
{
    outputs o = {.count = 0};
    char *made = NULL;
    int code = eex_fs_make_folders(&made, folder);
    if (code == EEX_OK)
        code = put_all(&o, folder, header, source);
    close_all(&o);
    if (code != EEX_OK)
        eex_fs_unmake_folders(made, folder);
    free(made);
    return code;
}

int eex_export_c99(const char *folder, const eex_model *model)
{
    eex_buffer header = EEX_BUFFER_INIT, source = EEX_BUFFER_INIT;
    eex_c99_needs needs;
    char weights[EEX_TEXT_SIZE], memory[EEX_TEXT_SIZE];
    int code = eex_c99_put(&header, &source, &needs, model);
    if (code == EEX_OK)
        code = write_all(folder, &header, &source);
    if (code == EEX_OK)
        eex__print_line("%s: C, %s of constants and %s of memory", folder,
                        eex_text_number(weights, (double)needs.weights, "B"),
                        eex_text_number(memory, (double)needs.memory, "B"));
    eex_buffer_free(&header);
    eex_buffer_free(&source);
    return code;
}
