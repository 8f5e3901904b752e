/* Foreign files that are damaged on purpose: a reader must end, soon, without having touched memory
 * that is not its own, and without having asked for more than a file may want.
 *
 * fuzz_core_exchange_exchange [--seed N] [--round N] [--rounds N] [--seconds N]
 *
 * Starts from the fixtures. A round that crashes or hangs is named, and so called begins with it.
 */
#include "core/exchange/onnx_import.h"
#include "core/exchange/safetensors.h"
#include "support/rounds.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FILE = 1 << 20, SECONDS_A_FILE = 10 };

/* KiB. A sanitizer keeps what was freed. */
#ifdef __SANITIZE_ADDRESS__
enum { MAX_MEMORY = 600 << 10 };
#else
enum { MAX_MEMORY = 64 << 10 };
#endif

/* ---- readers ---- */

/* Opens the file and reads all that is in it. */
static void read_safetensors(const char *path)
{
    eex_safetensors *f = NULL;
    if (eex_safetensors_open(&f, path) < 0)
        return;
    for (int i = 0; i < eex_safetensors_count(f); i++) {
        const eex_tensor *t = eex_safetensors_at(f, i);
        float *values = t->count <= MAX_FILE ? malloc(t->count * sizeof *values + 1) : NULL;
        if (values && eex_safetensors_find(f, t->name) == i)
            (void)eex_safetensors_read(values, f, i);
        free(values);
    }
    eex_safetensors_close(f);
}

static void read_onnx(const char *path)
{
    eex_onnx_network *n = NULL;
    if (eex_onnx_open(&n, path, "fuzzed", 0) == EEX_OK)
        eex_onnx_close(n);
}

static const struct {
    const char *path;
    void (*read)(const char *path);
    size_t head; /* where changes mostly are */
} kinds[] = {
    {EEX_FIXTURES "/weights.safetensors", read_safetensors, 6000},
    {EEX_FIXTURES "/weights_types.safetensors", read_safetensors, 6000},
    {EEX_FIXTURES "/network_plain.onnx", read_onnx, 4000},
    {EEX_FIXTURES "/network_odd.onnx", read_onnx, 8000},
    {EEX_FIXTURES "/hollow_reshape.onnx", read_onnx, 600},
    {EEX_FIXTURES "/hollow_pad.onnx", read_onnx, 600},
    {EEX_FIXTURES "/hollow_mean.onnx", read_onnx, 600},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- changing a file ---- */

typedef struct fuzz {
    uint8_t *data[KINDS];
    size_t size[KINDS];
    int fd; /* of the file in memory */
    char path[40];
    eex_rng rng;
    test_rounds rounds;
} fuzz;

static fuzz state;

static uint64_t below(fuzz *f, uint64_t limit)
{
    return eex_rng_below(&f->rng, limit);
}

static size_t place(fuzz *f, int kind, size_t room)
{
    const size_t size = f->size[kind], head = kinds[kind].head < size ? kinds[kind].head : size;
    const size_t at = below(f, below(f, 4) ? head : size);
    return at + room < size ? at : size - room;
}

static void change(fuzz *f, int kind, uint8_t *data)
{
    static const char *const words[] = {"18446744073709551615",
                                        "-1",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        "\"",
                                        ",",
                                        ":",
                                        "\\",
                                        "\\u0000",
                                        "F4",
                                        "\"F64\"",
                                        "0",
                                        "99999999"};
    const char *word;
    uint64_t size;
    switch (below(f, 5)) {
    case 0: /* a bit */
        data[place(f, kind, 1)] ^= (uint8_t)(1 << below(f, 8));
        break;
    case 1: /* a byte */
        data[place(f, kind, 1)] = (uint8_t)below(f, 256);
        break;
    case 2: /* a word of the format */
        word = words[below(f, sizeof words / sizeof *words)];
        size = strlen(word);
        memcpy(data + place(f, kind, size), word, size);
        break;
    case 3: /* a digit, or a small length */
        data[place(f, kind, 1)] = (uint8_t)((below(f, 2) ? '0' : 0) + below(f, 10));
        break;
    default: /* another part of it */
        size = 1 + below(f, 200);
        memmove(data + place(f, kind, size), data + place(f, kind, size), size);
    }
}

/* ---- rounds ---- */

static void run_round(fuzz *f)
{
    const int kind = (int)below(f, KINDS);
    uint8_t *data = malloc(f->size[kind]);
    if (!data)
        exit(1);
    memcpy(data, f->data[kind], f->size[kind]);
    for (uint64_t left = 1 + below(f, below(f, 3) ? 3 : 20); left > 0; left--)
        change(f, kind, data);
    const size_t size = below(f, 20) ? f->size[kind] : below(f, f->size[kind]);
    if (ftruncate(f->fd, 0) != 0 || pwrite(f->fd, data, size, 0) != (ssize_t)size)
        exit(1);
    test_rounds_limit(SECONDS_A_FILE);
    kinds[kind].read(f->path);
    test_rounds_limit(0);
    free(data);
}

static long peak_memory(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void begin(fuzz *f)
{
    for (int i = 0; i < KINDS; i++)
        if (eex_fs_read((char **)&f->data[i], &f->size[i], kinds[i].path, MAX_FILE) < 0) {
            fprintf(stderr, "%s\n", eex_error());
            exit(1);
        }
    f->fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (f->fd < 0)
        exit(1);
    snprintf(f->path, sizeof f->path, "/proc/self/fd/%d", f->fd);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!test_rounds_take(&state.rounds, argc, argv, &i))
            return 2;
    begin(&state);
    const long before = peak_memory();
    while (test_rounds_next(&state.rounds, &state.rng))
        run_round(&state);
    const long memory = peak_memory() - before;
    printf("%" PRIu64 " rounds, %ld KiB of memory\n", test_rounds_done(&state.rounds), memory);
    for (int i = 0; i < KINDS; i++)
        free(state.data[i]);
    return memory > MAX_MEMORY;
}
