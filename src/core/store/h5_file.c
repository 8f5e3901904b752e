#include "core/store/h5_file.h"

#include "core/store/h5_bytes.h"
#include "core/store/h5_checksum.h"
#include "core/store/kinds.h"

#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUPERBLOCK_BYTES = 48 };

/* ---- messages ---- */

static int say(const eex__h5_file *file, const char *kind, const char *format, va_list args)
{
    char what[512];
    vsnprintf(what, sizeof what, format, args);
    if (!file->name)
        return eex_fail(EEX_EFORMAT, "%s: %s%s", file->path, kind, what);
    return eex_fail(EEX_EFORMAT, "%s: /%s: %s%s", file->path, file->name, kind, what);
}

int eex__h5_advise(const eex__h5_file *file, int code)
{
    const char *remedy = eex__store_remedy(file->kind);
    return remedy ? eex_fail(code, "%s; %s", eex_error(), remedy) : code;
}

int eex__h5_damaged(const eex__h5_file *file, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(file, "damaged: ", format, args);
    va_end(args);
    return eex__h5_advise(file, EEX_EFORMAT);
}

int eex__h5_refused(const eex__h5_file *file, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(file, "", format, args);
    va_end(args);
    return eex__h5_advise(file, EEX_EFORMAT);
}

int eex__h5_no_memory(const eex__h5_file *file)
{
    return eex_fail(EEX_ENOMEM, "%s: %s%s%sout of memory", file->path, file->name ? "/" : "",
                    file->name ? file->name : "", file->name ? ": " : "");
}

void *eex__h5_grown(void *list, size_t count, size_t item_bytes)
{
    if (list && (count & (count - 1)))
        return list;
    return realloc(list, (count ? 2 * count : 1) * item_bytes);
}

/* ---- bytes ---- */

int eex__h5_read(void *out, const eex__h5_file *file, uint64_t address, uint64_t size,
                 const char *what)
{
    char *to = out;
    if (address > file->size || size > file->size - address)
        return eex__h5_damaged(file, "%s lies outside of the file", what);
    while (size > 0) {
        ssize_t got = pread(file->fd, to, size < (1 << 30) ? size : 1 << 30, (off_t)address);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return eex_fail(EEX_EIO, "cannot read %s: %s", file->path, strerror(errno));
        if (got == 0)
            return eex_fail(EEX_EFORMAT, "%s: it became shorter while it was read", file->path);
        to += got;
        address += (uint64_t)got;
        size -= (uint64_t)got;
    }
    return EEX_OK;
}

int eex__h5_read_structure(void *out, const eex__h5_file *file, uint64_t address, uint64_t size,
                           const char *what)
{
    uint64_t *left = file->structures_left;
    if (left && size > *left)
        return eex__h5_damaged(file, "%s is read again and again: too many objects share it", what);
    if (left)
        *left -= size;
    return eex__h5_read(out, file, address, size, what);
}

bool eex__h5_checksum_is_right(const uint8_t *block, size_t size)
{
    eex__h5_bytes stored = eex__h5_bytes_of(block + size - 4, 4);
    return eex__h5_lookup3_fits(block, size - 4, (uint32_t)eex__h5_number(&stored, 4));
}

int eex__h5_read_block(uint8_t **out, const eex__h5_file *file, uint64_t address, uint64_t size,
                       const char *signature, const char *what)
{
    *out = NULL;
    if (size < 8 || address > file->size || size > file->size - address)
        return eex__h5_damaged(file, "%s lies outside of the file", what);
    uint8_t *block = malloc(size);
    if (!block)
        return eex__h5_no_memory(file);
    int code = eex__h5_read_structure(block, file, address, size, what);
    if (code == EEX_OK && memcmp(block, signature, 4) != 0)
        code = eex__h5_damaged(file, "%s is not where it should be, at byte %llu", what,
                               (unsigned long long)address);
    else if (code == EEX_OK && !eex__h5_checksum_is_right(block, size))
        code = eex__h5_damaged(file, "wrong checksum of %s, at byte %llu", what,
                               (unsigned long long)address);
    if (code < 0)
        free(block);
    else
        *out = block;
    return code;
}

/* ---- opening ---- */

/* What is there is something else, a sound file of another format perhaps. */
static int fail_other(const eex__h5_file *file, const char *what)
{
    const eex__store_kind *kind = eex__store_kind_of(file->kind);
    eex_fail(EEX_EFORMAT, "%s is %s%s%s", file->path, what, kind ? ": expected " : "",
             kind ? kind->what : "");
    return eex__h5_advise(file, EEX_EFORMAT);
}

