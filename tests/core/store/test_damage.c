/* Whatever byte of a file is changed: what can still be read is what was written, or the file is
 * refused by its name. flips.c does the same with the files of a run. */
#include "core/store/store.h"
#include "support/folder.h"
#include "support/store_digest.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OK(call) cr_assert_eq((call), EEX_OK, "%s", eex_error())

typedef struct victim {
    char folder[TEST_PATH_SIZE], path[TEST_PATH_SIZE];
    uint8_t *data;
    size_t size;
    uint64_t digest;
    int fd;
} victim;

/* Of a copy of a file; NULL: of the sample. */
static void begin(victim *v, const char *original)
{
    char *data;
    test_folder_make(v->folder);
    snprintf(v->path, sizeof v->path, "%s", test_path(v->folder, "damaged.h5"));
    if (!original)
        OK(test_store_write_sample(v->path));
    OK(eex_fs_read(&data, &v->size, original ? original : v->path, 64 << 20));
    v->data = (uint8_t *)data;
    if (original)
        OK(eex_fs_write(v->path, data, v->size));
    OK(test_store_digest(&v->digest, v->path));
    v->fd = open(v->path, O_RDWR | O_CLOEXEC);
    cr_assert_geq(v->fd, 0);
}

static void end(victim *v)
{
    close(v->fd);
    free(v->data);
    test_folder_remove(v->folder);
}

static void put(const victim *v, size_t offset, const void *bytes, size_t size)
{
    cr_assert_eq(pwrite(v->fd, bytes, size, (off_t)offset), (ssize_t)size);
}

/* Whether it still reads; otherwise it must have said so. */
static bool survives(const victim *v, const char *what, size_t offset)
{
    uint64_t digest = 0;
    int code = test_store_digest(&digest, v->path);
    if (code == EEX_OK)
        cr_assert_eq(digest, v->digest, "%s at %zu is believed", what, offset);
    else
        cr_assert(code == EEX_EFORMAT && strstr(eex_error(), v->path), "%s at %zu: %s", what,
                  offset, eex_error());
    return code == EEX_OK;
}

/* In the middle of nothing but zeros, of which a chunk has many, not each one is tried. */
static bool is_dull(const victim *v, size_t i)
{
    enum { AROUND = 64 };
    static const uint8_t zeros[2 * AROUND];
    return i % 61 && i > AROUND && i + AROUND < v->size &&
           memcmp(v->data + i - AROUND, zeros, sizeof zeros) == 0;
}

Test(damage, every_byte)
{
    victim v;
    size_t survived = 0;
    eex_rng rng;
    eex_rng_seed(&rng, 3, 0);
    begin(&v, NULL);
    for (size_t i = 0; i < v.size; i++) {
        if (is_dull(&v, i))
            continue;
        uint8_t changed = v.data[i] ^ (uint8_t)(1 + eex_rng_below(&rng, 255));
        put(&v, i, &changed, 1);
        survived += survives(&v, "a changed byte", i);
        put(&v, i, &v.data[i], 1);
    }
    /* What HDF5 reserves, and statistics of heaps and indices. */
    cr_assert_lt(survived, v.size / 2, "%zu of %zu", survived, v.size);
    end(&v);
}

Test(damage, every_length)
{
    victim v;
    begin(&v, NULL);
    for (size_t length = v.size; length-- > 0;) {
        if (is_dull(&v, length))
            continue;
        cr_assert_eq(ftruncate(v.fd, (off_t)length), 0);
        cr_assert_not(survives(&v, "the end", length));
    }
    end(&v);
}

/* Blocks that were lost and read as zeros, or as another block of the file. */
Test(damage, blocks)
{
    enum { BLOCK = 512 };
    static const uint8_t zeros[BLOCK];
    victim v;
    begin(&v, NULL);
    for (size_t i = 0; i + BLOCK <= v.size; i += 32) {
        if (is_dull(&v, i))
            continue;
        put(&v, i, zeros, BLOCK);
        survives(&v, "zeros", i);
        put(&v, i, v.data + (i * 7 % (v.size - BLOCK)), BLOCK);
        survives(&v, "another block", i);
        put(&v, i, v.data + i, BLOCK);
    }
    end(&v);
}

/* In a file without a seal too, what is damaged is not taken for absent. */
Test(damage, is_not_absence)
{
    const char *const names[] = {"fixed", "scalar", "text", "many", "many/member 3"};
    victim v;
    int damaged = 0;
    begin(&v, EEX_FIXTURES "/store_structures.h5");
    for (size_t at = 48; at + 10 < v.size; at++) {
        eex_store_file *file;
        uint8_t changed = v.data[at + 9] ^ 1;
        if (memcmp(v.data + at, "OHDR", 4) != 0)
            continue;
        put(&v, at + 9, &changed, 1);
        if (eex_store_open(&file, v.path, NULL, 1) == EEX_OK) {
            for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                int there = eex_store_has(file, names[i]);
                cr_assert(there == 1 || there == EEX_EFORMAT, "%s: %d", names[i], there);
                int noted = eex_store_has_attribute(file, "many", "attribute 5");
                cr_assert(noted == 1 || noted == EEX_EFORMAT);
                damaged += there < 0 || noted < 0;
            }
            cr_assert_eq(eex_store_has(file, "nothing of that name"), 0);
            cr_assert_eq(eex_store_has_attribute(file, "/", "none"), 0);
        }
        eex_store_close(file);
        put(&v, at + 9, &v.data[at + 9], 1);
    }
    cr_assert_geq(damaged, 5);
    end(&v);
}
