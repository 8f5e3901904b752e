#include "cli/sweep_task.h"

#include "cli/sweep_data.h"
#include "core/run/experiment.h"
#include "core/run/run_search.h"
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
        code = eex__sweep_data_bind(s, folder, task, e->data.name);
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

int eex_sweep_check(const eex_sweep *s, bool trust, bool searches)
{
    for (size_t task = 0; task < eex_sweep_tasks(s); task += s->seeds) {
        eex_experiment *e = NULL;
        char *label = NULL;
        int code = read_experiment(&e, s, task, trust);
        if (code == EEX_OK && searches)
            code = eex_search_check_early(e);
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
    eex__sweep_data_forget(folder, task);
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
