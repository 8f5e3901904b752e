#include "core/store/store.h"
#include "support/folder.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define OK(call) cr_assert_eq((call), EEX_OK, "%s", eex_error())

static const eex_store_shape three = {1, {3}};
static const eex_store_shape table = {2, {300, 40}};
static const eex_store_shape rows = {3, {0, 4, 5}};

/* What write_sample puts into a file, read back from it. */
typedef struct content {
    int32_t small[3];
    float table[300 * 40], packed[300 * 40];
    uint8_t rows[50 * 4 * 5];
    int64_t number;
    double real, reals[2];
    char *text, *note;
    eex_store_list list;
} content;

static void fill(content *c)
{
    for (int i = 0; i < 3; i++)
        c->small[i] = i - 1;
    for (int i = 0; i < 300 * 40; i++)
        c->table[i] = c->packed[i] = (float)(i * 0.5);
    for (int i = 0; i < 50 * 20; i++)
        c->rows[i] = (uint8_t)(i * 7);
}

static void write_sample(const char *path)
{
    static content c;
    eex_store_file *file;
    const char *const names[] = {"cat", "", "d\xc3\xb6g"};
    const double reals[] = {0.25, -1e300};
    fill(&c);
    OK(eex_store_create(&file, path, "trace", 3));
    OK(eex_store_write(file, "small", EEX_STORE_I32, &three, c.small));
    OK(eex_store_write(file, "deep/er/table", EEX_STORE_F32, &table, c.table));
    OK(eex_store_write_packed(file, "packed", EEX_STORE_F32, &table, c.packed));
    OK(eex_store_make_rows(file, "rows", EEX_STORE_U8, &rows));
    OK(eex_store_append(file, "rows", EEX_STORE_U8, 20, c.rows));
    OK(eex_store_append(file, "rows", EEX_STORE_U8, 30, c.rows + 20 * 20));
    OK(eex_store_write_strings(file, "names", names, 3));
    OK(eex_store_write_string(file, "text", "return {}\n"));
    OK(eex_store_set_int(file, "small", "number", INT64_MIN));
    OK(eex_store_set_double(file, "deep", "real", 0.1));
    OK(eex_store_set_doubles(file, "deep/er/table", "reals", reals, 2));
    OK(eex_store_set_string(file, "/", "note", "kept"));
    OK(eex_store_commit(&file));
    cr_assert_null(file);
}

static void content_free(content *c)
{
    free(c->text);
    free(c->note);
    eex_store_list_free(&c->list);
}

/* Reads everything; stops at the first error. */
static int read_sample(content *c, const char *path)
{
    eex_store_file *file = NULL;
    memset(c, 0, sizeof *c);
    EEX_TRY(eex_store_open(&file, path, "trace", 3));
    int code = eex_store_read(c->small, file, "small", EEX_STORE_I32, &three);
    if (code == EEX_OK)
        code = eex_store_read(c->table, file, "deep/er/table", EEX_STORE_F32, &table);
    if (code == EEX_OK)
        code = eex_store_read(c->packed, file, "packed", EEX_STORE_F32, &table);
    if (code == EEX_OK)
        code = eex_store_read_rows(c->rows, file, "rows", EEX_STORE_U8, &rows, 0, 50);
    if (code == EEX_OK)
        code = eex_store_read_strings(&c->list, file, "names", 1000);
    if (code == EEX_OK)
        code = eex_store_read_string(&c->text, file, "text", 1000);
    if (code == EEX_OK)
        code = eex_store_get_int(&c->number, file, "small", "number");
    if (code == EEX_OK)
        code = eex_store_get_double(&c->real, file, "deep", "real");
    if (code == EEX_OK)
        code = eex_store_get_doubles(c->reals, file, "deep/er/table", "reals", 2);
    if (code == EEX_OK)
        code = eex_store_get_string(&c->note, file, "/", "note");
    eex_store_close(file);
    return code;
}

