#include "base/fs.h"

#include "base/buffer.h"
#include "base/fs_impl.h"
#include "base/status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int eex__fs_fail(const char *verb, const char *path)
{
    const int reason = errno;
    const int code = reason == ENOENT ? EEX_ENOTFOUND : reason == ENOMEM ? EEX_ENOMEM : EEX_EIO;
    return eex_fail(code, "cannot %s %s: %s", verb, path, strerror(reason));
}

static int copy_text(char **out, const char *text, size_t size)
{
    *out = strndup(text, size);
    return *out ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory: cannot copy a path");
}

int eex_path_join(char **out, const char *folder, const char *name)
{
    if (name[0] == '/' || folder[0] == '\0')
        return copy_text(out, name, strlen(name));
    eex_buffer path = EEX_BUFFER_INIT;
    eex_buffer_puts(&path, folder);
    if (folder[strlen(folder) - 1] != '/')
        eex_buffer_putc(&path, '/');
    eex_buffer_puts(&path, name);
    const int code = eex_buffer_take(out, &path);
    eex_buffer_free(&path);
    return code;
}

const char *eex_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int eex_path_folder(char **out, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return copy_text(out, ".", 1);
    return copy_text(out, path, slash == path ? 1 : (size_t)(slash - path));
}

bool eex_fs_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 || (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG);
}

bool eex_fs_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

int eex_fs_find(const char *path)
{
    return eex_fs_exists(path) ? EEX_OK : eex_fail(EEX_ENOTFOUND, "there is no file \"%s\"", path);
}

bool eex_fs_is_file(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISREG(facts.st_mode);
}

