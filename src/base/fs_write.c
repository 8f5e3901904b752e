/* Files that are complete or absent, and streams. */
#include "base/buffer.h"
#include "base/fs_impl.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char part_ending[] = ".part";

static int write_all(int file, const char *data, size_t size, const char *path)
{
    while (size > 0) {
        const ssize_t put = write(file, data, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return eex__fs_fail("write", path);
        data += put;
        size -= (size_t)put;
    }
    return EEX_OK;
}

int eex_fs_part_name(char **out, const char *path)
{
    static atomic_uint serial;
    struct stat info;
    for (;;) { /* what is called so was left by a process before, or put there: it stays */
        eex_buffer name = EEX_BUFFER_INIT;
        eex_buffer_printf(&name, "%s.%ld-%u%s", path, (long)getpid(), serial++, part_ending);
        const int code = eex_buffer_take(out, &name);
        eex_buffer_free(&name);
        if (code != EEX_OK || lstat(*out, &info) != 0)
            return code;
        free(*out);
        *out = NULL;
    }
}

int eex_fs_part_make(char **out, const char *path)
{
    EEX_TRY(eex_fs_part_name(out, path));
    const int file = open(*out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0) {
        close(file);
        return EEX_OK;
    }
    free(*out);
    *out = NULL;
    return eex__fs_fail("write", path);
}

int eex_fs_commit(const char *part, const char *path)
{
    char *folder = NULL;
    int code = eex_path_folder(&folder, path);
    if (code == EEX_OK)
        code = eex__fs_flush(part, O_RDONLY | O_NOFOLLOW);
    if (code == EEX_OK && rename(part, path) != 0)
        code = eex__fs_fail("write", path);
    if (code != EEX_OK)
        unlink(part);
    else
        code = eex__fs_flush(folder, O_RDONLY | O_DIRECTORY);
    free(folder);
    return code;
}

static int write_part(const char *part, const char *path, const void *data, size_t size)
{
    const int file = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0)
        return eex__fs_fail("write", path);
    int code = write_all(file, data, size, path);
    if (close(file) != 0 && code == EEX_OK)
        code = eex__fs_fail("write", path);
    if (code != EEX_OK)
        unlink(part);
    return code;
}

/* The number of a file that is open already, by the names that the system has for such; or -1. */
static int open_number(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    if (strcmp(path, "/dev/stdout") == 0)
        return STDOUT_FILENO;
    if (strcmp(path, "/dev/stderr") == 0)
        return STDERR_FILENO;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *number = path + strlen(folders[i]);
        if (strncmp(path, folders[i], strlen(folders[i])) == 0 && *number >= '0' && *number <= '9')
            return atoi(number);
    }
    return -1;
}

bool eex_fs_is_stream(const char *path)
{
    struct stat info;
    if (open_number(path) >= 0)
        return true;
    return stat(path, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode));
}

/* A file that is open is written where it is, between what others write into it. A pipe that nobody
 * reads from is an error (ENXIO) instead of a wait that has no end. */
static int open_stream(const char *path)
{
    const int number = open_number(path);
    if (number >= 0) {
        fflush(stdout);
        return dup(number);
    }
    const int file = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file >= 0)
        fcntl(file, F_SETFL, 0);
    return file;
}

int eex_fs_open_stream(int *out, const char *path)
{
    struct stat info;
    *out = open_stream(path);
    if (*out >= 0)
        return EEX_OK;
    if (errno != ENXIO)
        return eex__fs_fail("write", path);
    if (stat(path, &info) == 0 && S_ISFIFO(info.st_mode))
        return eex_fail(EEX_EIO, "cannot write %s: nobody reads from this pipe", path);
    return eex_fail(EEX_EIO,
                    "cannot write %s: nothing is behind this device here (as /dev/tty has "
                    "no terminal where a program was started without one)",
                    path);
}

static int write_stream(const char *path, const void *data, size_t size)
{
    int file;
    EEX_TRY(eex_fs_open_stream(&file, path));
    int code = write_all(file, data, size, path);
    if (close(file) != 0 && code == EEX_OK)
        code = eex__fs_fail("write", path);
    return code;
}

int eex_fs_write(const char *path, const void *data, size_t size)
{
    char *part = NULL;
    if (eex_fs_is_stream(path))
        return write_stream(path, data, size);
    EEX_TRY(eex_fs_part_name(&part, path));
    int code = write_part(part, path, data, size);
    if (code == EEX_OK)
        code = eex_fs_commit(part, path);
    free(part);
    return code;
}

/* Digits right in front of `end`; where they begin. */
static const char *digits_before(const char *name, const char *end)
{
    while (end > name && end[-1] >= '0' && end[-1] <= '9')
        end--;
    return end;
}

/* "weights.h5.4711-3.part": parts of other programs are none of ours. */
static bool is_part(const char *name)
{
    const size_t length = strlen(name), ending = strlen(part_ending);
    if (length < ending || strcmp(name + length - ending, part_ending) != 0)
        return false;
    const char *end = name + length - ending, *serial = digits_before(name, end);
    if (serial == end || serial == name || serial[-1] != '-')
        return false;
    const char *pid = digits_before(name, serial - 1);
    return pid < serial - 1 && pid > name + 1 && pid[-1] == '.';
}

int eex_fs_remove_parts(const char *folder)
{
    eex_fs_names names = {NULL, 0};
    EEX_TRY(eex_fs_list(&names, folder));
    int code = EEX_OK;
    for (size_t i = 0; i < names.count && code == EEX_OK; i++) {
        char *path = NULL;
        if (!is_part(names.names[i]))
            continue;
        code = eex_path_join(&path, folder, names.names[i]);
        if (code == EEX_OK && unlink(path) != 0 && errno != ENOENT)
            code = eex__fs_fail("remove", path);
        free(path);
    }
    eex_fs_names_free(&names);
    return code;
}