static bool is_intact(const content *c)
{
    static content expected;
    fill(&expected);
    return memcmp(c->small, expected.small, sizeof c->small) == 0 &&
           memcmp(c->table, expected.table, sizeof c->table) == 0 &&
           memcmp(c->packed, expected.packed, sizeof c->packed) == 0 &&
           memcmp(c->rows, expected.rows, sizeof c->rows) == 0 && c->list.count == 3 &&
           strcmp(c->list.item[0], "cat") == 0 && strcmp(c->list.item[1], "") == 0 &&
           strcmp(c->list.item[2], "d\xc3\xb6g") == 0 && strcmp(c->text, "return {}\n") == 0 &&
           c->number == INT64_MIN && c->real == 0.1 && c->reals[0] == 0.25 &&
           c->reals[1] == -1e300 && strcmp(c->note, "kept") == 0;
}

Test(store, gives_back_what_it_was_given)
{
    static content c;
    char folder[TEST_PATH_SIZE];
    test_folder_make(folder);
    write_sample(test_path(folder, "a.h5"));
    OK(read_sample(&c, test_path(folder, "a.h5")));
    cr_assert(is_intact(&c));
    content_free(&c);
    test_folder_remove(folder);
}

Test(store, every_type_and_rank)
{
    char folder[TEST_PATH_SIZE];
    eex_store_file *file;
    uint64_t out[6], in[6] = {1, 2, 3, 4, 5, 6};
    test_folder_make(folder);
    OK(eex_store_create(&file, test_path(folder, "a.h5"), "trace", 1));
    for (int type = 0; type < EEX_STORE_TYPES; type++)
        for (int rank = 0; rank <= EEX_STORE_MAX_RANK; rank++) {
            char name[40];
            eex_store_shape shape = {rank, {2, 3, 1, 1, 1, 1, 1, 1}};
            snprintf(name, sizeof name, "%s/%d", eex_store_type_name((eex_store_type)type), rank);
            OK(eex_store_write(file, name, (eex_store_type)type, &shape, in));
        }
    OK(eex_store_commit(&file));
    OK(eex_store_open(&file, test_path(folder, "a.h5"), NULL, 1));
    for (int type = 0; type < EEX_STORE_TYPES; type++)
        for (int rank = 0; rank <= EEX_STORE_MAX_RANK; rank++) {
            char name[40];
            eex_store_type found;
            eex_store_shape shape = {rank, {2, 3, 1, 1, 1, 1, 1, 1}}, got;
            size_t bytes = (rank == 0   ? 1
                            : rank == 1 ? 2
                                        : 6) *
                           eex_store_type_size((eex_store_type)type);
            snprintf(name, sizeof name, "%s/%d", eex_store_type_name((eex_store_type)type), rank);
            memset(out, 0, sizeof out);
            OK(eex_store_read(out, file, name, (eex_store_type)type, &shape));
            cr_assert_eq(memcmp(out, in, bytes), 0);
            OK(eex_store_describe(&found, &got, file, name));
            cr_assert_eq(found, (eex_store_type)type);
            cr_assert_eq(got.rank, rank);
        }
    eex_store_close(file);
    test_folder_remove(folder);
}

Test(store, the_same_content_gives_the_same_bytes)
{
    char folder[TEST_PATH_SIZE], *a, *b;
    size_t a_size, b_size;
    test_folder_make(folder);
    write_sample(test_path(folder, "a.h5"));
    usleep(1100 * 1000); /* HDF5's time stamps count seconds */
    write_sample(test_path(folder, "b.h5"));
    OK(eex_fs_read(&a, &a_size, test_path(folder, "a.h5"), 1 << 20));
    OK(eex_fs_read(&b, &b_size, test_path(folder, "b.h5"), 1 << 20));
    cr_assert_eq(a_size, b_size);
    cr_assert_eq(memcmp(a, b, a_size), 0);
    free(a);
    free(b);
    test_folder_remove(folder);
}

