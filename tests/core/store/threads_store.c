/* Threads read one file together, and others of their own, while one of them writes. */
#include "core/store/store.h"

#include "base/status.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 30, ROWS = 2000, WIDTH = 100 };

static char path[100];
static eex_store_file *shared;
static const eex_store_shape shape = {2, {ROWS, WIDTH}};

static int write_file(const char *to)
{
    static uint8_t rows[ROWS * WIDTH];
    eex_store_file *file;
    for (int i = 0; i < ROWS; i++)
        memset(rows + (size_t)i * WIDTH, i, WIDTH);
    EEX_TRY(eex_store_create(&file, to, "dataset", 1));
    int code = eex_store_make_rows(file, "part/rows", EEX_STORE_U8, &shape);
    if (code == EEX_OK)
        code = eex_store_append(file, "part/rows", EEX_STORE_U8, ROWS, rows);
    if (code == EEX_OK)
        code = eex_store_set_int(file, "part", "number", 7);
    if (code == EEX_OK)
        return eex_store_commit(&file);
    eex_store_close(file);
    return code;
}

static int read_file(eex_store_file *file, uint64_t first)
{
    uint8_t rows[5 * WIDTH];
    int64_t number = 0;
    EEX_TRY(eex_store_read_rows(rows, file, "part/rows", EEX_STORE_U8, &shape, first, 5));
    EEX_TRY(eex_store_get_int(&number, file, "part", "number"));
    for (uint64_t i = 0; i < 5; i++)
        if (rows[i * WIDTH + 3] != (uint8_t)(first + i) || number != 7)
            return eex_fail(EEX_EFORMAT, "row %llu is another", (unsigned long long)(first + i));
    return EEX_OK;
}

static void *reader(void *data)
{
    uint64_t number = (uint64_t)(uintptr_t)data;
    int code = EEX_OK;
    for (uint64_t round = 0; code == EEX_OK && round < ROUNDS; round++) {
        eex_store_file *own;
        uint64_t first = (round * 577 + number * 131) % (ROWS - 5);
        code = read_file(shared, first);
        if (code == EEX_OK)
            code = eex_store_open(&own, path, "dataset", 1);
        if (code < 0)
            break;
        code = read_file(own, first);
        eex_store_close(own);
    }
    if (code < 0)
        fprintf(stderr, "%s\n", eex_error());
    return code < 0 ? data : NULL;
}

static void *writer(void *data)
{
    char other[120];
    int code = EEX_OK;
    snprintf(other, sizeof other, "%s.other", path);
    for (int round = 0; code == EEX_OK && round < ROUNDS / 3; round++)
        code = write_file(other);
    unlink(other);
    if (code < 0)
        fprintf(stderr, "%s\n", eex_error());
    return code < 0 ? data : NULL;
}

int main(void)
{
    pthread_t thread[THREADS];
    int failed = 0;
    snprintf(path, sizeof path, "/tmp/threads-store-%d.h5", (int)getpid());
    if (write_file(path) < 0 || eex_store_open(&shared, path, "dataset", 1) < 0) {
        fprintf(stderr, "%s\n", eex_error());
        return 1;
    }
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&thread[i], NULL, i ? reader : writer, (void *)(uintptr_t)(i + 1)) != 0)
            return 1;
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(thread[i], &result);
        failed |= result != NULL;
    }
    eex_store_close(shared);
    unlink(path);
    return failed;
}
