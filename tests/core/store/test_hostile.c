/* Structures that say what cannot be, under checksums that are right. */
#include "core/store/h5_checksum.h"
#include "core/store/h5_link.h"
#include "core/store/store.h"
#include "support/folder.h"
#include "support/store_digest.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define OK(call) cr_assert_eq((call), EEX_OK, "%s", eex_error())

typedef struct image {
    char folder[TEST_PATH_SIZE], path[TEST_PATH_SIZE];
    uint8_t *data;
    size_t size;
} image;

static void begin(image *m, const char *original)
{
    char *data;
    test_folder_make(m->folder);
    snprintf(m->path, sizeof m->path, "%s", test_path(m->folder, "hostile.h5"));
    if (!original)
        OK(test_store_write_sample(m->path));
    OK(eex_fs_read(&data, &m->size, original ? original : m->path, 1 << 20));
    m->data = (uint8_t *)data;
}

static void end(image *m)
{
    free(m->data);
    test_folder_remove(m->folder);
}

/* Number n of the structures with that signature. */
static size_t find(const image *m, const char *signature, int n)
{
    for (size_t i = 0; i + 4 <= m->size; i++)
        if (memcmp(m->data + i, signature, 4) == 0 && n-- == 0)
            return i;
    cr_assert_fail("there is no %s", signature);
    return 0;
}

static uint64_t number(const image *m, size_t at, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, m->data + at, size);
    return value;
}

/* Changes a number in a structure of `size` bytes and makes its checksum anew. */
static void change(image *m, size_t at, size_t size, size_t offset, uint64_t value, size_t bytes)
{
    memcpy(m->data + at + offset, &value, bytes);
    uint32_t sum = eex__h5_lookup3(m->data + at, size - 4);
    memcpy(m->data + at + size - 4, &sum, sizeof sum);
}

static void refused(image *m, const char *word)
{
    uint64_t digest;
    OK(eex_fs_write(m->path, m->data, m->size));
    int code = test_store_digest(&digest, m->path);
    cr_assert_eq(code, EEX_EFORMAT, "%s: %d", word, code);
    cr_assert(strstr(eex_error(), word), "\"%s\" does not say \"%s\"", eex_error(), word);
}

/* ---- the superblock ---- */

static void expect_superblock(size_t offset, uint64_t value, size_t bytes, const char *word)
{
    image m;
    begin(&m, NULL);
    change(&m, 0, 48, offset, value, bytes);
    refused(&m, word);
    end(&m);
}

Test(hostile, superblock)
{
    expect_superblock(8, 4, 1, "superblock version 4");
    expect_superblock(9, 4, 1, "8 are expected");
    expect_superblock(11, 1, 1, "another program is writing it");
    expect_superblock(12, 512, 8, "begins at byte 512");
    expect_superblock(28, 1 << 30, 8, "truncated");
    expect_superblock(36, UINT64_MAX, 8, "outside");
    expect_superblock(36, 1000000000, 8, "outside");
    expect_superblock(36, 0, 8, "not where it should be");
}

/* ---- headers ---- */

/* Bytes of the first block of an object's header, and where its messages begin. */
static size_t header_size(const image *m, size_t at, size_t *messages)
{
    uint8_t flags = m->data[at + 5];
    size_t width = (size_t)1 << (flags & 3);
    *messages = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0) + width;
    return *messages + number(m, at + *messages - width, width) + 4;
}

/* Turns the root's first message into another one. */
static void expect_message(unsigned type, unsigned flags, uint64_t first, const char *word)
{
    image m;
    size_t messages;
    begin(&m, NULL);
    size_t root = number(&m, 36, 8), size = header_size(&m, root, &messages);
    size_t length = number(&m, root + messages + 1, 2);
    cr_assert_geq(length, 16);
    change(&m, root, size, messages, type | length << 8 | flags << 24, 4);
    change(&m, root, size, messages + 4, first == 1 ? root : first, 8);
    change(&m, root, size, messages + 12, first == 1 ? size : 64, 2);
    refused(&m, word);
    end(&m);
}

Test(hostile, headers)
{
    expect_message(0x10, 0, 1, "continues in itself");
    expect_message(0x10, 0, 1 << 30, "outside");
    expect_message(0x60, 0x80, 0, "newer HDF5");
    expect_message(0x11, 0, 0, "before HDF5 1.8");
}

/* ---- where many links and attributes are ---- */

static void expect_in(const char *original, const char *signature, size_t size, size_t offset,
                      uint64_t value, size_t bytes, const char *word)
{
    image m;
    begin(&m, original);
    change(&m, find(&m, signature, 0), size, offset, value, bytes);
    refused(&m, word);
    end(&m);
}