Test(store, empty_arrays_and_lists)
{
    char folder[TEST_PATH_SIZE];
    eex_store_file *file;
    eex_store_list list;
    eex_store_shape shape = {2, {0, 7}}, any = {2, {EEX_STORE_ANY, 7}};
    void *data;
    test_folder_make(folder);
    OK(eex_store_create(&file, test_path(folder, "a.h5"), "trace", 1));
    OK(eex_store_write(file, "array", EEX_STORE_F64, &shape, NULL));
    OK(eex_store_write_packed(file, "packed", EEX_STORE_U8, &shape, NULL));
    OK(eex_store_write_strings(file, "list", NULL, 0));
    OK(eex_store_make_rows(file, "rows", EEX_STORE_F64, &shape));
    OK(eex_store_make_group(file, "group/inside"));
    OK(eex_store_commit(&file));
    OK(eex_store_open(&file, test_path(folder, "a.h5"), "trace", 1));
    OK(eex_store_read_new(&data, file, "array", EEX_STORE_F64, &any, 0));
    cr_assert_not_null(data);
    cr_assert_eq(any.extent[0], 0);
    free(data);
    OK(eex_store_read_rows(NULL, file, "rows", EEX_STORE_F64, &shape, 0, 0));
    OK(eex_store_read_strings(&list, file, "list", 100));
    cr_assert_eq(list.count, 0);
    eex_store_list_free(&list);
    OK(eex_store_names(&list, file, "group"));
    cr_assert_eq(list.count, 1);
    cr_assert_str_eq(list.item[0], "inside");
    eex_store_list_free(&list);
    eex_store_close(file);
    test_folder_remove(folder);
}

Test(store, rows_are_appended_and_read_in_parts)
{
    enum { COUNT = 1000, BYTES = 700 };
    static uint8_t block[BYTES * 100], out[BYTES * 3];
    char folder[TEST_PATH_SIZE];
    eex_store_file *file;
    const eex_store_shape shape = {2, {0, BYTES}};
    test_folder_make(folder);
    OK(eex_store_create(&file, test_path(folder, "a.h5"), "dataset", 1));
    OK(eex_store_make_rows(file, "part/images", EEX_STORE_U8, &shape));
    for (int i = 0; i < COUNT / 100; i++) {
        for (int r = 0; r < 100; r++)
            memset(block + r * BYTES, i * 100 + r, BYTES);
        OK(eex_store_append(file, "part/images", EEX_STORE_U8, 100, block));
    }
    OK(eex_store_commit(&file));
    OK(eex_store_open(&file, test_path(folder, "a.h5"), "dataset", 1));
    for (uint64_t first = 0; first + 3 <= COUNT; first += 83) {
        OK(eex_store_read_rows(out, file, "part/images", EEX_STORE_U8, &shape, first, 3));
        for (int i = 0; i < 3 * BYTES; i++)
            cr_assert_eq(out[i], (uint8_t)(first + (uint64_t)(i / BYTES)));
    }
    cr_assert_eq(eex_store_read_rows(out, file, "part/images", EEX_STORE_U8, &shape, COUNT - 1, 2),
                 EEX_EFORMAT);
    cr_assert_eq(eex_store_read_rows(out, file, "part/images", EEX_STORE_U8, &shape, UINT64_MAX, 2),
                 EEX_EFORMAT);
    eex_store_close(file);
    test_folder_remove(folder);
}

/* What `code` says and that its message holds `word`. */
static void refused(int code, int expected, const char *word)
{
    cr_assert_eq(code, expected, "%s instead of %s: %s", eex_status_name(code),
                 eex_status_name(expected), eex_error());
    cr_assert(strstr(eex_error(), word), "\"%s\" does not say \"%s\"", eex_error(), word);
}

/* And what to do about it. */
static void advised(int code, int expected, const char *word)
{
    refused(code, expected, word);
    cr_assert(strstr(eex_error(), "; if it is a run's, move the file away"), "%s", eex_error());
}

