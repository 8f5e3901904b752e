#include "core/store/kinds.h"
#include "core/store/store_hdf5.h"

#include "base/fs.h"
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- opening ---- */

static int access_list(hid_t *out)
{
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    *out = list;
    /* Files are never changed in place, so that locks, which some file systems lack, are of no use.
     * The 1.10 format is the first in which everything that HDF5 itself writes has a checksum. */
    if (list < 0 || H5Pset_fclose_degree(list, H5F_CLOSE_STRONG) < 0 ||
        H5Pset_file_locking(list, false, true) < 0 ||
        H5Pset_libver_bounds(list, H5F_LIBVER_V110, H5F_LIBVER_LATEST) < 0)
        return eex_fail(EEX_ENOMEM, "HDF5 cannot make an access list");
    return EEX_OK;
}

static void file_free(eex_store_file *file)
{
    if (!file)
        return;
    free(file->path);
    free(file->part);
    free(file->array_name);
    eex__sealing_free(&file->sealing);
    eex__reader_close(file->reader);
    free(file);
}

static int file_new(eex_store_file **out, const char *path)
{
    *out = calloc(1, sizeof **out);
    if (*out)
        (*out)->path = strdup(path);
    if (!*out || !(*out)->path) {
        file_free(*out);
        *out = NULL;
        return eex_fail(EEX_ENOMEM, "%s: out of memory", path);
    }
    (*out)->id = (*out)->array = H5I_INVALID_HID;
    return EEX_OK;
}

static int fail_kind(const eex_store_file *file, const char *kind, const char *found)
{
    const eex__store_kind *expected = eex__store_kind_of(kind);
    eex_fail(EEX_EFORMAT, "%s is a \"%s\" file, expected \"%s\"", file->path, found, kind);
    return expected ? eex_fail(EEX_EFORMAT, "%s, %s; %s", eex_error(), expected->what,
                               eex__store_remedy(kind))
                    : EEX_EFORMAT;
}

static int check_format(eex_store_file *file, const char *kind, int version)
{
    char *found = NULL;
    int64_t number = 0;
    int code = eex_store_get_string(&found, file, "/", "eex_format");
    if (code == EEX_OK)
        code = eex_store_get_int(&number, file, "/", "eex_format_version");
    if (code == EEX_ENOTFOUND)
        code = eex_fail(EEX_EFORMAT, "%s is an HDF5 file, but not one of eex's: it has no %s",
                        file->path, found ? "eex_format_version" : "eex_format");
    if (code == EEX_OK && kind && strcmp(found, kind) != 0)
        code = fail_kind(file, kind, found);
    if (code == EEX_OK && number > version)
        code = eex_fail(EEX_EVERSION,
                        "%s: its format \"%s\" has version %lld, this eex reads up to %d: use the "
                        "eex that wrote it, or a newer one",
                        file->path, found, (long long)number, version);
    if (code == EEX_OK && number < 1)
        code = eex_fail(EEX_EFORMAT, "%s: eex_format_version is %lld, expected 1 or more",
                        file->path, (long long)number);
    file->version = (int)number;
    free(found);
    return code;
}

int eex__store_open_alone(eex_store_file **out, const char *path, const char *kind, int version)
{
    eex_store_file *file = NULL;
    *out = NULL;
    EEX_TRY(file_new(&file, path));
    int code = eex__reader_open(&file->reader, file->path, kind);
    if (code == EEX_OK)
        code = check_format(file, kind, version);
    if (code < 0) {
        eex_store_close(file);
        return code;
    }
    *out = file;
    return EEX_OK;
}

int eex_store_open(eex_store_file **out, const char *path, const char *kind, int version)
{
    EEX_NEED(out, "place for the file");
    EEX_NEED(path, "path");
    EEX_TRY(eex__store_open_alone(out, path, kind, version));
    const int code = eex__store_check_company(*out);
    if (code < 0) {
        eex_store_close(*out);
        *out = NULL;
    }
    return code;
}

static int file_create(eex_store_file *file)
{
    hid_t access = H5I_INVALID_HID, creation = H5I_INVALID_HID;
    eex__store_enter();
    int code = access_list(&access);
    if (code == EEX_OK) {
        creation = H5Pcreate(H5P_FILE_CREATE);
        H5Pset_obj_track_times(creation, false); /* the same content gives the same bytes */
        if (eex__store_use_driver(access, &file->error, &file->made) >= 0)
            file->id = H5Fcreate(file->part, H5F_ACC_TRUNC, creation, access);
        if (file->id < 0)
            code = eex__store_fail(EEX_EIO, file, NULL, "cannot create it");
    }
    if (access >= 0)
        H5Pclose(access);
    if (creation >= 0)
        H5Pclose(creation);
    return eex__store_leave(code);
}

