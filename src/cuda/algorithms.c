#include "cuda/algorithms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/fs.h"
#include "cuda/host.h"

enum { KEY = 160, FILE_LIMIT = 4 << 20 };

typedef struct entry {
    char key[KEY];
    int choice;
    double microseconds;
} entry;

struct eex_cuda_algorithms {
    entry *entries;
    int count, capacity;
    char *path; /* NULL: kept for this process alone */
    bool changed;
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

static int keep(struct eex_cuda_algorithms *a, const char *key, int choice, double microseconds)
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
    return EEX_OK;
}

/* A line that is not as we write them is left out. */
static int parse(struct eex_cuda_algorithms *a, char *text)
{
    for (char *line = text, *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        char *tab = strchr(line, '\t');
        int choice;
        double microseconds;
        if (!tab || tab - line >= KEY || sscanf(tab + 1, "%d\t%lf", &choice, &microseconds) != 2 ||
            choice < 0)
            continue;
        *tab = '\0';
        EEX_TRY(keep(a, line, choice, microseconds));
    }
    return EEX_OK;
}

int eex__cuda_algorithms_open(eex_cuda *cuda)
{
    struct eex_cuda_algorithms *a = calloc(1, sizeof *a);
    char *folder = NULL, *text = NULL;
    size_t size;
    if (!a)
        return eex_fail(EEX_ENOMEM, "out of memory opening %s", cuda->base.name);
    cuda->host->algorithms = a;
    if (cuda->deterministic)
        return EEX_OK;
    EEX_TRY(folder_name(&folder));
    if (!folder)
        return EEX_OK;
    int code = eex_path_join(&a->path, folder, "convolutions.txt");
    if (code == EEX_OK && eex_fs_exists(a->path) &&
        eex_fs_read(&text, &size, a->path, FILE_LIMIT) == EEX_OK)
        code = parse(a, text);
    free(text);
    free(folder);
    return code;
}

/* Best effort: a run must not fail because a cache cannot be written. */
static void write_file(const struct eex_cuda_algorithms *a)
{
    char *folder = NULL;
    eex_buffer b = {0};
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

int eex__cuda_algorithm_find(const eex_cuda *cuda, const char *key)
{
    int i = find_index(cuda->host->algorithms, key);
    return i < 0 ? -1 : cuda->host->algorithms->entries[i].choice;
}

int eex__cuda_algorithm_keep(eex_cuda *cuda, const char *key, int choice, double microseconds)
{
    cuda->host->algorithms->changed = true;
    return keep(cuda->host->algorithms, key, choice, microseconds);
}