Test(store, reads_check_what_they_expect)
{
    char folder[TEST_PATH_SIZE], *text;
    static float out[300 * 40];
    eex_store_file *file;
    eex_store_list list;
    void *data;
    int64_t number;
    double real;
    eex_store_shape any = {2, {EEX_STORE_ANY, EEX_STORE_ANY}};
    test_folder_make(folder);
    write_sample(test_path(folder, "a.h5"));
    OK(eex_store_open(&file, test_path(folder, "a.h5"), "trace", 3));
    advised(eex_store_read(out, file, "small", EEX_STORE_F32, &three), EEX_EFORMAT, "holds int32");
    advised(eex_store_read(out, file, "deep/er/table", EEX_STORE_F32, &three), EEX_EFORMAT,
            "(300, 40), expected (3)");
    advised(eex_store_read(out, file, "deep", EEX_STORE_F32, &three), EEX_EFORMAT,
            "expected an array");
    advised(eex_store_read(out, file, "nowhere", EEX_STORE_F32, &three), EEX_ENOTFOUND,
            "a.h5: /nowhere");
    advised(eex_store_read(out, file, "small/er", EEX_STORE_F32, &three), EEX_EFORMAT,
            "expected a group");
    advised(eex_store_read(out, file, "names", EEX_STORE_I32, &three), EEX_EFORMAT, "type");
    advised(eex_store_read_new(&data, file, "deep/er/table", EEX_STORE_F32, &any, 300 * 40 * 4 - 1),
            EEX_EFORMAT, "at most 47999 bytes");
    cr_assert_null(data);
    advised(eex_store_read_string(&text, file, "names", 100), EEX_EFORMAT, "expected one");
    advised(eex_store_read_strings(&list, file, "names", 5), EEX_EFORMAT, "at most 5 bytes");
    advised(eex_store_read_strings(&list, file, "small", 100), EEX_EFORMAT, "strings");
    advised(eex_store_get_int(&number, file, "deep", "real"), EEX_EFORMAT, "real");
    advised(eex_store_get_double(&real, file, "small", "number"), EEX_EFORMAT, "number");
    advised(eex_store_get_doubles(out[0] > 0 ? NULL : &real, file, "deep/er/table", "reals", 3),
            EEX_EFORMAT, "3 float");
    advised(eex_store_get_int(&number, file, "small", "absent"), EEX_ENOTFOUND, "absent");
    advised(eex_store_get_string(&text, file, "small", "number"), EEX_EFORMAT, "string");
    advised(eex_store_refuse(file, "label %d of sample %d", 7, 3), EEX_EFORMAT,
            "a.h5: label 7 of sample 3; ");
    refused(eex_store_write(file, "small", EEX_STORE_I32, &three, out), EEX_EINVAL, "reading only");
    for (const char *const *name =
             (const char *const[]){"", "/a", "a/", "a//b", ".", "a/./b", NULL};
         *name; name++)
        refused(eex_store_read(out, file, *name, EEX_STORE_I32, &three), EEX_EINVAL, "no name");
    eex_store_close(file);
    test_folder_remove(folder);
}

Test(store, kinds_and_versions)
{
    char folder[TEST_PATH_SIZE];
    eex_store_file *file;
    test_folder_make(folder);
    write_sample(test_path(folder, "a.h5"));
    refused(eex_store_open(&file, test_path(folder, "a.h5"), "weights", 3), EEX_EFORMAT,
            "\"trace\" file, expected \"weights\"");
    cr_assert_null(file);
    refused(eex_store_open(&file, test_path(folder, "a.h5"), "trace", 2), EEX_EVERSION,
            "version 3");
    OK(eex_store_open(&file, test_path(folder, "a.h5"), NULL, 4));
    cr_assert_eq(eex_store_version(file), 3);
    eex_store_close(file);
    refused(eex_store_open(&file, test_path(folder, "b.h5"), "trace", 3), EEX_ENOTFOUND, "b.h5");
    refused(eex_store_open(&file, folder, "trace", 3), EEX_EFORMAT, "not a file");
    OK(eex_fs_write(test_path(folder, "c.h5"), "return {}", 9));
    refused(eex_store_open(&file, test_path(folder, "c.h5"), "trace", 3), EEX_EFORMAT,
            "not an HDF5");
    refused(eex_store_open(&file, EEX_FIXTURES "/store_old.h5", "dataset", 1), EEX_EFORMAT,
            "libver");
    test_folder_remove(folder);
}

