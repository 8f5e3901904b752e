#include "core/sweep/tasks.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_LINE = 1 << 16, HOST = 64 };

EEX_NAMES(eex_task_state, eex_task_state, EEX_TASK_STATES, [EEX_TASK_WAITING] = "waiting",
          [EEX_TASK_RUNNING] = "running", [EEX_TASK_STOPPED] = "stopped", [EEX_TASK_LOST] = "lost",
          [EEX_TASK_FAILED] = "failed", [EEX_TASK_DONE] = "done");

/* ---- looking ---- */

static int has(bool *out, const char *folder, const char *name)
{
    char *path = NULL;
    EEX_TRY(eex_path_join(&path, folder, name));
    *out = eex_fs_exists(path);
    free(path);
    return EEX_OK;
}

/* Whether somebody is at work on the task whose folder this is. */
static bool is_locked(const char *folder)
{
    eex_lock *lock = NULL;
    const int code = eex_lock_acquire(&lock, folder);
    if (code == EEX_OK)
        eex_lock_release(lock);
    return code == EEX_EBUSY;
}

static void read_line(eex_task *out, const char *own, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "failed ", 7) == 0) {
        out->state = EEX_TASK_FAILED;
        snprintf(out->message, sizeof out->message, "%s", line + 7);
    } else if (strcmp(line, "stopped") == 0) {
        out->state = EEX_TASK_STOPPED;
    } else if (strncmp(line, "running ", 8) == 0) {
        out->state = is_locked(own) ? EEX_TASK_RUNNING : EEX_TASK_LOST;
        snprintf(out->message, sizeof out->message, "%s", line + 8);
    }
}

static int look(eex_task *out, const char *run, const char *own)
{
    bool done = false;
    char *line = NULL, *status = NULL;
    EEX_TRY(has(&done, run, "result.h5"));
    if (done) {
        out->state = EEX_TASK_DONE;
        return EEX_OK;
    }
    EEX_TRY(eex_path_join(&status, own, "status"));
    const int code = eex_fs_read(&line, NULL, status, MAX_LINE);
    if (code == EEX_OK)
        read_line(out, own, line);
    free(line);
    free(status);
    return code == EEX_ENOTFOUND ? EEX_OK : code;
}

int eex_task_look(eex_task *out, const char *folder, size_t task)
{
    char *run = NULL, *own = NULL;
    *out = (eex_task){.state = EEX_TASK_WAITING};
    int code = eex_sweep_path(&run, folder, "runs", task, "");
    if (code == EEX_OK)
        code = eex_sweep_path(&own, folder, "tasks", task, "");
    if (code == EEX_OK)
        code = look(out, run, own);
    free(run);
    free(own);
    return code;
}

int eex_tasks_look(eex_task **out, const eex_sweep *s, const char *folder)
{
    const size_t count = eex_sweep_tasks(s);
    eex_task *task = calloc(count, sizeof *task);
    int code = task ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for %zu tasks", count);
    for (size_t i = 0; i < count && code == EEX_OK; i++)
        code = eex_interrupted() ? eex_fail(EEX_EINTERRUPTED, "interrupted")
                                 : eex_task_look(&task[i], folder, i);
    if (code != EEX_OK) {
        free(task);
        return code;
    }
    *out = task;
    return EEX_OK;
}

bool eex_task_wanted(const eex_task *task, bool again)
{
    switch (task->state) {
    case EEX_TASK_WAITING:
    case EEX_TASK_STOPPED:
    case EEX_TASK_LOST:
        return true;
    case EEX_TASK_FAILED:
        return again;
    default:
        return false;
    }
}

/* ---- writing ---- */

/* Also of one whose process ended before it had made its folder. */
static int write_line(const char *folder, size_t task, const eex_buffer *line)
{
    char *own = NULL, *status = NULL;
    EEX_TRY(eex_buffer_status(line));
    int code = eex_sweep_path(&own, folder, "tasks", task, "");
    if (code == EEX_OK)
        code = eex_fs_make_folder(own);
    if (code == EEX_OK)
        code = eex_path_join(&status, own, "status");
    if (code == EEX_OK)
        code = eex_fs_write(status, eex_buffer_text(line), line->size);
    free(own);
    free(status);
    return code;
}

static int say(const char *folder, size_t task, const char *text)
{
    eex_buffer line = EEX_BUFFER_INIT;
    eex_buffer_printf(&line, "%s\n", text);
    int code = write_line(folder, task, &line);
    eex_buffer_free(&line);
    return code;
}

int eex_task_begins(eex_lock **lock, const char *folder, size_t task)
{
    char host[HOST] = "?", text[2 * HOST], *own = NULL;
    *lock = NULL;
    EEX_TRY(eex_sweep_path(&own, folder, "tasks", task, ""));
    int code = eex_fs_make_folder(own);
    if (code == EEX_OK)
        code = eex_lock_acquire(lock, own);
    free(own);
    EEX_TRY(code);
    gethostname(host, sizeof host - 1);
    snprintf(text, sizeof text, "running %s %ld", host, (long)getpid());
    return say(folder, task, text);
}

int eex_task_stopped(const char *folder, size_t task)
{
    return say(folder, task, "stopped");
}

int eex_task_failed(const char *folder, size_t task, const char *message)
{
    eex_buffer line = EEX_BUFFER_INIT;
    eex_buffer_printf(&line, "failed %.*s\n", (int)strcspn(message, "\n"), message);
    int written = write_line(folder, task, &line);
    eex_buffer_free(&line);
    return written;
}

int eex_task_forget(const char *folder, size_t task)
{
    char *status = NULL;
    EEX_TRY(eex_sweep_path(&status, folder, "tasks", task, "/status"));
    int code = eex_fs_remove_tree(status);
    free(status);
    return code;
}