int eex_store_create(eex_store_file **out, const char *path, const char *kind, int version)
{
    EEX_NEED(out, "place for the file");
    EEX_NEED(path, "path");
    EEX_NEED(kind, "kind");
    eex_store_file *file = NULL;
    *out = NULL;
    EEX_TRY(file_new(&file, path));
    int code = eex_fs_part_name(&file->part, path);
    if (code == EEX_OK)
        code = eex__store_check_writing(file, "create");
    if (code == EEX_OK)
        code = file_create(file);
    if (code == EEX_OK)
        code = eex__sealing_add(&file->sealing, "", "group", NULL);
    if (code == EEX_OK)
        code = eex_store_set_string(file, "/", "eex_format", kind);
    if (code == EEX_OK)
        code = eex_store_set_int(file, "/", "eex_format_version", version);
    if (code == EEX_OK)
        code = eex_store_set_string(file, "/", "eex_version", EEX_VERSION);
    if (code < 0) {
        eex_store_close(file);
        return code;
    }
    file->version = version;
    *out = file;
    return EEX_OK;
}

/* ---- closing ---- */

/* What was never opened is none of HDF5's library, which may lack the memory to begin with. */
static int file_close(eex_store_file *file)
{
    int code = EEX_OK;
    if (file->id < 0)
        return code;
    eex__store_enter();
    eex__store_forget_array(file);
    if (H5Fclose(file->id) < 0)
        code = eex__store_fail(EEX_EIO, file, NULL, "cannot write it");
    file->id = H5I_INVALID_HID;
    if (code == EEX_OK && file->error)
        code = eex_fail(EEX_EIO, "cannot write %s: %s", file->path, strerror(file->error));
    return eex__store_leave(code);
}

static void remove_part(const eex_store_file *file)
{
    if (file->made)
        unlink(file->part);
}

int eex_store_commit(eex_store_file **file)
{
    EEX_NEED(file, "file");
    eex_store_file *f = *file;
    *file = NULL;
    if (!f)
        return eex_fail(EEX_EINVAL, "no file to commit");
    int code = eex__store_check_writing(f, "commit");
    if (code == EEX_OK)
        code = eex__store_seal(f);
    if (code == EEX_OK)
        code = file_close(f);
    if (code == EEX_OK)
        code = eex_fs_commit(f->part, f->path);
    else
        remove_part(f);
    file_free(f);
    return code;
}

void eex_store_close(eex_store_file *file)
{
    if (!file)
        return;
    if (file->part) {
        char message[2048]; /* closing what failed must not replace the reason that it failed for */
        snprintf(message, sizeof message, "%s", eex_error());
        if (file_close(file) < 0)
            eex_fail(EEX_EIO, "%s", message);
        remove_part(file);
    }
    file_free(file);
}

/* ---- whole files ---- */

int eex_store_write_file(const char *path, const char *kind, int version, eex_store_fill fill,
                         const void *context)
{
    EEX_NEED(fill, "function");
    eex_store_file *file = NULL;
    EEX_TRY(eex_store_create(&file, path, kind, version));
    int code = fill(file, context);
    if (code == EEX_OK)
        code = eex_store_commit(&file);
    eex_store_close(file);
    return code;
}

int eex_store_read_file(const char *path, const char *kind, int version, eex_store_use use,
                        void *context)
{
    EEX_NEED(use, "function");
    eex_store_file *file = NULL;
    EEX_TRY(eex_store_open(&file, path, kind, version));
    int code = use(file, context);
    eex_store_close(file);
    return code;
}

const char *eex_store_path(const eex_store_file *file)
{
    return file ? file->path : "";
}

int eex_store_refuse(const eex_store_file *file, const char *format, ...)
{
    EEX_NEED(file, "file");
    EEX_NEED(format, "message");
    va_list args;
    char what[512];
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    eex_fail(EEX_EFORMAT, "%s: %s", file->path, what);
    return file->reader ? eex__h5_advise(&file->reader->file, EEX_EFORMAT) : EEX_EFORMAT;
}

int eex_store_version(const eex_store_file *file)
{
    return file ? file->version : 0;
}
