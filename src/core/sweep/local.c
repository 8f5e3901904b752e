#include "core/sweep/local.h"

#include "core/sweep/tasks.h"

#include "base/log.h"
#include "base/processors.h"
#include "base/progress.h"
#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TEXT = 64, POLL_MS = 100 };

typedef struct worker {
    pid_t child; /* 0: free */
    size_t task;
} worker;

typedef struct pool {
    const eex_sweep *s;
    const char *folder;
    const eex_local *how;
    worker *worker;
    size_t next; /* of how->task */
    int busy;
    bool told; /* to end */
    eex_local_result *result;
} pool;

/* ---- starting ---- */

static int threads_of(const pool *p)
{
    const int all = eex_processors();
    if (p->how->threads)
        return p->how->threads;
    return all > p->how->workers ? all / p->how->workers : 1;
}

static void become(const pool *p, int w, size_t task)
{
    char number[TEXT], threads[TEXT], device[2 * TEXT], folder[PATH_MAX];
    char self[] = "/proc/self/exe", name[] = "eex", sweep[] = "sweep", verb[] = "task",
         with_device[] = "--device", with_threads[] = "--threads", with_trust[] = "--trust";
    snprintf(folder, sizeof folder, "%s", p->folder);
    snprintf(number, sizeof number, "%zu", task);
    snprintf(threads, sizeof threads, "%d", threads_of(p));
    if (strcmp(p->s->device, "cuda") == 0)
        snprintf(device, sizeof device, "cuda:%d", w);
    else
        snprintf(device, sizeof device, "%s", p->s->device);
    char *const arguments[] = {
        name,        sweep,  verb,         folder,  number,
        with_device, device, with_threads, threads, p->how->trust ? with_trust : NULL,
        NULL};
    execv(p->how->program ? p->how->program : self, arguments);
    _exit(127);
}

static int start(pool *p, int w, size_t task)
{
    EEX_TRY(eex_task_forget(p->folder, task));
    const pid_t sweep = getpid();
    const pid_t child = eex_signals_fork();
    if (child < 0)
        return eex_fail(EEX_EIO, "cannot start task %zu: %s", task, strerror(errno));
    if (child == 0) {
        setpgid(0, 0); /* Ctrl-C comes to the sweep alone, which tells its tasks */
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* where it dies, they are told too */
        if (getppid() != sweep)
            _exit(126);
        become(p, w, task);
    }
    p->worker[w] = (worker){child, task};
    p->busy++;
    return EEX_OK;
}

static int start_more(pool *p)
{
    for (int w = 0; w < p->how->workers && p->next < p->how->tasks; w++)
        if (p->worker[w].child == 0)
            EEX_TRY(start(p, w, p->how->task[p->next++]));
    return EEX_OK;
}

/* ---- ending ---- */

/* What a process that could not say anything itself has come to. */
static int note_death(const pool *p, size_t task, int status)
{
    char message[TEXT];
    if (WIFSIGNALED(status))
        snprintf(message, sizeof message, "ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(message, sizeof message, "ended with status %d and said nothing",
                 WEXITSTATUS(status));
    return eex_task_failed(p->folder, task, message);
}

/* One that was told to end before it could do so by itself has not failed: it goes on as one that
 * was lost, or never begun, does. */
static bool ended_as_told(const pool *p, int status)
{
    return p->told && ((WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) ||
                       (WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGINT));
}

static int note(pool *p, size_t task, int status)
{
    eex_task is;
    char *label = NULL;
    EEX_TRY(eex_task_look(&is, p->folder, task));
    if ((is.state == EEX_TASK_LOST || is.state == EEX_TASK_WAITING) && !ended_as_told(p, status)) {
        EEX_TRY(note_death(p, task, status));
        EEX_TRY(eex_task_look(&is, p->folder, task));
    }
    EEX_TRY(eex_sweep_label(&label, p->s, task));
    p->result->done += is.state == EEX_TASK_DONE;
    p->result->stopped += is.state == EEX_TASK_STOPPED;
    p->result->failed += is.state == EEX_TASK_FAILED;
    if (is.state == EEX_TASK_FAILED)
        eex_log_warn("task %zu (%s) failed: %s", task, label, is.message);
    else
        eex_log_info("task %zu (%s): %s", task, label, eex_task_state_name(is.state));
    free(label);
    return EEX_OK;
}

static int reap(pool *p)
{
    for (int w = 0; w < p->how->workers; w++) {
        int status = 0;
        if (p->worker[w].child == 0 || waitpid(p->worker[w].child, &status, WNOHANG) <= 0)
            continue;
        p->worker[w].child = 0;
        p->busy--;
        EEX_TRY(note(p, p->worker[w].task, status));
        eex_progress_update(p->result->done + p->result->failed, "%zu failed", p->result->failed);
    }
    return EEX_OK;
}

static void tell_all(pool *p)
{
    for (int w = 0; w < p->how->workers; w++)
        if (p->worker[w].child)
            kill(p->worker[w].child, SIGTERM);
    p->told = true;
}

/* Whatever happens, nobody is left behind. */
static int run_all(pool *p)
{
    int code = EEX_OK;
    do {
        if (!p->told && code == EEX_OK && !eex_interrupted())
            code = start_more(p);
        if (!p->told && (code != EEX_OK || eex_interrupted()))
            tell_all(p);
        const struct timespec moment = {.tv_nsec = POLL_MS * 1000000L};
        if (p->busy)
            nanosleep(&moment, NULL);
        const int reaped = reap(p);
        code = code == EEX_OK ? reaped : code;
    } while (p->busy || (!p->told && code == EEX_OK && p->next < p->how->tasks));
    return code;
}

int eex_local_run(eex_local_result *out, const eex_sweep *s, const char *folder,
                  const eex_local *how)
{
    pool p = {.s = s, .folder = folder, .how = how, .result = out};
    *out = (eex_local_result){0};
    p.worker = calloc((size_t)how->workers, sizeof *p.worker);
    if (!p.worker)
        return eex_fail(EEX_ENOMEM, "out of memory for %d workers", how->workers);
    eex_progress_begin("sweep", how->tasks, "tasks");
    int code = run_all(&p);
    eex_progress_end();
    free(p.worker);
    if (code == EEX_OK && p.told)
        code = eex_fail(EEX_EINTERRUPTED,
                        "interrupted: what the tasks did is saved in %s; the same command goes on",
                        folder);
    return code;
}