Test(store, hostile_objects_are_refused)
{
    eex_store_file *file;
    eex_store_shape any = {1, {EEX_STORE_ANY}}, square = {2, {EEX_STORE_ANY, EEX_STORE_ANY}};
    eex_store_list list;
    eex_store_type type;
    int32_t out[4];
    void *data;
    char *text;
    double real;
    OK(eex_store_open(&file, EEX_FIXTURES "/store_hostile.h5", "dataset", 1));
    OK(eex_store_read(out, file, "plain", EEX_STORE_I32, &three));
    cr_assert_eq(out[2], 2);
    OK(eex_store_read(out, file, "big_endian", EEX_STORE_I32, &three));
    cr_assert_eq(out[2], 2);
    refused(eex_store_read(out, file, "soft", EEX_STORE_I32, &three), EEX_EFORMAT, "link");
    refused(eex_store_read(out, file, "external", EEX_STORE_I32, &three), EEX_EFORMAT, "link");
    refused(eex_store_read(out, file, "elsewhere", EEX_STORE_I32, &three), EEX_EFORMAT, "external");
    refused(eex_store_read(out, file, "virtual", EEX_STORE_I32, &three), EEX_EFORMAT, "virtual");
    refused(eex_store_read(out, file, "filtered", EEX_STORE_I32, &three), EEX_EFORMAT, "filter");
    refused(eex_store_read_new(&data, file, "huge_chunk", EEX_STORE_I32, &any, SIZE_MAX),
            EEX_EFORMAT, "64 MiB");
    refused(eex_store_read_new(&data, file, "huge", EEX_STORE_F64, &square, 1 << 30), EEX_EFORMAT,
            "at most");
    refused(eex_store_describe(&type, &any, file, "rank9"), EEX_EFORMAT, "rank 9");
    refused(eex_store_describe(&type, &any, file, "half"), EEX_EFORMAT, "type");
    refused(eex_store_describe(&type, &any, file, "compound"), EEX_EFORMAT, "type");
    refused(eex_store_describe(&type, &any, file, "group"), EEX_EFORMAT, "array");
    refused(eex_store_read_strings(&list, file, "variable", 100), EEX_EFORMAT, "fixed length");
    refused(eex_store_get_double(&real, file, "/", "many"), EEX_EFORMAT, "many");
    OK(eex_store_get_string(&text, file, "/", "text"));
    cr_assert_str_eq(text, "four");
    free(text);
    refused(eex_store_names(&list, file, "loop"), EEX_EFORMAT, "/loop: a group that holds itself");
    refused(eex_store_has(file, "loop/plain"), EEX_EFORMAT, "/loop: a group that holds itself");
    eex_store_close(file);
}

/* h5py's files of both kinds that it can make, with every form of storage that it has. */
static void read_structures(const char *path)
{
    const char *const whole[] = {"contiguous", "single", "fixed",     "fixed_pages",
                                 "extensible", "tree",   "big_endian"};
    const eex_store_shape shape = {2, {60, 10}}, none = {2, {0, 10}}, scalar = {0, {0}};
    static int32_t out[600];
    eex_store_file *file;
    eex_store_list list;
    double real, large[700];
    OK(eex_store_open(&file, path, "dataset", 1));
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        memset(out, 0xff, sizeof out);
        OK(eex_store_read(out, file, whole[i], EEX_STORE_I32, &shape));
        for (int k = 0; k < 600; k++)
            cr_assert_eq(out[k], k, "%s", whole[i]);
        OK(eex_store_read_rows(out, file, whole[i], EEX_STORE_I32, &shape, 11, 30));
        for (int k = 0; k < 300; k++)
            cr_assert_eq(out[k], 110 + k, "%s", whole[i]);
    }
    OK(eex_store_read(out, file, "part", EEX_STORE_I32, &shape)); /* the rest was never written */
    for (int k = 0; k < 600; k++)
        cr_assert_eq(out[k], k < 200 ? k : -3);
    OK(eex_store_read(out, file, "nothing", EEX_STORE_I32, &none));
    OK(eex_store_read(&real, file, "scalar", EEX_STORE_F64, &scalar));
    cr_assert_eq(real, 0.5);
    OK(eex_store_read_strings(&list, file, "text", 100));
    cr_assert_str_eq(list.item[2], "a dog");
    eex_store_list_free(&list);
    OK(eex_store_names(&list, file, "many"));
    cr_assert_eq(list.count, 20);
    eex_store_list_free(&list);
    OK(eex_store_get_doubles(large, file, "many", "attribute 19", 20));
    cr_assert_eq(large[19], 19);
    OK(eex_store_get_double(&real, file, "/", "single"));
    cr_assert_eq(real, 0.25);
    OK(eex_store_get_doubles(large, file, "/", "large", 700));
    eex_store_close(file);
}

