#include "cli/sweep_data.h"

#include "core/data/identity.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { VERSION = 1, WAIT_NS = 20000000 };

/* ---- what tasks are on ---- */

typedef struct task_data {
    char *name; /* NULL: the task has not begun */
    eex_identity made_of;
} task_data;

static void task_data_free(task_data *d)
{
    free(d->name);
    eex_identity_free(&d->made_of);
}

static int use(eex_store_file *file, void *context)
{
    task_data *d = context;
    EEX_TRY(eex_store_get_string(&d->name, file, "", "dataset"));
    return eex_identity_load(&d->made_of, file, "");
}

static int read_one(task_data *out, const char *folder, const char *where, size_t task,
                    const char *file, const char *kind)
{
    char *path = NULL;
    EEX_TRY(eex_sweep_path(&path, folder, where, task, file));
    const int code =
        eex_fs_exists(path) ? eex_store_read_file(path, kind, VERSION, use, out) : EEX_OK;
    free(path);
    return code;
}

/* By its run, begun or done; by its own word where it has none yet. */
static int read_data(task_data *out, const char *folder, size_t task)
{
    *out = (task_data){.name = NULL};
    int code = read_one(out, folder, "runs", task, "/run.h5", "run");
    if (code == EEX_OK && !out->name)
        code = read_one(out, folder, "tasks", task, "/data.h5", "task data");
    return code;
}

/* The data are those of another task, where that says which it has of this name. */
static int check_with(bool *told, eex_dataset *data, const char *folder, size_t other)
{
    char whose[64];
    task_data d;
    int code = read_data(&d, folder, other);
    *told = code == EEX_OK && d.name && eex_identity_known(&d.made_of) &&
            strcmp(d.name, eex_dataset_facts(data)->name) == 0;
    snprintf(whose, sizeof whose, "task %zu of this sweep", other);
    if (*told)
        code = eex_identity_check(&d.made_of, data, whose, "the tasks of a sweep are averaged");
    task_data_free(&d);
    return code < 0 ? eex_fail_in(code, "put the sweep's data back, or begin another with --out")
                    : EEX_OK;
}

/* A file of another task that is damaged is not asked. */
static int check_others(const eex_sweep *s, const char *folder, size_t task, eex_dataset *data)
{
    bool told = false;
    int code = EEX_OK;
    for (size_t t = 0; t < eex_sweep_tasks(s) && !told; t++)
        if (t != task)
            code = check_with(&told, data, folder, t);
    return told ? code : EEX_OK;
}

/* ---- what this one is on ---- */

typedef struct own_data {
    const char *name;
    const eex_identity *made_of;
} own_data;

static int fill(eex_store_file *file, const void *context)
{
    const own_data *own = context;
    EEX_TRY(eex_store_set_string(file, "", "dataset", own->name));
    return eex_identity_save(own->made_of, file, "");
}

static int write_down(const char *folder, size_t task, const own_data *own)
{
    char *path = NULL;
    EEX_TRY(eex_sweep_path(&path, folder, "tasks", task, "/data.h5"));
    const int code = eex_store_write_file(path, "task data", VERSION, fill, own);
    free(path);
    return code;
}

/* Of tasks that begin at one moment each would find that none has begun: one after the other looks
 * and writes. */
static int take_turn(eex_lock **out, const char *tasks)
{
    const struct timespec moment = {.tv_nsec = WAIT_NS};
    for (;;) {
        const int code = eex_lock_acquire(out, tasks);
        if (code != EEX_EBUSY)
            return code;
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted while other tasks began");
        nanosleep(&moment, NULL);
    }
}

static int bind_to(const eex_sweep *s, const char *folder, size_t task, eex_dataset *data)
{
    eex_identity made_of; /* in front of the turn: images may have to be looked at */
    eex_lock *turn = NULL;
    char *tasks = NULL;
    EEX_TRY(eex_identity_of(&made_of, data));
    const own_data own = {eex_dataset_facts(data)->name, &made_of};
    int code = eex_path_join(&tasks, folder, "tasks");
    if (code == EEX_OK)
        code = take_turn(&turn, tasks);
    if (code == EEX_OK)
        code = check_others(s, folder, task, data);
    if (code == EEX_OK)
        code = write_down(folder, task, &own);
    eex_lock_release(turn);
    free(tasks);
    eex_identity_free(&made_of);
    return code;
}

int eex__sweep_data_bind(const eex_sweep *s, const char *folder, size_t task, const char *name)
{
    eex_dataset *data = NULL;
    if (eex_dataset_open(&data, name) != EEX_OK)
        return EEX_OK;
    const int code = bind_to(s, folder, task, data);
    eex_dataset_close(data);
    return code;
}

void eex__sweep_data_forget(const char *folder, size_t task)
{
    char *path = NULL;
    if (eex_sweep_path(&path, folder, "tasks", task, "/data.h5") == EEX_OK)
        unlink(path);
    free(path);
}
