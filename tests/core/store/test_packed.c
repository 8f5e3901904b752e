/* Packed arrays of any size and shape, and signals while they are written. */
#include "core/store/store.h"
#include "support/folder.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OK(call) cr_assert_eq((call), EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE], path[TEST_PATH_SIZE];

static void setup(void)
{
    test_folder_make(folder);
    snprintf(path, sizeof path, "%s", test_path(folder, "a.h5"));
    OK(eex_signals_install());
}

static void teardown(void)
{
    eex_signals_clear();
    test_folder_remove(folder);
}

TestSuite(packed, .init = setup, .fini = teardown, .timeout = 300);

static size_t files(void)
{
    eex_fs_names names = {0};
    OK(eex_fs_list(&names, folder));
    const size_t count = names.count;
    eex_fs_names_free(&names);
    return count;
}

/* Numbers that do not pack, so that packing them takes as long as it can. */
static uint32_t *noise(size_t count)
{
    uint32_t *values = malloc(count * sizeof *values);
    cr_assert_not_null(values);
    uint64_t state = 1;
    for (size_t i = 0; i < count; i++) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        values[i] = (uint32_t)(state >> 32);
    }
    return values;
}

static size_t count_of(const eex_store_shape *s)
{
    size_t count = 1;
    for (int i = 0; i < s->rank; i++)
        count *= (size_t)s->extent[i];
    return count;
}

static int write_arrays(const eex_store_shape *shapes, int count, const uint32_t *values)
{
    char name[16];
    eex_store_file *file;
    int code = EEX_OK;
    OK(eex_store_create(&file, path, "trace", 1));
    for (int i = 0; i < count && code == EEX_OK; i++) {
        snprintf(name, sizeof name, "a%d", i);
        code = eex_store_write_packed(file, name, EEX_STORE_U32, &shapes[i], values);
    }
    if (code == EEX_OK)
        return eex_store_commit(&file);
    eex_store_close(file);
    return code;
}

