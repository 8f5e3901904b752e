/* Bits that turned over: whatever bit of a file it is, the file reads as before or is refused by
 * its name.
 *
 * store_flips [--rounds N] [--seed N] FOLDER|FILE.h5...
 *
 * Rounds are of each kind of file, whose files take turns; --help says the rest. */
#include "core/store/store.h"
#include "support/store_digest.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_FILES = 4096, MAX_BEGINNING = 8192 };
static const size_t MAX_FILE = (size_t)1 << 30;

static const char help[] =
    "store_flips [--rounds N] [--seed N] FOLDER|FILE.h5...\n\n"
    "Turns over one random bit of a file, reads all that is in it, and turns the bit back: N "
    "times\n"
    "(10000) for each kind of file that is named or lies in a folder that is named, of a run for\n"
    "instance. Files themselves are not touched. For each kind it prints how often the file was\n"
    "refused with its name, and the damaged object's; refused with its name alone; and how often\n"
    "the bit was one that means nothing, all being read as before. Anything else - something read\n"
    "that is not what was written, another error than EEX_EFORMAT or EEX_EVERSION, a message\n"
    "without the file's name - is printed with its place, and the status is 1.\n";

typedef struct victim {
    char *path, *kind;
    uint8_t *data;
    size_t size;
    uint64_t digest;
} victim;

typedef struct counts {
    uint64_t object, file, nothing, wrong;
} counts;

typedef struct flips {
    victim *file[MAX_FILES];
    size_t files;
    uint64_t rounds, seed;
    int fd; /* of the damaged copy, in memory */
    char path[40];
} flips;

/* ---- files ---- */

static int take_kind(victim *v)
{
    eex_store_file *file = NULL;
    EEX_TRY(eex_store_open(&file, v->path, NULL, 1));
    int code = eex_store_get_string(&v->kind, file, "/", "eex_format");
    eex_store_close(file);
    return code;
}

static int take_content(victim *v)
{
    char *data = NULL;
    EEX_TRY(eex_fs_read(&data, &v->size, v->path, MAX_FILE));
    v->data = (uint8_t *)data;
    return test_store_digest_whole(&v->digest, v->path);
}

static int add_file(flips *f, const char *path)
{
    victim *v = calloc(1, sizeof *v);
    if (!v || f->files == MAX_FILES || !(v->path = strdup(path))) {
        free(v);
        return eex_fail(EEX_ENOMEM, "%s: too many files", path);
    }
    f->file[f->files++] = v;
    EEX_TRY(take_kind(v));
    return take_content(v);
}

static bool is_hdf5(const char *name)
{
    size_t length = strlen(name);
    return length > 3 && strcmp(name + length - 3, ".h5") == 0;
}

static int add_folder(flips *f, const char *folder)
{
    eex_fs_names names;
    int code = EEX_OK;
    EEX_TRY(eex_fs_list(&names, folder));
    for (size_t i = 0; i < names.count && code == EEX_OK; i++) {
        char *path = NULL;
        if (!is_hdf5(names.names[i]))
            continue;
        code = eex_path_join(&path, folder, names.names[i]);
        if (code == EEX_OK)
            code = add_file(f, path);
        free(path);
    }
    eex_fs_names_free(&names);
    return code;
}

static void free_files(flips *f)
{
    for (size_t i = 0; i < f->files; i++) {
        free(f->file[i]->path);
        free(f->file[i]->kind);
        free(f->file[i]->data);
        free(f->file[i]);
    }
}

/* ---- rounds ---- */

static void judge(counts *c, const flips *f, const victim *v, size_t at, int bit)
{
    uint64_t digest = 0;
    const int code = test_store_digest_whole(&digest, f->path);
    const char *name = code < 0 ? strstr(eex_error(), f->path) : NULL;
    const bool refused = (code == EEX_EFORMAT || code == EEX_EVERSION) && name;
    if (refused && strncmp(name + strlen(f->path), ": /", 3) == 0)
        c->object++;
    else if (refused)
        c->file++;
    else if (code == EEX_OK && digest == v->digest)
        c->nothing++;
    else {
        c->wrong++;
        printf("WRONG: bit %d of byte %zu of %s: %s\n", bit, at, v->path,
               code == EEX_OK ? "it is believed" : eex_error());
    }
}

