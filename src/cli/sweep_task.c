#include "cli/sweep_task.h"

#include "core/data/identity.h"
#include "core/run/experiment.h"
#include "core/sweep/tasks.h"
#include "lua/lua_experiment.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Both streams go to the task's log, behind what it said before. */
static int open_log(const char *folder, size_t task)
{
    char *path = NULL;
    EEX_TRY(eex_sweep_path(&path, folder, "tasks", task, "/log"));
    const int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
    int code = EEX_OK;
    if (file < 0 || dup2(file, STDOUT_FILENO) < 0 || dup2(file, STDERR_FILENO) < 0)
        code = eex_fail(EEX_EIO, "cannot write %s: %s", path, strerror(errno));
    if (file >= 0)
        close(file);
    free(path);
    return code;
}

/* Runs of one sweep are of one experiment. */
static int check_experiment(const eex_sweep *s)
{
    char *text = NULL;
    EEX_TRY(eex_fs_read(&text, NULL, s->experiment, (size_t)16 << 20));
    const bool same = strcmp(text, s->experiment_text) == 0;
    free(text);
    return same ? EEX_OK
                : eex_fail(EEX_EINVAL,
                           "%s has changed since the sweep began: put it back, or begin "
                           "another sweep",
                           s->experiment);
}

static int read_experiment(eex_experiment **out, const eex_sweep *s, size_t task, bool trust)
{
    char **set = NULL;
    size_t sets = 0;
    *out = NULL;
    EEX_TRY(eex_sweep_sets(&set, &sets, s, task));
    const eex_lua_experiment_options how = {
        .trust = trust, .set = (const char *const *)set, .sets = sets, .foreign = true};
    int code = eex_lua_experiment(out, s->experiment, &how);
    eex_texts_free(set, sets);
    return code;
}

/* ---- its data ---- */

enum { RUN_VERSION = 1 };

typedef struct run_data {
    char *name; /* NULL: the task has no run yet */
    eex_identity made_of;
} run_data;

static void run_data_free(run_data *d)
{
    free(d->name);
    eex_identity_free(&d->made_of);
}

static int use_run(eex_store_file *file, void *context)
{
    run_data *d = context;
    EEX_TRY(eex_store_get_string(&d->name, file, "", "dataset"));
    return eex_identity_load(&d->made_of, file, "");
}

/* What the run of a task is on, begun or done. */
static int read_data(run_data *out, const char *folder, size_t task)
{
    char *path = NULL;
    *out = (run_data){.name = NULL};
    EEX_TRY(eex_sweep_path(&path, folder, "runs", task, "/run.h5"));
    const int code =
        eex_fs_exists(path) ? eex_store_read_file(path, "run", RUN_VERSION, use_run, out) : EEX_OK;
    free(path);
    return code;
}

/* The data are those of another task, where that says which it has of this name. */
static int check_with(bool *told, eex_dataset *data, const char *folder, size_t other)
{
    char whose[64];
    run_data d;
    int code = read_data(&d, folder, other);
    *told = code == EEX_OK && d.name && eex_identity_known(&d.made_of) &&
            strcmp(d.name, eex_dataset_facts(data)->name) == 0;
    snprintf(whose, sizeof whose, "task %zu of this sweep", other);
    if (*told)
        code = eex_identity_check(&d.made_of, data, whose, "the tasks of a sweep are averaged");
    run_data_free(&d);
    return code < 0 ? eex_fail_in(code, "put the sweep's data back, or begin another with --out")
                    : EEX_OK;
}

/* Tasks of one sweep are compared and averaged, so they are on the same data. What was imported
 * anew since is told before this task costs anything. Of data that cannot be opened the run says
 * so, and of its own run whether it may go on; a file of another that is damaged is not asked. */
static int check_data(const eex_sweep *s, const char *folder, size_t task, const char *name)
{
    eex_dataset *data = NULL;
    bool told = false;
    int code = EEX_OK;
    if (eex_dataset_open(&data, name) != EEX_OK)
        return EEX_OK;
    for (size_t t = 0; t < eex_sweep_tasks(s) && !told; t++)
        if (t != task)
            code = check_with(&told, data, folder, t);
    eex_dataset_close(data);
    return told ? code : EEX_OK;
}

/* ---- running ---- */

static int run_experiment(const eex_sweep *s, const char *folder, size_t task,
                          const eex_device_choice *device, bool trust)
{
    char *run = NULL;
    eex_experiment *e = NULL;
    EEX_TRY(check_experiment(s));
    EEX_TRY(read_experiment(&e, s, task, trust));
    int code = eex_sweep_path(&run, folder, "runs", task, "");
    if (code == EEX_OK)
        code = check_data(s, folder, task, e->data.name);
    if (code == EEX_OK) {
        const eex_run_options options = {
            .folder = run, .device = device->name, .threads = (int)device->threads};
        e->seed = s->seed[task % s->seeds];
        code = eex_experiment_run(e, &options);
    }
    eex_experiment_free(e);
    free(run);
    return code;
}

int eex_sweep_check(const eex_sweep *s, bool trust)
{
    for (size_t task = 0; task < eex_sweep_tasks(s); task += s->seeds) {
        eex_experiment *e = NULL;
        char *label = NULL;
        int code = read_experiment(&e, s, task, trust);
        eex_experiment_free(e);
        if (code == EEX_OK)
            continue;
        if (eex_sweep_label(&label, s, task) == EEX_OK)
            eex_fail_in(code, "task %zu (%s)", task, label);
        free(label);
        return code;
    }
    return EEX_OK;
}

static int say(const char *folder, size_t task, int code)
{
    char message[512];
    eex_text_clip(message, sizeof message, eex_error());
    if (code == EEX_OK)
        return eex_task_forget(folder, task);
    return code == EEX_EINTERRUPTED ? eex_task_stopped(folder, task)
                                    : eex_task_failed(folder, task, message);
}

static int work(const eex_sweep *s, const char *folder, size_t task,
                const eex_device_choice *device, bool trust)
{
    eex_lock *lock = NULL;
    if (task >= eex_sweep_tasks(s))
        return eex_fail(EEX_EINVAL, "%s has tasks 0 to %zu, no %zu", folder, eex_sweep_tasks(s) - 1,
                        task);
    EEX_TRY(eex_task_begins(&lock, folder, task));
    int code = open_log(folder, task);
    if (code == EEX_OK)
        code = run_experiment(s, folder, task, device, trust);
    char message[512];
    eex_text_clip(message, sizeof message, eex_error());
    const int said = say(folder, task, code);
    eex_lock_release(lock);
    if (code != EEX_OK)
        return eex_fail(code, "%s", message);
    return said;
}

int eex_sweep_task(const char *folder, size_t task, const eex_device_choice *device, bool trust)
{
    eex_sweep *s = NULL;
    EEX_TRY(eex_sweep_read(&s, folder));
    int code = work(s, folder, task, device, trust);
    eex_sweep_free(s);
    return code;
}
