/* sweep.h5: the whole configuration, before anything runs. */
#include "core/store/store.h"
#include "core/sweep/sweep.h"

#include "base/fs.h"
#include "base/shell.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT ((size_t)16 << 20)
enum { MAX_SEEDS = 100000 };

/* ---- members that are texts in the struct ---- */

static const struct {
    const char *name;
    size_t offset, size;
} cluster_texts[] = {
#define TEXT(member)                                                             \
    {                                                                            \
#member, offsetof(eex_cluster, member), sizeof((eex_cluster *)0)->member \
    }
    TEXT(partition), TEXT(time), TEXT(memory), TEXT(container), TEXT(setup), TEXT(options)};
#undef TEXT

static const struct {
    const char *name;
    size_t offset;
} cluster_numbers[] = {{"gpus", offsetof(eex_cluster, gpus)},
                       {"cpus", offsetof(eex_cluster, cpus)},
                       {"most", offsetof(eex_cluster, most)}};

enum {
    TEXTS = sizeof cluster_texts / sizeof *cluster_texts,
    NUMBERS = sizeof cluster_numbers / sizeof *cluster_numbers
};

/* ---- writing ---- */

static int write_texts(eex_store_file *file, const char *name, char *const *texts, size_t count)
{
    return eex_store_write_strings(file, name, (const char *const *)texts, count);
}

static int fill_cluster(eex_store_file *file, const eex_cluster *c)
{
    const char *base = (const char *)c;
    EEX_TRY(eex_store_make_group(file, "slurm"));
    for (size_t i = 0; i < TEXTS; i++)
        EEX_TRY(eex_store_set_string(file, "slurm", cluster_texts[i].name,
                                     base + cluster_texts[i].offset));
    for (size_t i = 0; i < NUMBERS; i++)
        EEX_TRY(eex_store_set_int(file, "slurm", cluster_numbers[i].name,
                                  *(const int *)(const void *)(base + cluster_numbers[i].offset)));
    return EEX_OK;
}

static int fill(eex_store_file *file, const void *context)
{
    const eex_sweep *s = context;
    const eex_store_shape seeds = {1, {s->seeds}};
    EEX_TRY(eex_store_set_string(file, "", "name", s->name));
    EEX_TRY(eex_store_set_string(file, "", "experiment", s->experiment));
    EEX_TRY(eex_store_set_string(file, "", "device", s->device));
    EEX_TRY(eex_store_set_int(file, "", "points", (int64_t)s->points));
    EEX_TRY(eex_store_write_string(file, "experiment", s->experiment_text));
    EEX_TRY(write_texts(file, "fixed", s->fixed, s->fixeds));
    EEX_TRY(write_texts(file, "field", s->field, s->fields));
    EEX_TRY(write_texts(file, "value", s->value, s->points * s->fields));
    EEX_TRY(eex_store_set_string(file, "value", "meaning", "field by field, point after point"));
    EEX_TRY(eex_store_write(file, "seed", EEX_STORE_U64, &seeds, s->seed));
    return fill_cluster(file, &s->cluster);
}

/* ---- reading ---- */

static int read_texts(char ***out, size_t *count, eex_store_file *file, const char *name)
{
    eex_store_list list = {0};
    EEX_TRY(eex_store_read_strings(&list, file, name, MAX_TEXT));
    char **texts = calloc(list.count + 1, sizeof *texts);
    int code = texts ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for a sweep");
    for (size_t i = 0; i < list.count && code == EEX_OK; i++)
        if (!(texts[i] = strdup(list.item[i])))
            code = eex_fail(EEX_ENOMEM, "out of memory for a sweep");
    *out = texts;
    *count = texts ? list.count : 0;
    eex_store_list_free(&list);
    return code;
}

static int read_name(char *out, size_t size, eex_store_file *file, const char *object,
                     const char *name)
{
    char *text = NULL;
    EEX_TRY(eex_store_get_string(&text, file, object, name));
    const int length = snprintf(out, size, "%s", text);
    free(text);
    return (size_t)length < size ? EEX_OK
                                 : eex_store_refuse(file, "%s: %s is too long", object, name);
}

static int read_cluster(eex_cluster *c, eex_store_file *file)
{
    char *base = (char *)c;
    for (size_t i = 0; i < TEXTS; i++)
        EEX_TRY(read_name(base + cluster_texts[i].offset, cluster_texts[i].size, file, "slurm",
                          cluster_texts[i].name));
    for (size_t i = 0; i < NUMBERS; i++) {
        int64_t value = 0;
        EEX_TRY(eex_store_get_int(&value, file, "slurm", cluster_numbers[i].name));
        *(int *)(void *)(base + cluster_numbers[i].offset) = (int)value;
    }
    return EEX_OK;
}

