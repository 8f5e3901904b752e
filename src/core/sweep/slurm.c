#include "core/sweep/slurm.h"

#include "core/sweep/tasks.h"

#include "base/log.h"
#include "base/shell.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT = 64 };

typedef struct sweep_job {
    const char *word[4];
    eex_slurm_job job;
} sweep_job;

static void make_job(sweep_job *out, const eex_sweep *s, const char *folder)
{
    *out = (sweep_job){.word = {"sweep", "task", folder, NULL},
                       .job = {.name = s->name,
                               .cluster = &s->cluster,
                               .table = "slurm",
                               .folder = folder,
                               .log = "slurm.log", /* what the script itself says, of all tasks */
                               .about = "Each task of the array is one run; its outcome and what "
                                        "it says are in tasks/NNNN.",
                               .word = out->word,
                               .number = "$((SLURM_ARRAY_TASK_ID + ${EEX_SWEEP_OFFSET:-0}))",
                               .device = s->device}};
}

void eex_slurm_ranges(eex_buffer *out, const size_t *task, size_t count, size_t offset)
{
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && task[end] == task[end - 1] + 1;)
            end++;
        eex_buffer_printf(out, "%s%zu", i ? "," : "", task[i] - offset);
        if (end > i + 1)
            eex_buffer_printf(out, "-%zu", task[end - 1] - offset);
    }
}

static int submit_array(const eex_sweep *s, const char *folder, const char *script,
                        const size_t *task, size_t count, size_t offset)
{
    char number[EEX_SLURM_NUMBER], most[TEXT] = "", exports[TEXT], what[TEXT];
    eex_buffer array = EEX_BUFFER_INIT;
    if (s->cluster.most)
        snprintf(most, sizeof most, "%%%d", s->cluster.most);
    eex_buffer_puts(&array, "--array=");
    eex_slurm_ranges(&array, task, count, offset);
    eex_buffer_puts(&array, most);
    snprintf(exports, sizeof exports, "--export=ALL,EEX_SWEEP_OFFSET=%zu", offset);
    snprintf(what, sizeof what, "tasks %zu to %zu", task[0], task[count - 1]);
    int code = eex_buffer_status(&array);
    if (code == EEX_OK)
        code = eex_slurm_job_submit(number, script, folder, array.data, exports, what);
    if (code == EEX_OK)
        eex_log_info("submitted %zu tasks as job %s", count, number);
    eex_buffer_free(&array);
    return code;
}

/* What has failed has ended; anything else of an earlier job may still be waiting in the queue. Who
 * gets to it first does it, and for the other one there is nothing left to do. */
static int warn_of_earlier(const char *folder, const size_t *task, size_t count)
{
    char number[EEX_SLURM_NUMBER], job[EEX_SLURM_NUMBER] = "", word[EEX_SHELL_WORD], *jobs = NULL;
    size_t again = 0;
    int code = eex_slurm_jobs(&jobs, folder);
    for (size_t i = 0; i < count && code == EEX_OK; i++) {
        eex_task is;
        code = eex_task_look(&is, folder, task[i]);
        if (code == EEX_OK)
            code = eex_slurm_job_of(number, jobs, folder, task[i]);
        if (code < 0 || is.state == EEX_TASK_FAILED || !*number)
            continue;
        again++;
        snprintf(job, sizeof job, "%s", number);
    }
    free(jobs);
    EEX_TRY(code);
    if (again)
        eex_log_warn(
            "%zu of these tasks were submitted before, the last of them as job %s, and may "
            "still be queued: now they are so twice, unless that job is over (eex sweep "
            "cancel %s cancels them all)",
            again, job, eex_shell_text(word, folder));
    return EEX_OK;
}

int eex_slurm_submit(const eex_sweep *s, const char *folder, const size_t *task, size_t count)
{
    sweep_job made;
    char *script = NULL;
    EEX_TRY(warn_of_earlier(folder, task, count));
    make_job(&made, s, folder);
    int code = eex_slurm_job_write(&script, &made.job);
    for (size_t i = 0, end; i < count && code == EEX_OK; i = end) {
        const size_t offset = task[i] / EEX_SLURM_ARRAY * EEX_SLURM_ARRAY;
        for (end = i + 1; end < count && task[end] < offset + EEX_SLURM_ARRAY;)
            end++;
        code = submit_array(s, folder, script, task + i, end - i, offset);
    }
    free(script);
    return code;
}
