/* What every call into HDF5 goes through: the lock, messages, and checks of names. */
#include "core/store/store_hdf5.h"

#include "base/status.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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
    if (!file)
        return eex_fail(EEX_EINVAL, "store: no file (NULL)");
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

int eex__store_check_type(const eex_store_file *file, const char *name, eex_store_type type,
                          const eex_store_shape *shape)
{
    if ((unsigned)type >= EEX_STORE_TYPES)
        return eex_fail(EEX_EINVAL, "%s: /%s: there is no type %d, only 0 to %d", file->path, name,
                        (int)type, EEX_STORE_TYPES - 1);
    return shape ? EEX_OK : eex_fail(EEX_EINVAL, "%s: /%s: no shape (NULL)", file->path, name);
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
    if (!file)
        return eex_fail(EEX_EINVAL, "store: no file (NULL)");
    if (!file->part)
        return eex_fail(EEX_EINVAL, "%s: %s: the file is open for reading only", file->path, name);
    if (!has_headroom())
        return eex_fail(EEX_ENOMEM, "%s: out of memory", file->path);
    if (file->error)
        return eex_fail(EEX_EIO, "cannot write %s: %s", file->path, strerror(file->error));
    return EEX_OK;
}