static int use(eex_store_file *file, void *context)
{
    eex_sweep *s = context;
    eex_store_shape seeds = {1, {EEX_STORE_ANY}};
    size_t values = 0;
    int64_t points = 0;
    EEX_TRY(read_name(s->name, sizeof s->name, file, "", "name"));
    EEX_TRY(eex_store_get_string(&s->experiment, file, "", "experiment"));
    EEX_TRY(eex_store_get_string(&s->device, file, "", "device"));
    EEX_TRY(eex_store_get_int(&points, file, "", "points"));
    EEX_TRY(eex_store_read_string(&s->experiment_text, file, "experiment", MAX_TEXT));
    EEX_TRY(read_texts(&s->fixed, &s->fixeds, file, "fixed"));
    EEX_TRY(read_texts(&s->field, &s->fields, file, "field"));
    EEX_TRY(read_texts(&s->value, &values, file, "value"));
    EEX_TRY(eex_store_read_new((void **)&s->seed, file, "seed", EEX_STORE_U64, &seeds,
                               MAX_SEEDS * sizeof *s->seed));
    s->seeds = (size_t)seeds.extent[0];
    if (points < 1 || points > EEX_SWEEP_POINTS || s->seeds == 0 ||
        values != (size_t)points * s->fields) {
        eex_texts_free(s->value, values);
        s->value = NULL;
        return eex_store_refuse(file, "%zu values of %lld points with %zu fields", values,
                                (long long)points, s->fields);
    }
    s->points = (size_t)points;
    if (eex_sweep_check_tasks(s) < 0)
        return eex_store_refuse(file, "%s", eex_error());
    return read_cluster(&s->cluster, file);
}

/* ---- a folder ---- */

int eex_sweep_read(eex_sweep **out, const char *folder)
{
    char *path = NULL, word[EEX_SHELL_WORD];
    *out = NULL;
    eex_sweep *s = calloc(1, sizeof *s);
    int code = s ? eex_path_join(&path, folder, "sweep.h5")
                 : eex_fail(EEX_ENOMEM, "out of memory for a sweep");
    if (code == EEX_OK && !eex_fs_exists(path))
        code =
            eex_fail(EEX_ENOTFOUND, "%s holds no sweep: \"eex sweep FILE.lua --out %s\" makes one",
                     folder, eex_shell_text(word, folder));
    if (code == EEX_OK)
        code = eex_store_read_file(path, "sweep", EEX_SWEEP_VERSION, use, s);
    free(path);
    if (code != EEX_OK) {
        eex_sweep_free(s);
        return code;
    }
    *out = s;
    return EEX_OK;
}

static bool same_texts(char *const *a, size_t count, char *const *b, size_t other)
{
    for (size_t i = 0; count == other && i < count; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return count == other;
}

/* What two sweeps differ in; NULL: nothing that shapes results. How a cluster is asked may change.
 */
static const char *difference(const eex_sweep *a, const eex_sweep *b)
{
    if (strcmp(a->experiment_text, b->experiment_text) != 0)
        return "the experiment's file";
    if (!same_texts(a->fixed, a->fixeds, b->fixed, b->fixeds))
        return "`set`";
    if (!same_texts(a->field, a->fields, b->field, b->fields))
        return "which fields vary";
    if (!same_texts(a->value, a->points * a->fields, b->value, b->points * b->fields))
        return "the points";
    if (a->seeds != b->seeds || memcmp(a->seed, b->seed, a->seeds * sizeof *a->seed) != 0)
        return "the seeds";
    return NULL;
}

int eex_sweep_write(const eex_sweep *s, const char *folder)
{
    char *path = NULL;
    eex_sweep *there = NULL;
    EEX_TRY(eex_path_join(&path, folder, "sweep.h5"));
    int code = EEX_OK;
    if (eex_fs_exists(path)) {
        code = eex_sweep_read(&there, folder);
        const char *what = code == EEX_OK ? difference(there, s) : NULL;
        if (what)
            code = eex_fail(EEX_EINVAL,
                            "%s holds another sweep: %s differs; choose another folder with --out",
                            folder, what);
        eex_sweep_free(there);
    }
    if (code == EEX_OK)
        code = eex_store_write_file(path, "sweep", EEX_SWEEP_VERSION, fill, s);
    free(path);
    return code;
}