bool eex_fs_is_same(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool eex_fs_is_link(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

int eex_fs_open_standard(void)
{
    for (int file = 0; file <= STDERR_FILENO; file++) {
        const int access = file == STDIN_FILENO    ? O_WRONLY
                           : file == STDOUT_FILENO ? O_RDONLY
                                                   : O_RDWR;
        if (fcntl(file, F_GETFD) < 0 && open("/dev/null", access) < 0) /* takes the lowest number */
            return eex_fail(EEX_EIO, "cannot open /dev/null: %s", strerror(errno));
    }
    return EEX_OK;
}

bool eex_fs_has_input(void)
{
    const int flags = fcntl(STDIN_FILENO, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY;
}

bool eex_fs_has_output(void)
{
    const int flags = fcntl(STDOUT_FILENO, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

int eex_fs_size(uint64_t *out, const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return eex__fs_fail("read", path);
    if (!S_ISREG(info.st_mode))
        return eex_fail(EEX_EIO, "cannot read %s: it is not a regular file", path);
    *out = (uint64_t)info.st_size;
    return EEX_OK;
}

int eex__fs_flush(const char *path, int flags)
{
    const int file = open(path, flags | O_CLOEXEC);
    if (file < 0)
        return errno == EACCES && (flags & O_DIRECTORY) ? EEX_OK : eex__fs_fail("open", path);
    int code = EEX_OK;
    if (fsync(file) != 0 && errno != EINVAL)
        code = eex__fs_fail("flush", path);
    close(file);
    return code;
}

/* A folder's name is on the disk when the folder that it is in was flushed. */
static int make_one_folder(const char *path)
{
    char *above = NULL;
    if (mkdir(path, 0777) == 0) {
        EEX_TRY(eex_path_folder(&above, path));
        const int code = eex__fs_flush(above, O_RDONLY | O_DIRECTORY);
        free(above);
        return code;
    }
    const int reason = errno;
    if (reason == EEXIST && eex_fs_is_folder(path))
        return EEX_OK;
    return eex_fail(EEX_EIO, "cannot make the folder %s: %s", path,
                    reason == EEXIST ? "a file of that name is in the way" : strerror(reason));
}

/* Unless it is there: mkdir on a read-only parent would complain. `made` (may be NULL) takes the
 * name of the first one that was not. */
static int make_missing_folder(char **made, const char *path)
{
    if (eex_fs_is_folder(path))
        return EEX_OK;
    EEX_TRY(make_one_folder(path));
    return made && !*made ? copy_text(made, path, strlen(path)) : EEX_OK;
}

int eex_fs_make_folders(char **made, const char *path)
{
    char *copy;
    if (made)
        *made = NULL;
    EEX_TRY(copy_text(&copy, path, strlen(path)));
    int code = EEX_OK;
    for (char *slash = strchr(copy + (*copy == '/'), '/'); slash && code == EEX_OK;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        code = make_missing_folder(made, copy);
        *slash = '/';
    }
    if (code == EEX_OK)
        code = make_missing_folder(made, path);
    free(copy);
    return code;
}

int eex_fs_make_folder(const char *path)
{
    return eex_fs_make_folders(NULL, path);
}

void eex_fs_unmake_folders(const char *made, const char *path)
{
    char name[PATH_MAX]; /* no memory: where there is none, this is called too */
    if (!made || snprintf(name, sizeof name, "%s", path) >= (int)sizeof name)
        return;
    while (strlen(name) >= strlen(made)) {
        char *slash = strrchr(name, '/');
        rmdir(name); /* what is not empty stays, and so does what it is in */
        if (!slash)
            break;
        *slash = '\0';
    }
}

static int read_all(eex_buffer *data, int file, const char *path, size_t limit)
{
    char chunk[32 * 1024];
    for (;;) {
        const ssize_t got = read(file, chunk, sizeof chunk);
        if (got == 0)
            return eex_buffer_status(data);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return eex__fs_fail("read", path);
        if ((size_t)got > limit - data->size)
            return eex_fail(EEX_EFORMAT, "%s is larger than the %zu bytes that were expected", path,
                            limit);
        eex_buffer_append(data, chunk, (size_t)got);
    }
}

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode)    ? "a folder"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

int eex_fs_open(int *out, const char *path)
{
    struct stat facts;
    *out = -1;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return errno == ENXIO
                   ? eex_fail(EEX_EIO, "%s is a socket or a device, expected a file", path)
                   : eex__fs_fail("open", path);
    if (fstat(file, &facts) != 0) {
        const int code = eex__fs_fail("look at", path);
        close(file);
        return code;
    }
    if (!S_ISREG(facts.st_mode)) {
        close(file);
        return eex_fail(EEX_EIO, "%s is %s, expected a file", path, kind_of(facts.st_mode));
    }
    *out = file;
    return EEX_OK;
}

int eex_fs_open_own(int *out, bool *made, const char *path, int flags)
{
    const int common = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | flags;
    struct stat facts;
    *out = open(path, common | O_CREAT | O_EXCL, 0666);
    *made = *out >= 0;
    if (*out < 0 && errno == EEXIST)
        *out = open(path, common | O_CREAT, 0666); /* CREAT: it may be gone by now */
    if (*out < 0)
        return errno == ELOOP
                   ? eex_fail(EEX_EIO, "%s is a symbolic link, which is not followed: remove it",
                              path)
                   : eex__fs_fail("open", path);
    int code = EEX_OK;
    if (fstat(*out, &facts) != 0)
        code = eex__fs_fail("look at", path);
    else if (!S_ISREG(facts.st_mode))
        code = eex_fail(EEX_EIO, "%s is no regular file, but %s: remove it", path,
                        kind_of(facts.st_mode));
    else if (facts.st_nlink > 1)
        code = eex_fail(EEX_EIO, "%s is a file that has other names too: remove it", path);
    if (code == EEX_OK)
        return EEX_OK;
    close(*out);
    *out = -1;
    return code;
}

int eex_fs_read(char **out, size_t *size, const char *path, size_t limit)
{
    int file;
    EEX_TRY(eex_fs_open(&file, path));
    eex_buffer data = EEX_BUFFER_INIT;
    int code = read_all(&data, file, path, limit);
    close(file);
    const size_t bytes = data.size;
    if (code == EEX_OK)
        code = eex_buffer_take(out, &data);
    if (code == EEX_OK && size)
        *size = bytes;
    eex_buffer_free(&data);
    return code;
}

int eex_fs_remove_file(const char *path)
{
    return unlink(path) == 0 || errno == ENOENT ? EEX_OK : eex__fs_fail("remove", path);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    return remove(path) == 0 || errno == ENOENT ? 0 : eex__fs_fail("remove", path);
}

int eex_fs_remove_tree(const char *path)
{
    const int open_folders = 16;
    const int code = nftw(path, remove_entry, open_folders, FTW_DEPTH | FTW_PHYS);
    if (code == -1 && errno == ENOENT)
        return EEX_OK;
    return code == -1 ? eex__fs_fail("remove", path) : code;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(eex_fs_names *names, const char *name)
{
    const size_t first = 16;
    const size_t n = names->count;
    if (n == 0 || (n >= first && (n & (n - 1)) == 0)) { /* doubles at powers of two */
        const size_t capacity = n == 0 ? first : 2 * n;
        char **grown = realloc(names->names, capacity * sizeof *grown);
        if (!grown)
            return eex_fail(EEX_ENOMEM, "out of memory: cannot list a folder of %zu files", n);
        names->names = grown;
    }
    EEX_TRY(copy_text(&names->names[n], name, strlen(name)));
    names->count++;
    return EEX_OK;
}

static int add_all_names(eex_fs_names *names, DIR *stream, const char *folder)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (!entry)
            return errno == 0 ? EEX_OK : eex__fs_fail("list", folder);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            EEX_TRY(add_name(names, entry->d_name));
    }
}

int eex_fs_list(eex_fs_names *out, const char *folder)
{
    DIR *stream = opendir(folder);
    if (!stream)
        return eex__fs_fail("list", folder);
    eex_fs_names names = {NULL, 0};
    const int code = add_all_names(&names, stream, folder);
    closedir(stream);
    if (code != EEX_OK) {
        eex_fs_names_free(&names);
        return code;
    }
    if (names.count > 1)
        qsort(names.names, names.count, sizeof *names.names, compare_names);
    *out = names;
    return EEX_OK;
}

void eex_fs_names_free(eex_fs_names *names)
{
    if (!names)
        return;
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    free(names->names);
    names->names = NULL;
    names->count = 0;
}
