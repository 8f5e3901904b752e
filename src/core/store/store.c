#include "core/store/store_hdf5.h"

#include "base/fs.h"
#include "base/status.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static pthread_mutex_t store_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t store_once = PTHREAD_ONCE_INIT;

static void store_setup(void)
{
    H5dont_atexit(); /* whatever is open when the program ends was abandoned */
    H5open();
    H5PLset_loading_state(0); /* a file must not be able to load code */
}

void eex__store_enter(void)
{
    pthread_mutex_lock(&store_lock);
    pthread_once(&store_once, store_setup);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

int eex__store_leave(int code)
{
    pthread_mutex_unlock(&store_lock);
    return code;
}

/* ---- errors ---- */

typedef struct innermost {
    char text[256];
    int system; /* errno that HDF5 mentions anywhere, or 0 */
} innermost;

static herr_t innermost_visit(unsigned n, const H5E_error2_t *error, void *data)
{
    innermost *found = data;
    if (!error->desc)
        return 0;
    if (n == 0)
        snprintf(found->text, sizeof found->text, "%s", error->desc);
    const char *number = strstr(error->desc, "errno = ");
    if (number && !found->system)
        found->system = atoi(number + strlen("errno = "));
    return 0;
}

int eex__store_fail(int code, const eex_store_file *file, const char *name, const char *format, ...)
{
    innermost found = {"", file->error};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost_visit, &found);
    H5Eclear2(H5E_DEFAULT);

    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    const char *slash = name && *name && *name != '/' ? "/" : "";
    const char *colon = name && *name ? ": " : "";
    if (found.system == ENOMEM)
        return eex_fail(EEX_ENOMEM, "%s: out of memory", file->path);
    if (found.system)
        return eex_fail(EEX_EIO, "%s: %s%s%s%s: %s", file->path, slash, name ? name : "", colon,
                        what, strerror(found.system));
    if (found.text[0])
        return eex_fail(code, "%s: %s%s%s%s (HDF5: %s)", file->path, slash, name ? name : "", colon,
                        what, found.text);
    return eex_fail(code, "%s: %s%s%s%s", file->path, slash, name ? name : "", colon, what);
}

/* ---- names ---- */

const char *eex__store_object(const char *name)
{
    return name && *name ? name : "/";
}

int eex__store_check_name(const eex_store_file *file, const char *name)
{
    size_t length = name ? strlen(name) : 0;
    bool wrong =
        length == 0 || length > EEX__STORE_MAX_NAME || name[0] == '/' || name[length - 1] == '/';
    if (!wrong && (strstr(name, "//") || strcmp(name, ".") == 0 || strstr(name, "./")))
        wrong = true;
    if (wrong)
        return eex_fail(EEX_EINVAL, "%s: \"%s\" is no name for an object: it must look like a/b/c",
                        file->path, name ? name : "");
    return EEX_OK;
}

/* HDF5's library ends the process in some of the places where it finds no memory. So it is asked
 * for nothing unless there is more than it takes for its caches and a few chunks. */
static bool has_headroom(void)
{
    enum { BYTES = 16 << 20 };
    void *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED && munmap(memory, BYTES) == 0;
}

int eex__store_check_writing(const eex_store_file *file, const char *name)
{
    if (!file->part)
        return eex_fail(EEX_EINVAL, "%s: %s: the file is open for reading only", file->path, name);
    if (!has_headroom())
        return eex_fail(EEX_ENOMEM, "%s: out of memory", file->path);
    if (file->error)
        return eex_fail(EEX_EIO, "cannot write %s: %s", file->path, strerror(file->error));
    return EEX_OK;
}

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
        code =
            eex_fail(EEX_EFORMAT, "%s is a \"%s\" file, expected \"%s\"", file->path, found, kind);
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

int eex_store_open(eex_store_file **out, const char *path, const char *kind, int version)
{
    eex_store_file *file = NULL;
    *out = NULL;
    EEX_TRY(file_new(&file, path));
    int code = eex__reader_open(&file->reader, file->path);
    if (code == EEX_OK)
        code = check_format(file, kind, version);
    if (code < 0) {
        eex_store_close(file);
        return code;
    }
    *out = file;
    return EEX_OK;
}

static int file_create(eex_store_file *file)
{
    hid_t access = H5I_INVALID_HID, creation = H5I_INVALID_HID;
    eex__store_enter();
    int code = access_list(&access);
    if (code == EEX_OK) {
        creation = H5Pcreate(H5P_FILE_CREATE);
        H5Pset_obj_track_times(creation, false); /* the same content gives the same bytes */
        if (eex__store_use_driver(access, &file->error) >= 0)
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

static int file_close(eex_store_file *file)
{
    int code = EEX_OK;
    eex__store_enter();
    eex__store_forget_array(file);
    if (file->id >= 0 && H5Fclose(file->id) < 0)
        code = eex__store_fail(EEX_EIO, file, NULL, "cannot write it");
    file->id = H5I_INVALID_HID;
    if (code == EEX_OK && file->error)
        code = eex_fail(EEX_EIO, "cannot write %s: %s", file->path, strerror(file->error));
    return eex__store_leave(code);
}

int eex_store_commit(eex_store_file **file)
{
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
    else if (f->part)
        unlink(f->part);
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
        unlink(file->part);
    }
    file_free(file);
}

const char *eex_store_path(const eex_store_file *file)
{
    return file->path;
}

int eex_store_version(const eex_store_file *file)
{
    return file->version;
}
