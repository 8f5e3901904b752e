#include "cuda/algorithms.h"

#include "cuda/host.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY = 192, FILE_LIMIT = 4 << 20 };

/* Changes whenever a choice comes to mean something else, or there are more of them. */
static const char title[] = "eex convolutions 4\n";

typedef struct entry {
    char key[KEY];
    int choice;
    double microseconds;
    bool tried; /* in this process */
} entry;

struct eex_cuda_algorithms {
    entry *entries;
    int count, capacity;
    char *path; /* NULL: kept for this process alone */
    bool changed;
    bool stale; /* it was said that something in the file does not work */
};

static int folder_name(char **out)
{
    const char *own = getenv("EEX_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    char *cache = NULL;
    *out = NULL;
    if (own && *own)
        return eex_path_join(out, own, "");
    if (xdg && *xdg)
        return eex_path_join(out, xdg, "eex");
    if (!home || !*home)
        return EEX_OK;
    EEX_TRY(eex_path_join(&cache, home, ".cache"));
    int code = eex_path_join(out, cache, "eex");
    free(cache);
    return code;
}

static int find_index(const struct eex_cuda_algorithms *a, const char *key)
{
    for (int i = 0; i < a->count; i++)
        if (strcmp(a->entries[i].key, key) == 0)
            return i;
    return -1;
}

static int keep(struct eex_cuda_algorithms *a, const char *key, int choice, double microseconds,
                bool tried)
{
    int i = find_index(a, key);
    if (i < 0 && a->count == a->capacity) {
        int larger = a->capacity ? 2 * a->capacity : 64;
        entry *moved = realloc(a->entries, (size_t)larger * sizeof *moved);
        if (!moved)
            return eex_fail(EEX_ENOMEM, "out of memory for the ways of %d convolutions", larger);
        a->entries = moved;
        a->capacity = larger;
    }
    if (i < 0)
        i = a->count++;
    snprintf(a->entries[i].key, KEY, "%s", key);
    a->entries[i].choice = choice;
    a->entries[i].microseconds = microseconds;
    a->entries[i].tried = tried;
    return EEX_OK;
}

/* EEX_EFORMAT: not a file as we write it. */
static int parse(struct eex_cuda_algorithms *a, char *text)
{
    const size_t skip = sizeof title - 1;
    if (strncmp(text, title, skip) != 0)
        return eex_fail(EEX_EFORMAT, "it is no list of convolutions, or one of another eex");
    for (char *line = text + skip, *next; *line; line = next) {
        char *tab = strchr(line, '\t');
        int choice, end = 0;
        double microseconds;
        next = strchr(line, '\n');
        if (!next || !tab || tab > next || tab - line >= KEY ||
            sscanf(tab + 1, "%9d\t%lf%n", &choice, &microseconds, &end) != 2 || choice < 0 ||
            tab + 1 + end != next)
            return eex_fail(EEX_EFORMAT, "a line of it is broken");
        *tab = '\0';
        next++;
        EEX_TRY(keep(a, line, choice, microseconds, false));
    }
    return EEX_OK;
}

/* Whatever is wrong with the file: it is only a cache. */
static int read_file(struct eex_cuda_algorithms *a)
{
    char *text = NULL;
    size_t size = 0;
    if (!eex_fs_exists(a->path))
        return EEX_OK;
    int code = eex_fs_read(&text, &size, a->path, FILE_LIMIT);
    if (code == EEX_OK)
        code = parse(a, text);
    free(text);
    if (code < 0 && code != EEX_ENOMEM) {
        eex_log_warn("%s is ignored (%s): ways of convolutions are measured anew", a->path,
                     eex_error());
        a->count = 0;
        code = EEX_OK;
    }
    return code;
}

int eex__cuda_algorithms_open(eex_cuda *cuda)
{
    struct eex_cuda_algorithms *a = calloc(1, sizeof *a);
    char *folder = NULL;
    if (!a)
        return eex_fail(EEX_ENOMEM, "out of memory opening %s", cuda->base.name);
    cuda->host->algorithms = a;
    if (cuda->deterministic)
        return EEX_OK;
    EEX_TRY(folder_name(&folder));
    if (!folder)
        return EEX_OK;
    int code = eex_path_join(&a->path, folder, "convolutions.txt");
    free(folder);
    return code < 0 ? code : read_file(a);
}

/* Best effort: a run must not fail because a cache cannot be written. */
static void write_file(const struct eex_cuda_algorithms *a)
{
    char *folder = NULL;
    eex_buffer b = {0};
    eex_buffer_printf(&b, "%s", title);
    for (int i = 0; i < a->count; i++)
        eex_buffer_printf(&b, "%s\t%d\t%.1f\n", a->entries[i].key, a->entries[i].choice,
                          a->entries[i].microseconds);
    if (!b.failed && eex_path_folder(&folder, a->path) == EEX_OK &&
        eex_fs_make_folder(folder) == EEX_OK)
        (void)eex_fs_write(a->path, b.data, b.size);
    free(folder);
    eex_buffer_free(&b);
}

void eex__cuda_algorithms_close(eex_cuda *cuda)
{
    struct eex_cuda_algorithms *a = cuda->host->algorithms;
    if (!a)
        return;
    if (a->changed && a->path && a->count > 0)
        write_file(a);
    free(a->entries);
    free(a->path);
    free(a);
    cuda->host->algorithms = NULL;
}

int eex__cuda_algorithm_find(const eex_cuda *cuda, const char *key, bool *tried)
{
    const struct eex_cuda_algorithms *a = cuda->host->algorithms;
    int i = find_index(a, key);
    *tried = i >= 0 && a->entries[i].tried;
    return i < 0 ? -1 : a->entries[i].choice;
}

void eex__cuda_algorithm_works(eex_cuda *cuda, const char *key)
{
    struct eex_cuda_algorithms *a = cuda->host->algorithms;
    int i = find_index(a, key);
    if (i >= 0)
        a->entries[i].tried = true;
}

void eex__cuda_algorithm_stale(eex_cuda *cuda, const char *op)
{
    struct eex_cuda_algorithms *a = cuda->host->algorithms;
    if (!a->stale)
        eex_log_warn("%s, convolution \"%s\": the way that %s remembers does not work here; such "
                     "are measured anew",
                     cuda->base.name, op, a->path ? a->path : "this process");
    a->stale = true;
}

int eex__cuda_algorithm_keep(eex_cuda *cuda, const char *key, int choice, double microseconds)
{
    cuda->host->algorithms->changed = true;
    return keep(cuda->host->algorithms, key, choice, microseconds, true);
}
