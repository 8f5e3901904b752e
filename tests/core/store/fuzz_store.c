/* Files that are damaged on purpose, whose checksums are nevertheless right: the reader must end,
 * soon and without having touched memory that is not its own.
 *
 * fuzz_core_store_store [--seed N] [--round N] [--rounds N] [--seconds N] [FILE...]
 *
 * Starts from files of its own and the fixtures, and from those that are named. It is linked so
 * that all of HDF5's checksums count as right, and in half of the rounds the seal too, as if they
 * had been made anew. A round that crashes or hangs is named, and so called begins with it.
 *
 * scripts/fuzz_guided.sh makes another program of it, which keeps what reaches new code
 * (libFuzzer). */
#include "core/store/h5_checksum.h"
#include "core/store/store_reader.h"
#include "support/rounds.h"
#include "support/store_digest.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/status.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_SEEDS = 64, MAX_FILE = 4 << 20, SECONDS_A_FILE = 10, MAX_MEMORY = 256 << 10 /* KiB */ };

/* ---- what counts as right ---- */

static bool seal_counts;

bool __wrap_eex__h5_lookup3_fits(const void *data, size_t size, uint32_t stored);
bool __wrap_eex__h5_fletcher32_fits(const void *data, size_t size, uint32_t stored);
int __wrap_eex__reader_check_seal(eex__reader *reader);
int __real_eex__reader_check_seal(eex__reader *reader);

/* Reads what it is said to, so that a sanitizer sees where that is. */
static volatile uint32_t last_sum;

static bool touch(const void *data, size_t size)
{
    last_sum = eex__h5_fletcher32(data, size);
    return true;
}

bool __wrap_eex__h5_lookup3_fits(const void *data, size_t size, uint32_t stored)
{
    return touch(data, size);
}

bool __wrap_eex__h5_fletcher32_fits(const void *data, size_t size, uint32_t stored)
{
    return touch(data, size);
}

int __wrap_eex__reader_check_seal(eex__reader *reader)
{
    return seal_counts ? __real_eex__reader_check_seal(reader) : EEX_OK;
}

/* ---- files ---- */

typedef struct seed {
    const char *name;
    uint8_t *data;
    size_t size;
    size_t *hot; /* where structures begin */
    size_t hots;
} seed;

typedef struct fuzz {
    seed seed[MAX_SEEDS];
    int seeds;
    int fd; /* of the file in memory */
    char path[40];
    eex_rng rng;
    test_rounds rounds;
} fuzz;

static fuzz state;

static void find_structures(seed *s)
{
    static const char signatures[][5] = {"OHDR", "OCHK", "FRHP", "FHDB", "FHIB", "BTHD", "BTIN",
                                         "BTLF", "FAHD", "FADB", "EAHD", "EAIB", "EASB", "EADB"};
    s->hot = calloc(s->size + 1, sizeof *s->hot);
    if (!s->hot)
        exit(1);
    s->hot[s->hots++] = 0;
    for (size_t i = 0; i + 4 <= s->size; i++) {
        const uint8_t first = s->data[i];
        if (first != 'O' && first != 'F' && first != 'B' && first != 'E')
            continue;
        for (size_t k = 0; k < sizeof signatures / sizeof *signatures; k++)
            if (memcmp(s->data + i, signatures[k], 4) == 0)
                s->hot[s->hots++] = i;
    }
}

/* ---- changing a file ---- */

static uint64_t below(fuzz *f, uint64_t limit)
{
    return eex_rng_below(&f->rng, limit);
}

/* Mostly near the beginning of a structure. */
static size_t place(fuzz *f, const seed *s, size_t room)
{
    size_t at = below(f, s->size);
    if (below(f, 4) > 0)
        at = s->hot[below(f, s->hots)] + below(f, below(f, 2) ? 64 : 600);
    return at + room < s->size ? at : s->size - room;
}

static uint64_t interesting(fuzz *f, const seed *s)
{
    static const uint64_t numbers[] = {0,    1,      2,          0x7f,      0x80,
                                       0xff, 0xffff, UINT32_MAX, INT64_MAX, UINT64_MAX};
    switch (below(f, 5)) {
    case 0:
        return numbers[below(f, sizeof numbers / sizeof *numbers)];
    case 1:
        return 1ULL << below(f, 64);
    case 2:
        return s->hot[below(f, s->hots)];
    case 3:
        return s->size - below(f, 64);
    default:
        return below(f, 1000);
    }
}

static void change(fuzz *f, const seed *s, uint8_t *data)
{
    size_t at, from;
    uint64_t number = interesting(f, s);
    switch (below(f, 6)) {
    case 0: /* a bit */
        data[place(f, s, 1)] ^= (uint8_t)(1 << below(f, 8));
        break;
    case 1: /* a byte */
        data[place(f, s, 1)] = (uint8_t)below(f, 256);
        break;
    case 2:
    case 3: { /* a number of one to eight bytes */
        size_t size = (size_t)1 << below(f, 4);
        memcpy(data + place(f, s, 8), &number, size);
        break;
    }
    case 4: /* another structure */
        at = s->hot[below(f, s->hots)];
        from = s->hot[below(f, s->hots)];
        number = 1 + below(f, 512);
        if (at + number <= s->size && from + number <= s->size)
            memmove(data + at, data + from, number);
        break;
    default: /* a number that is there, a bit larger or smaller */
        data[place(f, s, 1)] += (uint8_t)(below(f, 2) ? 1 : -1);
    }
}