Test(store, what_h5py_writes)
{
    read_structures(EEX_FIXTURES "/store_structures.h5");
    read_structures(EEX_FIXTURES "/store_latest.h5");
}

/* ---- damage ---- */

static void write_bytes(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(data, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

Test(store, a_truncated_file_is_never_believed)
{
    static content c;
    char folder[TEST_PATH_SIZE], *data;
    size_t size;
    test_folder_make(folder);
    write_sample(test_path(folder, "a.h5"));
    OK(eex_fs_read(&data, &size, test_path(folder, "a.h5"), 1 << 20));
    size_t step = 1;
    for (size_t length = 0; length < size; length += step) {
        write_bytes(test_path(folder, "b.h5"), data, length);
        int code = read_sample(&c, test_path(folder, "b.h5"));
        cr_assert_eq(code, EEX_EFORMAT, "%zu of %zu bytes: %d", length, size, code);
        cr_assert(strstr(eex_error(), "b.h5"), "%s", eex_error());
        content_free(&c);
        step = length < 512 || length > size - 512 ? 1 : 97;
    }
    free(data);
    test_folder_remove(folder);
}

/* Every part of a file is under a checksum: what reads without an error is what was written. */
Test(store, a_damaged_file_is_never_believed)
{
    enum { ROUNDS = 400 };
    static content c;
    char folder[TEST_PATH_SIZE], *data;
    size_t size;
    int survived = 0;
    eex_rng rng;
    eex_rng_seed(&rng, 7, 0);
    test_folder_make(folder);
    write_sample(test_path(folder, "a.h5"));
    OK(eex_fs_read(&data, &size, test_path(folder, "a.h5"), 1 << 20));
    for (int round = 0; round < ROUNDS; round++) {
        char *copy = malloc(size);
        memcpy(copy, data, size);
        /* Half of the hits are in the first kilobytes, where the structures are. */
        for (uint64_t hits = 1 + eex_rng_below(&rng, 4); hits; hits--)
            copy[eex_rng_below(&rng, round % 2 ? size : 4096)] ^=
                (char)(1 + eex_rng_below(&rng, 255));
        write_bytes(test_path(folder, "b.h5"), copy, size);
        int code = read_sample(&c, test_path(folder, "b.h5"));
        cr_assert(code == EEX_OK ? is_intact(&c) : *eex_error() != '\0', "round %d", round);
        survived += code == EEX_OK;
        content_free(&c);
        free(copy);
    }
    cr_assert_lt(survived, ROUNDS / 2);
    free(data);
    test_folder_remove(folder);
}

/* ---- the file system ---- */

static size_t files_in(const char *folder)
{
    eex_fs_names names;
    OK(eex_fs_list(&names, folder));
    size_t count = names.count;
    eex_fs_names_free(&names);
    return count;
}

Test(store, nothing_is_there_before_the_commit_nor_after_abandoning)
{
    char folder[TEST_PATH_SIZE];
    eex_store_file *file;
    test_folder_make(folder);
    OK(eex_store_create(&file, test_path(folder, "a.h5"), "trace", 1));
    OK(eex_store_write(file, "x", EEX_STORE_I32, &three, (int32_t[]){1, 2, 3}));
    cr_assert_not(eex_fs_exists(test_path(folder, "a.h5")));
    eex_store_close(file);
    cr_assert_eq(files_in(folder), 0);
    test_folder_remove(folder);
}

Test(store, a_commit_replaces_what_was_there)
{
    char folder[TEST_PATH_SIZE];
    eex_store_file *file, *old;
    int32_t out[3];
    test_folder_make(folder);
    for (int i = 0; i < 2; i++) {
        OK(eex_store_create(&file, test_path(folder, "a.h5"), "trace", 1));
        OK(eex_store_write(file, "x", EEX_STORE_I32, &three, (int32_t[]){i, i, i}));
        if (i == 1)
            OK(eex_store_open(&old, test_path(folder, "a.h5"), "trace", 1));
        OK(eex_store_commit(&file));
    }
    OK(eex_store_read(out, old, "x", EEX_STORE_I32, &three)); /* who reads keeps the old one */
    cr_assert_eq(out[0], 0);
    eex_store_close(old);
    OK(eex_store_open(&file, test_path(folder, "a.h5"), "trace", 1));
    OK(eex_store_read(out, file, "x", EEX_STORE_I32, &three));
    cr_assert_eq(out[0], 1);
    eex_store_close(file);
    cr_assert_eq(files_in(folder), 1);
    test_folder_remove(folder);
}

Test(store, no_folder_and_no_permission)
{
    char folder[TEST_PATH_SIZE];
    eex_store_file *file;
    test_folder_make(folder);
    refused(eex_store_create(&file, test_path(folder, "no/a.h5"), "trace", 1), EEX_EIO,
            "No such file");
    cr_assert_null(file);
    bool root = geteuid() == 0; /* who may write everywhere */
    cr_assert_eq(root ? seteuid(65534) : chmod(folder, 0500), 0);
    int code = eex_store_create(&file, test_path(folder, "a.h5"), "trace", 1);
    cr_assert_eq(root ? seteuid(0) : chmod(folder, 0700), 0);
    refused(code, EEX_EIO, "Permission denied");
    test_folder_remove(folder);
}

/* A file system that is full at any moment of writing: an error, no crash, and nothing left. */
Test(store, a_full_disk)
{
    char folder[TEST_PATH_SIZE];
    struct rlimit limit;
    static float data[100000];
    const eex_store_shape big = {1, {100000}};
    test_folder_make(folder);
    signal(SIGXFSZ, SIG_IGN); /* the limit then shows as an error of write, like a full disk */
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    for (rlim_t room = 0; room < 400000; room += 30011) {
        eex_store_file *file = NULL;
        limit.rlim_cur = room;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        int code = eex_store_create(&file, test_path(folder, "a.h5"), "trace", 1);
        if (code == EEX_OK)
            code = eex_store_write(file, "x", EEX_STORE_F32, &big, data);
        if (code == EEX_OK)
            code = eex_store_set_string(file, "x", "unit", "metres");
        if (code == EEX_OK)
            code = eex_store_commit(&file);
        else
            eex_store_close(file);
        limit.rlim_cur = limit.rlim_max;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        refused(code, EEX_EIO, "File too large");
        cr_assert_eq(files_in(folder), 0, "%llu bytes", (unsigned long long)room);
    }
    write_sample(test_path(folder, "a.h5")); /* and afterwards all is well */
    test_folder_remove(folder);
}

/* ---- whole files ---- */

static int fill_three(eex_store_file *file, const void *context)
{
    return eex_store_write(file, "numbers", EEX_STORE_I32, &three, context);
}

static int fill_half(eex_store_file *file, const void *context)
{
    OK(fill_three(file, context));
    return eex_fail(EEX_EINVAL, "half is enough");
}

static int use_three(eex_store_file *file, void *context)
{
    return eex_store_read(context, file, "numbers", EEX_STORE_I32, &three);
}

Test(store, a_file_is_written_by_a_function_whole_or_not_at_all)
{
    const int32_t numbers[] = {4, 5, 6}, others[] = {7, 8, 9};
    int32_t back[3] = {0};
    char folder[TEST_PATH_SIZE];
    eex_fs_names names = {0};
    test_folder_make(folder);
    const char *path = test_path(folder, "numbers.h5");
    OK(eex_store_write_file(path, "trial", 1, fill_three, numbers));
    cr_assert_eq(eex_store_write_file(path, "trial", 1, fill_half, others), EEX_EINVAL);
    cr_assert_str_eq(eex_error(), "half is enough");
    OK(eex_store_read_file(path, "trial", 1, use_three, back));
    cr_assert_arr_eq(back, numbers, sizeof back);
    cr_assert_eq(eex_store_read_file(path, "trace", 1, use_three, back), EEX_EFORMAT);
    OK(eex_fs_list(&names, folder));
    cr_assert_eq(names.count, 1);
    eex_fs_names_free(&names);
    test_folder_remove(folder);
}