Test(hostile, heaps_and_trees)
{
    const char *file = EEX_FIXTURES "/store_structures.h5";
    expect_in(file, "FRHP", 146, 110, 3, 2, "impossible shape");    /* the table's width */
    expect_in(file, "FRHP", 146, 112, 1000, 8, "impossible shape"); /* the smallest block */
    expect_in(file, "FRHP", 146, 7, 12, 2, "filtered");
    expect_in(file, "FRHP", 146, 132, 1 << 30, 8, "outside");
    expect_in(file, "FRHP", 146, 132, UINT64_MAX, 8, "lacks something"); /* a heap without blocks */
    expect_in(file, "BTHD", 38, 6, 12, 4, "too small");                  /* bytes of a node */
    expect_in(file, "BTHD", 38, 12, 100, 2, "larger than the file");     /* the depth */
    expect_in(file, "BTHD", 38, 26, UINT64_MAX, 8, "larger than the file");
    expect_in(file, "BTHD", 38, 26, 1, 8, "has more records than it says");
    expect_in(file, "BTHD", 38, 26, 1000, 8, "has fewer records than it says");
    expect_in(file, "BTHD", 38, 24, 60000, 2, "counts its records wrongly");
    expect_in(file, "BTHD", 38, 16, 7, 8, "not where it should be");
}

Test(hostile, indices_of_chunks)
{
    const char *file = EEX_FIXTURES "/store_structures.h5";
    expect_in(file, "FAHD", 28, 6, 99, 1, "does not fit its filters");
    expect_in(file, "FAHD", 28, 7, 60, 1, "larger than the file");
    expect_in(file, "FAHD", 28, 8, 1 << 30, 8, "larger than the file");
    expect_in(file, "EAHD", 72, 7, 200, 1, "impossible shape");
    expect_in(file, "EAHD", 72, 9, 3, 1, "impossible shape");
    expect_in(file, "EAHD", 72, 60, 1 << 30, 8, "outside");
}

/* ---- objects that are in several places ---- */

/* Where a member's address is, behind its name. */
static size_t link_address(const image *m, const char *name)
{
    const size_t length = strlen(name);
    for (size_t i = 4; i + 1 + length + 8 <= m->size; i++)
        if (m->data[i] == length && memcmp(m->data + i + 1, name, length) == 0)
            return i + 1 + length;
    cr_assert_fail("there is no %s", name);
    return 0;
}

static size_t block_around(const image *m, size_t at)
{
    while (at > 0 && memcmp(m->data + at, "OHDR", 4) != 0 && memcmp(m->data + at, "OCHK", 4) != 0)
        at--;
    return at;
}

/* How long a block is whose checksum is right. */
static size_t block_size(const image *m, size_t at)
{
    for (size_t size = 8; at + size <= m->size; size++)
        if (number(m, at + size - 4, 4) == eex__h5_lookup3(m->data + at, size - 4))
            return size;
    cr_assert_fail("no checksum is right");
    return 0;
}

/* Lets a member of the root be what another one is, or the root itself ("/"). */
static void expect_link(const char *name, const char *other, const char *word)
{
    image m;
    begin(&m, NULL);
    const size_t at = link_address(&m, name), block = block_around(&m, at);
    const size_t from = *other == '/' ? 36 : link_address(&m, other);
    change(&m, block, block_size(&m, block), at - block, number(&m, from, 8), 8);
    refused(&m, word);
    end(&m);
}

Test(hostile, two_names_for_one_object)
{
    expect_link("rows", "one", "/rows: damaged: it is /one once more");
    expect_link("one", "rows", "/rows: damaged: it is /one once more");
    expect_link("deep", "/", "/deep: a group that holds itself");
}

/* Every header, heap and tree of an object counts. */
Test(hostile, structures_that_are_read_too_often)
{
    eex__h5_file file;
    eex__h5_object root;
    eex__h5_links links;
    uint64_t needed = 1 << 20, left = needed;
    OK(eex__h5_open(&file, EEX_FIXTURES "/store_structures.h5", NULL));
    file.structures_left = &left;
    OK(eex__h5_object_read(&root, &file, file.root));
    OK(eex__h5_links_read(&links, &file, &root));
    cr_assert_gt(links.count, 8); /* in a heap */
    eex__h5_links_free(&links);
    eex__h5_object_free(&root);
    needed -= left;
    cr_assert_gt(needed, 512);
    cr_assert_leq(needed, file.size);
    left = needed - 1;
    OK(eex__h5_object_read(&root, &file, file.root));
    cr_assert_eq(eex__h5_links_read(&links, &file, &root), EEX_EFORMAT);
    cr_assert(strstr(eex_error(), "too many objects share it"), "%s", eex_error());
    eex__h5_object_free(&root);
    eex__h5_close(&file);
}

/* ---- what is no file ---- */

Test(hostile, what_is_not_a_file)
{
    char folder[TEST_PATH_SIZE], path[TEST_PATH_SIZE];
    eex_store_file *file;
    test_folder_make(folder);
    snprintf(path, sizeof path, "%s", test_path(folder, "pipe.h5"));
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_eq(eex_store_open(&file, path, NULL, 1), EEX_EFORMAT); /* and does not wait */
    cr_assert(strstr(eex_error(), "is not a file"), "%s", eex_error());
    cr_assert_eq(eex_store_open(&file, "/dev/zero", NULL, 1), EEX_EFORMAT);
    cr_assert_null(file);
    test_folder_remove(folder);
}