static int fail_truncated(const eex__h5_file *file, uint64_t expected)
{
    eex_fail(EEX_EFORMAT, "%s: truncated: it has %llu bytes of %llu", file->path,
             (unsigned long long)file->size, (unsigned long long)expected);
    return eex__h5_advise(file, EEX_EFORMAT);
}

bool eex__h5_begins(const uint8_t bytes[EEX__H5_SIGNATURE])
{
    static const uint8_t signature[EEX__H5_SIGNATURE] = {0x89, 'H',  'D',  'F',
                                                         '\r', '\n', 0x1a, '\n'};
    return memcmp(bytes, signature, sizeof signature) == 0;
}

static int check_signature(const eex__h5_file *file, const uint8_t *block, size_t size)
{
    if (!eex__h5_begins(block))
        return fail_other(file, file->size == 0 ? "empty, no HDF5 file"
                                                : "not an HDF5 file, or its beginning is damaged");
    if (size <= EEX__H5_SIGNATURE)
        return fail_truncated(file, SUPERBLOCK_BYTES);
    return EEX_OK;
}

static int read_superblock(eex__h5_file *file)
{
    uint8_t block[SUPERBLOCK_BYTES] = {0};
    size_t size = file->size < sizeof block ? (size_t)file->size : sizeof block;
    EEX_TRY(eex__h5_read(block, file, 0, size, "the superblock"));
    EEX_TRY(check_signature(file, block, size));
    if (block[8] < 2)
        return eex_fail(EEX_EFORMAT,
                        "%s: HDF5 superblock version %d has no checksums: write the file with "
                        "libver=\"latest\" (h5py) or h5repack --low=2 --high=2",
                        file->path, block[8]);
    if (size < sizeof block)
        return fail_truncated(file, SUPERBLOCK_BYTES);
    if (block[8] > 3)
        return eex__h5_refused(file, "HDF5 superblock version %d, at most 3 is read", block[8]);
    if (block[9] != 8 || block[10] != 8)
        return eex__h5_refused(file, "addresses of %d and sizes of %d bytes, 8 are expected",
                               block[9], block[10]);
    if (!eex__h5_checksum_is_right(block, sizeof block))
        return eex__h5_damaged(file, "wrong checksum of the superblock");
    if (block[8] == 3 && block[11] != 0)
        return eex__h5_refused(file, "another program is writing it, or did not finish");
    eex__h5_bytes rest = eex__h5_bytes_of(block + 12, 32);
    uint64_t base = eex__h5_number(&rest, 8);
    eex__h5_number(&rest, 8); /* the extension: nothing in it concerns reading */
    uint64_t end = eex__h5_number(&rest, 8);
    file->root = eex__h5_number(&rest, 8);
    if (base != 0)
        return eex__h5_refused(file, "its content begins at byte %llu, expected at 0",
                               (unsigned long long)base);
    if (end > file->size)
        return fail_truncated(file, end);
    return EEX_OK;
}

static int fail_open(const char *path)
{
    const int reason = errno;
    const int code = reason == ENOENT ? EEX_ENOTFOUND : reason == ENOMEM ? EEX_ENOMEM : EEX_EIO;
    return eex_fail(code, "cannot open %s: %s%s", path, strerror(reason),
                    reason == EACCES ? ": this user may not read it" : "");
}

/* A pipe must not keep us waiting: O_NONBLOCK, which means nothing to files. */
int eex__h5_open(eex__h5_file *file, const char *path, const char *kind)
{
    struct stat facts;
    *file = (eex__h5_file){
        .path = path, .kind = kind, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (file->fd < 0)
        return fail_open(path);
    int code = EEX_OK;
    if (fstat(file->fd, &facts) != 0)
        code = eex_fail(EEX_EIO, "cannot read %s: %s", path, strerror(errno));
    else if (!S_ISREG(facts.st_mode))
        code = fail_other(file, S_ISDIR(facts.st_mode) ? "not a file, but a folder"
                                                       : "not a file, but a pipe or a device");
    else
        file->size = (uint64_t)facts.st_size;
    if (code == EEX_OK)
        code = read_superblock(file);
    if (code < 0)
        eex__h5_close(file);
    return code;
}

void eex__h5_close(eex__h5_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}
