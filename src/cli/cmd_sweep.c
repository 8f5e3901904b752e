/* eex sweep: one experiment at many points and seeds, here or on a cluster. */
#include "cli/commands.h"
#include "cli/device_options.h"
#include "cli/print_tasks.h"
#include "cli/script_options.h"
#include "cli/sweep_task.h"
#include "core/sweep/local.h"
#include "core/sweep/slurm.h"
#include "core/sweep/slurm_job.h"
#include "core/sweep/tasks.h"
#include "lua/lua_sweep.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/shell.h"
#include "base/status.h"
#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    const char *out;
    int64_t local;
    bool slurm;
    eex_device_choice device;
    bool force, json, trust;
} arguments;

static const arguments defaults = {.device = EEX_DEVICE_CHOICE_INIT};

static const eex_option options[] = {
    EEX_TEXT("out", "DIR", out, "the sweep's folder (sweeps/NAME)"),
    EEX_NUMBER("local", "N", 1, 256, local, "so many runs at a time on this machine (1)"),
    EEX_FLAG("slurm", slurm, "hand the runs to a Slurm cluster, as an array job"),
    EEX_NUMBER("threads", "N", 1, 1024, device.threads, "of each run (all, shared out)"),
    EEX_TEXT("device", "NAME", device.name, "of a task (the sweep's)"),
    EEX_FLAG("force", force, "with collect: replace a results.csv that is no collection"),
    EEX_JSON(json),
    EEX_TRUST(trust, "the files"),
    {0},
};

/* ---- starting tasks ---- */

/* Those that starting would help; *task is the caller's. */
static int choose(size_t **task, size_t *count, const eex_sweep *s, const char *folder, bool again)
{
    eex_task *is = NULL;
    const size_t all = eex_sweep_tasks(s);
    *count = 0;
    *task = malloc((all + 1) * sizeof **task);
    if (!*task)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu tasks", all);
    int code = eex_tasks_look(&is, s, folder);
    for (size_t i = 0; code == EEX_OK && i < all; i++)
        if (eex_task_wanted(&is[i], again))
            (*task)[(*count)++] = i;
    free(is);
    return code;
}

static int run_here(const eex_sweep *s, const char *folder, const arguments *a, const size_t *task,
                    size_t count)
{
    eex_lock *lock = NULL;
    eex_local_result result;
    const eex_local how = {.task = task,
                           .tasks = count,
                           .workers = a->local ? (int)a->local : 1,
                           .threads = (int)a->device.threads,
                           .trust = a->trust};
    EEX_TRY(eex_lock_acquire(&lock, folder));
    int code = eex_local_run(&result, s, folder, &how);
    eex_lock_release(lock);
    return code;
}

/* A sweep of which a task failed has failed, however many are done. */
static int tell_failures(const eex_sweep *s, const char *folder)
{
    eex_task *is = NULL;
    size_t failed = 0;
    char word[EEX_SHELL_WORD];
    EEX_TRY(eex_tasks_look(&is, s, folder));
    for (size_t i = 0; i < eex_sweep_tasks(s); i++)
        failed += is[i].state == EEX_TASK_FAILED;
    free(is);
    return failed
               ? eex_fail(EEX_EIO, "%zu of %zu tasks failed: eex sweep retry %s starts them again",
                          failed, eex_sweep_tasks(s), eex_shell_text(word, folder))
               : EEX_OK;
}

static int start(const eex_sweep *s, const char *folder, const arguments *a, bool again)
{
    size_t *task = NULL, count = 0;
    int code = choose(&task, &count, s, folder, again);
    if (code == EEX_OK && count)
        code = a->slurm ? eex_slurm_submit(s, folder, task, count)
                        : run_here(s, folder, a, task, count);
    free(task);
    EEX_TRY(code);
    EEX_TRY(eex_print_tasks(s, folder, a->json));
    return a->slurm ? EEX_OK : tell_failures(s, folder);
}

/* ---- what can be done with one ---- */

static int check_cluster(const eex_sweep *s, const arguments *a)
{
    return a->slurm && !a->trust ? eex_slurm_check_foreign(&s->cluster, "slurm") : EEX_OK;
}

/* A sweep that was begun goes on with those of its points that can be run. */
static int check_points(const eex_sweep *s, const char *folder, bool trust)
{
    char *path = NULL;
    EEX_TRY(eex_path_join(&path, folder, "sweep.h5"));
    const bool begun = eex_fs_exists(path);
    free(path);
    return eex_sweep_check(s, trust, !begun);
}