/* One chunk and many, whole ones and edges, along every axis. */
static const eex_store_shape shapes[] = {
    {1, {9000}},         {1, {262144}},       {1, {262145}},    {1, {1000003}},
    {2, {3, 300001}},    {2, {300001, 3}},    {2, {1, 524288}}, {3, {3, 700, 150}},
    {3, {2, 3, 262145}}, {4, {5, 7, 11, 700}}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

Test(packed, every_shape_comes_back)
{
    uint32_t *values = noise(2000000), *read = malloc(2000000 * sizeof *read);
    cr_assert_not_null(read);
    OK(write_arrays(shapes, SHAPES, values));
    eex_store_file *file;
    OK(eex_store_open(&file, path, "trace", 1));
    for (int i = 0; i < SHAPES; i++) {
        char name[16];
        snprintf(name, sizeof name, "a%d", i);
        OK(eex_store_read(read, file, name, EEX_STORE_U32, &shapes[i]));
        cr_expect_eq(memcmp(read, values, count_of(&shapes[i]) * sizeof *read), 0, "%s", name);
    }
    eex_store_close(file);
    free(read);
    free(values);
}

static void expect_abandoned(int code, const uint32_t *old)
{
    const eex_store_shape shape = {1, {1000}};
    uint32_t read[1000];
    eex_store_file *file;
    cr_assert_eq(code, EEX_EINTERRUPTED, "%d: %s", code, eex_error());
    cr_expect(strstr(eex_error(), path), "%s", eex_error());
    cr_expect_eq(files(), 1, "something is left behind");
    eex_signals_clear();
    OK(eex_store_open(&file, path, "trace", 1));
    OK(eex_store_read(read, file, "a0", EEX_STORE_U32, &shape));
    cr_expect_eq(memcmp(read, old, sizeof read), 0);
    eex_store_close(file);
}

/* State is saved after a signal: what is small is written whole, alone or in pieces. */
Test(packed, after_a_signal_small_files_are_written_and_large_ones_given_up)
{
    uint32_t *values = noise(5 << 20);
    const eex_store_shape small = {1, {1000}}, allowed = {2, {15, 1 << 18}};
    const eex_store_shape large = {2, {17, 1 << 18}},
                          pieces[] = {{2, {9, 1 << 18}}, {2, {9, 1 << 18}}};
    OK(write_arrays(&small, 1, values));
    cr_assert_eq(raise(SIGTERM), 0);
    cr_assert(eex_interrupted());
    OK(write_arrays(&allowed, 1, values));
    OK(write_arrays(&small, 1, values));
    expect_abandoned(write_arrays(&large, 1, values), values);
    cr_assert_eq(raise(SIGTERM), 0);
    expect_abandoned(write_arrays(pieces, 2, values), values);
    OK(write_arrays(&large, 1, values));
    free(values);
}

/* What is not packed (weights in a checkpoint) is always saved. */
Test(packed, weights_are_saved_after_a_signal)
{
    const eex_store_shape large = {2, {32, 1 << 18}};
    uint32_t *values = noise(8 << 20);
    eex_store_file *file;
    cr_assert_eq(raise(SIGINT), 0);
    OK(eex_store_create(&file, path, "checkpoint", 1));
    OK(eex_store_write(file, "a", EEX_STORE_U32, &large, values));
    OK(eex_store_commit(&file));
    free(values);
}

static void *strike(void *unused)
{
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    kill(getpid(), SIGINT);
    return unused;
}

Test(packed, a_signal_in_the_middle_is_heard)
{
    const eex_store_shape small = {1, {1000}}, huge = {2, {160, 1 << 18}};
    uint32_t *values = noise((size_t)160 << 18); /* takes seconds */
    pthread_t thread;
    OK(write_arrays(&small, 1, values));
    cr_assert_eq(pthread_create(&thread, NULL, strike, NULL), 0);
    const int code = write_arrays(&huge, 1, values);
    pthread_join(thread, NULL);
    expect_abandoned(code, values);
    free(values);
}

/* A file of a megabyte that would fill the memory, array by array. What packs as measurements do
 * is read as often as one likes. */
Test(packed, a_small_file_does_not_unpack_without_end)
{
    enum { ZEROS = 7 };
    const eex_store_shape usual = {1, {2000000}}, zero = {1, {16 << 20}};
    uint32_t *values = noise(2000000), *zeros = calloc(16 << 20, sizeof *zeros);
    eex_store_file *file;
    char name[24];
    cr_assert_not_null(zeros);
    OK(eex_store_create(&file, path, "trace", 1));
    OK(eex_store_write_packed(file, "usual", EEX_STORE_U32, &usual, values));
    for (int i = 0; i < ZEROS; i++) {
        snprintf(name, sizeof name, "zeros%d", i);
        OK(eex_store_write_packed(file, name, EEX_STORE_U32, &zero, zeros));
    }
    OK(eex_store_commit(&file));
    OK(eex_store_open(&file, path, "trace", 1));
    for (int i = 0; i < 10; i++)
        OK(eex_store_read(values, file, "usual", EEX_STORE_U32, &usual));
    for (int i = 0; i < ZEROS; i++) /* one counts once */
        OK(eex_store_read(zeros, file, "zeros0", EEX_STORE_U32, &zero));
    int read = 0;
    for (int code = EEX_OK; code == EEX_OK && read < ZEROS; read += code == EEX_OK) {
        snprintf(name, sizeof name, "zeros%d", read);
        code = eex_store_read(zeros, file, name, EEX_STORE_U32, &zero);
        cr_assert(code == EEX_OK || code == EEX_EFORMAT, "%s", eex_error());
    }
    cr_expect(read >= 4 && read < ZEROS, "%d were read", read);
    cr_expect(strstr(eex_error(), "write it without compression"), "%s", eex_error());
    OK(eex_store_read(values, file, "usual", EEX_STORE_U32, &usual));
    eex_store_close(file);
    free(zeros);
    free(values);
}