/* ---- reading it ---- */

static void open_memory(fuzz *f)
{
    f->fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (f->fd < 0)
        exit(1);
    snprintf(f->path, sizeof f->path, "/proc/self/fd/%d", f->fd);
}

/* Whether the reader ends as it should. */
static bool read_well(fuzz *f, const uint8_t *data, size_t size)
{
    uint64_t digest;
    if (ftruncate(f->fd, 0) != 0 || pwrite(f->fd, data, size, 0) != (ssize_t)size)
        exit(1);
    test_rounds_limit(SECONDS_A_FILE);
    const int code = test_store_digest(&digest, f->path);
    test_rounds_limit(0);
    return code == EEX_OK || code == EEX_EFORMAT || code == EEX_ENOTFOUND || code == EEX_EVERSION ||
           code == EEX_EINVAL;
}

#ifdef EEX_GUIDED

#include "support/guided.h"

/* Only what aborts does libFuzzer keep. */
static void take_too_long(int signal_number)
{
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!state.path[0]) {
        open_memory(&state);
        signal(SIGPROF, take_too_long);
    }
    seal_counts = size > 0 && data[size / 2] % 2;
    if (!read_well(&state, data, size)) {
        fprintf(stderr, "%s\n", eex_error());
        abort();
    }
    return 0;
}

/* Every other time where structures begin, as above: it has no idea of them. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned number)
{
    if (number % 2 || size < 64)
        return LLVMFuzzerMutate(data, size, room);
    seed s = {.data = data, .size = size};
    eex_rng_seed(&state.rng, number, size);
    find_structures(&s);
    for (uint64_t left = 1 + below(&state, 3); left > 0; left--)
        change(&state, &s, data);
    free(s.hot);
    return size;
}

#else

/* ---- seeds ---- */

static void add_seed(fuzz *f, const char *path)
{
    char *data;
    size_t size;
    if (f->seeds == MAX_SEEDS || eex_fs_read(&data, &size, path, MAX_FILE) < 0) {
        fprintf(stderr, "%s is left out: %s\n", path, eex_error());
        return;
    }
    seed *s = &f->seed[f->seeds++];
    *s = (seed){strdup(path), (uint8_t *)data, size, NULL, 0};
    find_structures(s);
}

static void add_own(fuzz *f)
{
    char path[60];
    snprintf(path, sizeof path, "/tmp/fuzz-store-%d.h5", (int)getpid());
    if (test_store_write_sample(path) < 0) {
        fprintf(stderr, "%s\n", eex_error());
        exit(1);
    }
    add_seed(f, path);
    unlink(path);
    add_seed(f, EEX_FIXTURES "/store_hostile.h5");
    add_seed(f, EEX_FIXTURES "/store_structures.h5");
}

/* ---- rounds ---- */

static int run_round(fuzz *f)
{
    const seed *s = &f->seed[below(f, (uint64_t)f->seeds)];
    uint8_t *data = malloc(s->size);
    if (!data)
        return 1;
    memcpy(data, s->data, s->size);
    for (uint64_t left = 1 + below(f, below(f, 3) ? 3 : 20); left > 0; left--)
        change(f, s, data);
    const size_t size = below(f, 20) ? s->size : below(f, s->size);
    seal_counts = below(f, 2);
    const bool fine = read_well(f, data, size);
    free(data);
    if (!fine)
        fprintf(stderr, "--seed %" PRIu64 " --round %" PRIu64 " (%s): %s\n", f->rounds.seed,
                f->rounds.round, s->name, eex_error());
    return fine ? 0 : 1;
}

/* In KiB; a sanitizer keeps what was freed. */
static long peak_memory(void)
{
    struct rusage usage;
#ifdef __SANITIZE_ADDRESS__
    return 0;
#endif
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

int main(int argc, char **argv)
{
    fuzz *f = &state;
    int bad = 0;
    for (int i = 1; i < argc; i++)
        if (!test_rounds_take(&f->rounds, argc, argv, &i))
            add_seed(f, argv[i]);
    add_own(f);
    open_memory(f);
    const long before = peak_memory();
    while (test_rounds_next(&f->rounds, &f->rng))
        bad += run_round(f);
    const long memory = peak_memory() - before;
    printf("%" PRIu64 " rounds of %d files, %d bad, %ld KiB of memory\n",
           test_rounds_done(&f->rounds), f->seeds, bad, memory);
    for (int i = 0; i < f->seeds; i++) {
        free(f->seed[i].data);
        free(f->seed[i].hot);
    }
    return bad || memory > MAX_MEMORY;
}

#endif