static int begin(const char *file, const arguments *a)
{
    eex_sweep *s = NULL;
    char fallback[2 * EEX_SWEEP_TEXT], *real = NULL;
    EEX_TRY(eex_lua_sweep(&s, file, a->trust));
    snprintf(fallback, sizeof fallback, "sweeps/%s", s->name);
    const char *folder = a->out ? a->out : fallback;
    int code = check_points(s, folder, a->trust);
    if (code == EEX_OK)
        code = check_cluster(s, a);
    if (code == EEX_OK)
        code = eex_fs_make_folder(folder);
    if (code == EEX_OK && !(real = realpath(folder, NULL)))
        code = eex_fail(EEX_EIO, "%s: no such folder", folder);
    if (code == EEX_OK)
        code = eex_sweep_write(s, real);
    if (code == EEX_OK) {
        eex_log_info("%s: %zu point%s, %zu seed%s, in %s", s->name, s->points,
                     eex_plural((int64_t)s->points), s->seeds, eex_plural((int64_t)s->seeds),
                     folder);
        code = start(s, real, a, false);
    }
    free(real);
    eex_sweep_free(s);
    return code;
}

static int retry(const eex_sweep *s, const char *folder, const arguments *a)
{
    EEX_TRY(check_cluster(s, a));
    return start(s, folder, a, true);
}

static int status(const eex_sweep *s, const char *folder, const arguments *a)
{
    return eex_print_tasks(s, folder, a->json);
}

/* Whether no task runs or is going to: then a cluster that cancels its job has ended nothing. */
static int is_over(bool *is, const eex_sweep *s, const char *folder)
{
    eex_task *task = NULL;
    EEX_TRY(eex_tasks_look(&task, s, folder));
    *is = true;
    for (size_t t = 0; t < eex_sweep_tasks(s); t++)
        *is = *is && task[t].state != EEX_TASK_RUNNING && !eex_task_wanted(&task[t], false);
    free(task);
    return EEX_OK;
}

/* What runs here is ended by whoever started it. */
static int cancel(const eex_sweep *s, const char *folder, const arguments *a)
{
    size_t jobs = 0;
    bool over = false;
    EEX_TRY(is_over(&over, s, folder));
    EEX_TRY(eex_slurm_cancel(&jobs, folder));
    if (over)
        eex_log_info("there was nothing to cancel: no task runs or waits");
    else
        eex_log_info("%zu %s cancelled; a sweep that runs on this machine is stopped by Ctrl-C",
                     jobs, jobs == 1 ? "job" : "jobs");
    return eex_print_tasks(s, folder, a->json);
}

static int collect(const eex_sweep *s, const char *folder, const arguments *a)
{
    return eex_print_collection(s, folder, a->force, a->json);
}

static const struct {
    const char *name;
    int (*run)(const eex_sweep *s, const char *folder, const arguments *a);
} verbs[] = {{"status", status}, {"retry", retry}, {"cancel", cancel}, {"collect", collect}};

enum { VERBS = sizeof verbs / sizeof *verbs };

static int perform(size_t verb, const char *folder, const arguments *a)
{
    eex_sweep *s = NULL;
    char *real = realpath(folder, NULL);
    if (!real)
        return eex_fail(EEX_ENOTFOUND, "there is no folder \"%s\"", folder);
    int code = eex_sweep_read(&s, real);
    if (code == EEX_OK)
        code = verbs[verb].run(s, real, a);
    eex_sweep_free(s);
    free(real);
    return code;
}

static int task(const arguments *a, const eex_words *words)
{
    char *end;
    const unsigned long number = strtoul(words->at[2], &end, 10);
    if (end == words->at[2] || *end)
        return eex_fail(EEX_EINVAL, "eex sweep task DIR N: the number of a task, got \"%s\"",
                        words->at[2]);
    return eex_sweep_task(words->at[1], (size_t)number, &a->device, a->trust);
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    if (strcmp(words->at[0], "task") == 0 && words->count == 3)
        return task(a, words);
    for (size_t i = 0; i < VERBS; i++)
        if (strcmp(words->at[0], verbs[i].name) == 0 && words->count == 2)
            return perform(i, words->at[1], a);
    if (words->count > 1)
        return eex_fail(EEX_EINVAL,
                        "eex sweep FILE.lua, or one of status, retry, cancel and collect with the "
                        "sweep's folder, got \"%s %s\"",
                        words->at[0], words->at[1]);
    return begin(words->at[0], a);
}

static int check(void *given, const eex_words *words)
{
    const arguments *a = given;
    if (a->slurm && a->local)
        return eex_fail(EEX_EINVAL, "--local and --slurm: one of them");
    if (a->force && strcmp(words->at[0], "collect") != 0)
        return eex_fail(EEX_EINVAL, "--force goes with collect");
    return EEX_OK;
}

const eex_cmd eex_cmd_sweep = {
    .name = "sweep",
    .brief = "run an experiment at many points and seeds",
    .synopsis = "FILE.lua | status|retry|cancel|collect DIR",
    .summary = "Runs the experiment that FILE.lua names at all its points and seeds, each in a\n"
               "folder of its own; tells what became of them; starts those again that failed;\n"
               "cancels a cluster's jobs; or collects the results in DIR/results.csv and .h5.",
    .details = "The same command goes on after Ctrl-C or a lost machine; runs that are done stay.\n"
               "On a cluster it only submits: eex sweep status DIR says how far they are.\n"
               "docs/sweeps.md has the file's fields.",
    .words = {1, 3},
    .takes = {sizeof(arguments), &defaults, options},
    .check = check,
    .run = run,
};
