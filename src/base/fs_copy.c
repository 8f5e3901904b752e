/* Copies of files of any size, in blocks. */
#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 256 * 1024 };

static int failed(const char *verb, const char *path)
{
    return eex_fail(EEX_EIO, "cannot %s %s: %s", verb, path, strerror(errno));
}

static int write_block(int to, const char *data, size_t size, const char *path)
{
    while (size > 0) {
        const ssize_t put = write(to, data, size);
        if (put < 0 && errno != EINTR)
            return failed("write", path);
        if (put > 0) {
            data += put;
            size -= (size_t)put;
        }
    }
    return EEX_OK;
}

static int copy_blocks(int to, int from, char *block, const char *path, const char *source)
{
    for (;;) {
        const ssize_t got = read(from, block, BLOCK);
        if (got == 0)
            return EEX_OK;
        if (got < 0 && errno != EINTR)
            return failed("read", source);
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted");
        if (got > 0)
            EEX_TRY(write_block(to, block, (size_t)got, path));
    }
}

static int copy_part(const char *part, int from, char *block, const char *path, const char *source)
{
    const int to = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (to < 0)
        return failed("write", path);
    int code = copy_blocks(to, from, block, path, source);
    if (close(to) != 0 && code == EEX_OK)
        code = failed("write", path);
    if (code != EEX_OK)
        unlink(part);
    return code;
}

int eex_fs_copy(const char *path, const char *source)
{
    int from;
    char *part = NULL, *block = malloc(BLOCK);
    int code = block ? eex_fs_open(&from, source)
                     : eex_fail(EEX_ENOMEM, "out of memory: cannot copy %s", source);
    if (code < 0) {
        free(block);
        return code;
    }
    code = eex_fs_part_name(&part, path);
    if (code == EEX_OK)
        code = copy_part(part, from, block, path, source);
    if (code == EEX_OK)
        code = eex_fs_commit(part, path);
    close(from);
    free(part);
    free(block);
    return code;
}

/* ---- comparing ---- */

static int read_block(size_t *size, int file, char *block, const char *path)
{
    *size = 0;
    while (*size < BLOCK) {
        const ssize_t got = read(file, block + *size, BLOCK - *size);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return failed("read", path);
        *size += got > 0 ? (size_t)got : 0;
    }
    return eex_interrupted() ? eex_fail(EEX_EINTERRUPTED, "interrupted") : EEX_OK;
}

static int compare(bool *same, const int file[2], char *block, const char *a, const char *b)
{
    size_t x = 0, y = 0;
    do {
        EEX_TRY(read_block(&x, file[0], block, a));
        EEX_TRY(read_block(&y, file[1], block + BLOCK, b));
        *same = x == y && memcmp(block, block + BLOCK, x) == 0;
    } while (*same && x > 0);
    return EEX_OK;
}

int eex_fs_same(bool *out, const char *a, const char *b)
{
    int file[2] = {-1, -1};
    char *block = malloc((size_t)2 * BLOCK);
    *out = false;
    int code = block ? eex_fs_open(&file[0], a)
                     : eex_fail(EEX_ENOMEM, "out of memory: cannot compare %s", a);
    if (code == EEX_OK)
        code = eex_fs_open(&file[1], b);
    if (code == EEX_OK)
        code = compare(out, file, block, a, b);
    for (int i = 0; i < 2; i++)
        if (file[i] >= 0)
            close(file[i]);
    free(block);
    return code;
}
