#include "cli/out_file.h"

#include "core/run/experiment.h"
#include "core/store/store.h"

#include "base/fs.h"
#include "base/status.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A version that this program cannot read is the same kind nonetheless. */
static bool is_of(const char *path, const char *kind, const char *object)
{
    eex_store_file *file = NULL;
    bool opened = eex_store_open(&file, path, kind, INT_MAX) == EEX_OK;
    bool same = kind ? opened && (!object || eex_store_has(file, object) > 0) : !opened;
    eex_store_close(file);
    return same;
}

enum { WHAT = 96 };

/* What a file is, for a message: `a "weights" file`. */
static void what_is(char out[WHAT], const char *path)
{
    eex_store_file *file = NULL;
    char *kind = NULL;
    if (eex_store_open(&file, path, NULL, INT_MAX) == EEX_OK &&
        eex_store_get_string(&kind, file, "/", "eex_format") == EEX_OK)
        snprintf(out, WHAT, "a \"%.60s\" file", kind);
    else
        snprintf(out, WHAT, "a damaged file or none of eex's");
    free(kind);
    eex_store_close(file);
}

int eex_check_kind(const char *path, const char *kind, const char *object)
{
    struct stat facts;
    char what[WHAT];
    if (lstat(path, &facts) != 0 || eex_fs_is_folder(path) || is_of(path, kind, object))
        return EEX_OK;
    what_is(what, path);
    return eex_fail(EEX_EINVAL,
                    "%s is there already, and not what this command writes but %s: it is never "
                    "replaced: remove it, or choose another name",
                    path, what);
}

/* One name in one folder, however that is called; what is there already may have other names. */
static bool is_same(const char *a, const char *b)
{
    char *in_a = NULL, *in_b = NULL;
    const bool same = strcmp(eex_path_base(a), eex_path_base(b)) == 0 &&
                      eex_path_folder(&in_a, a) == EEX_OK && eex_path_folder(&in_b, b) == EEX_OK &&
                      eex_fs_is_same(in_a, in_b);
    free(in_a);
    free(in_b);
    return same;
}

static const char *text_of(const eex_option *o, const void *arguments)
{
    return *(const char *const *)(const void *)((const char *)arguments + o->offset);
}

static int check_apart(const eex_option *a, const eex_option *b, const void *arguments)
{
    const char *path = text_of(a, arguments), *other = text_of(b, arguments);
    if (!other || eex_fs_is_stream(path) || !is_same(path, other))
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "--%s %s and --%s %s are one file: give each a name of its own",
                    a->name, path, b->name, other);
}

/* Whether both are one file, which may have several names. A link is replaced itself, and what it
 * leads to stays. */
static bool replaces(const char *path, const char *read)
{
    struct stat from, to;
    return read && stat(read, &from) == 0 && lstat(path, &to) == 0 && S_ISREG(from.st_mode) &&
           from.st_dev == to.st_dev && from.st_ino == to.st_ino;
}

/* What one option writes, beside all that is named. */
static int check_one(const eex_option *out, const eex_option *options, const void *arguments,
                     const eex_words *words)
{
    const char *path = text_of(out, arguments);
    for (int i = 0; i < words->count; i++)
        if (replaces(path, words->at[i]))
            return eex_fail(EEX_EINVAL, "%s is what --%s %s would replace: give that another name",
                            words->at[i], out->name, path);
    for (const eex_option *o = options; o->name; o++) {
        if (o->kind != EEX_OPTION_TEXT || o == out)
            continue;
        if (o->writes && o > out)
            EEX_TRY(check_apart(out, o, arguments));
        if (!o->writes && replaces(path, text_of(o, arguments)))
            return eex_fail(EEX_EINVAL,
                            "--%s %s is what --%s %s would replace: give that another name",
                            o->name, text_of(o, arguments), out->name, path);
    }
    return EEX_OK;
}

int eex_check_written(const eex_option *options, const void *arguments, const eex_words *words)
{
    for (const eex_option *o = options; o && o->name; o++)
        if (o->writes && text_of(o, arguments))
            EEX_TRY(check_one(o, options, arguments, words));
    return EEX_OK;
}

int eex_check_out(const char *path, bool force, const char *kind, const char *object)
{
    struct stat facts;
    if (!path)
        return EEX_OK;
    if (eex_run_owns(path))
        return eex_fail(EEX_EINVAL, "%s: a file of that name belongs to the run: choose another",
                        path);
    if (eex_fs_is_stream(path))
        return kind ? eex_fail(EEX_EINVAL, "%s: an HDF5 file is not written in one go: name a file",
                               path)
                    : EEX_OK;
    if (lstat(path, &facts) != 0 || eex_fs_is_folder(path))
        return eex_fs_try(path);
    EEX_TRY(eex_check_kind(path, kind, object));
    if (!force)
        return eex_fail(EEX_EINVAL, "%s is there already: --force replaces it", path);
    return eex_fs_try(path);
}