/* Half of the time near the beginning, where small files have most of what is no content. */
static int turn_over(counts *c, const flips *f, const victim *v, eex_rng *rng, uint64_t round)
{
    const bool near = round % 2 && v->size > MAX_BEGINNING;
    const size_t at = eex_rng_below(rng, near ? MAX_BEGINNING : v->size);
    const int bit = (int)eex_rng_below(rng, 8);
    const uint8_t changed = v->data[at] ^ (uint8_t)(1 << bit);
    if (pwrite(f->fd, &changed, 1, (off_t)at) != 1)
        return eex_fail(EEX_EIO, "cannot write to memory: %s", strerror(errno));
    judge(c, f, v, at, bit);
    return pwrite(f->fd, &v->data[at], 1, (off_t)at) == 1 ? EEX_OK : EEX_EIO;
}

static int flip_file(counts *c, const flips *f, const victim *v, uint64_t rounds, eex_rng *rng)
{
    if (ftruncate(f->fd, 0) != 0 || pwrite(f->fd, v->data, v->size, 0) != (ssize_t)v->size)
        return eex_fail(EEX_EIO, "cannot write to memory: %s", strerror(errno));
    for (uint64_t round = 0; round < rounds; round++)
        EEX_TRY(turn_over(c, f, v, rng, round));
    return EEX_OK;
}

static bool is_first_of_kind(const flips *f, size_t i)
{
    for (size_t before = 0; before < i; before++)
        if (strcmp(f->file[before]->kind, f->file[i]->kind) == 0)
            return false;
    return true;
}

static int flip_kind(uint64_t *wrong, const flips *f, const char *kind)
{
    eex_rng rng;
    counts c = {0, 0, 0, 0};
    uint64_t files = 0, left = f->rounds;
    for (size_t i = 0; i < f->files; i++)
        files += strcmp(f->file[i]->kind, kind) == 0;
    eex_rng_seed(&rng, f->seed, 0);
    for (size_t i = 0; i < f->files; i++) {
        if (strcmp(f->file[i]->kind, kind) != 0)
            continue;
        const uint64_t share = left / files--;
        EEX_TRY(flip_file(&c, f, f->file[i], share, &rng));
        left -= share;
    }
    printf("%-14s %8" PRIu64 " %16" PRIu64 " %14" PRIu64 " %9" PRIu64 " %6" PRIu64 "\n", kind,
           f->rounds, c.object, c.file, c.nothing, c.wrong);
    fflush(stdout);
    *wrong += c.wrong;
    return EEX_OK;
}

static int flip_all(uint64_t *wrong, flips *f)
{
    f->fd = memfd_create("flips", MFD_CLOEXEC);
    if (f->fd < 0)
        return eex_fail(EEX_EIO, "no file in memory: %s", strerror(errno));
    snprintf(f->path, sizeof f->path, "/proc/self/fd/%d", f->fd);
    printf("%-14s %8s %16s %14s %9s %6s\n", "kind", "rounds", "refused: object", "refused: file",
           "harmless", "wrong");
    for (size_t i = 0; i < f->files; i++)
        if (is_first_of_kind(f, i))
            EEX_TRY(flip_kind(wrong, f, f->file[i]->kind));
    return EEX_OK;
}

/* ---- the command line ---- */

static int read_words(flips *f, int count, char **words)
{
    for (int i = 1; i < count; i++) {
        const bool more = i + 1 < count;
        if (more && strcmp(words[i], "--rounds") == 0)
            f->rounds = strtoull(words[++i], NULL, 10);
        else if (more && strcmp(words[i], "--seed") == 0)
            f->seed = strtoull(words[++i], NULL, 10);
        else
            EEX_TRY(eex_fs_is_folder(words[i]) ? add_folder(f, words[i]) : add_file(f, words[i]));
    }
    return f->files ? EEX_OK : eex_fail(EEX_EINVAL, "no file is named; --help says how");
}

int main(int argc, char **argv)
{
    static flips f = {.rounds = 10000};
    uint64_t wrong = 0;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0)
            return fputs(help, stdout) < 0;
    int code = read_words(&f, argc, argv);
    if (code == EEX_OK)
        code = flip_all(&wrong, &f);
    free_files(&f);
    if (code < 0)
        fprintf(stderr, "%s\n", eex_error());
    return code < 0 || wrong > 0;
}
