#include "core/sweep/slurm_workers.h"

#include "core/sweep/slurm_job.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT = 64, MESSAGE = 2048 };

static int remove_jobs(const char *folder)
{
    char *path = NULL;
    EEX_TRY(eex_path_join(&path, folder, "slurm.jobs"));
    int code = eex_fs_remove_file(path);
    free(path);
    return code;
}

/* Of a search that was killed. */
static int end_earlier(const char *folder)
{
    char *jobs = NULL;
    size_t count;
    EEX_TRY(eex_slurm_jobs(&jobs, folder));
    const bool any = *jobs;
    free(jobs);
    if (any && eex_slurm_cancel(&count, folder) < 0)
        eex_log_warn("workers of the search before: %s", eex_error());
    return any ? remove_jobs(folder) : EEX_OK;
}

static int submit(const eex_slurm_workers *w, const char *folder, int count)
{
    char begin[PATH_MAX], number[EEX_SLURM_NUMBER], array[TEXT], *script = NULL;
    if (!getcwd(begin, sizeof begin))
        return eex_fail(EEX_EIO, "cannot tell where this is: %s", strerror(errno));
    const eex_slurm_job job = {.name = w->name,
                               .cluster = w->cluster,
                               .table = "search.slurm",
                               .folder = folder,
                               .begin = begin,
                               .log = "worker-%a.log",
                               .about = "Each task of the array is a worker of one search: it "
                                        "judges candidates until that is over.",
                               .word = w->word,
                               .device = w->device};
    snprintf(array, sizeof array, "--array=1-%d", count);
    int code = eex_slurm_job_write(&script, &job);
    if (code == EEX_OK)
        code = eex_slurm_job_submit(number, script, folder, array, "--export=ALL", "workers");
    if (code == EEX_OK)
        eex_log_info("submitted %d worker%s as job %s: %s", count, eex_plural(count), number,
                     script);
    free(script);
    return code;
}

static int start(const void *context, const char *folder, int count)
{
    char real[PATH_MAX];
    if (!realpath(folder, real))
        return eex_fail(EEX_EIO, "%s: %s", folder, strerror(errno));
    EEX_TRY(end_earlier(real));
    return submit(context, real, count);
}

static void tell(eex_buffer *out, const void *context, const char *folder)
{
    char *jobs = NULL;
    if (eex_slurm_jobs(&jobs, folder) < 0) {
        eex_buffer_puts(out, eex_error());
        return;
    }
    eex_buffer_printf(out,
                      "job %.*s waits in the queue, or is over; what its tasks have said is in "
                      "%s/worker-N.log. sbatch --array=1-N %s/slurm.sh submits more, and this "
                      "command with --worker in the place of --slurm is one",
                      (int)strcspn(jobs, " "), jobs, folder, folder);
    free(jobs);
}

/* What had gone wrong before is what is to be said in the end. */
static void stop(const void *context, const char *folder)
{
    char message[MESSAGE];
    size_t count;
    snprintf(message, sizeof message, "%s", eex_error());
    int code = eex_slurm_cancel(&count, folder);
    if (code == EEX_OK)
        code = remove_jobs(folder);
    if (code < 0)
        eex_log_warn("workers that are not wanted any more: %s", eex_error());
    eex_fail(EEX_OK, "%s", message);
}

eex_worker_starter eex_slurm_starter(const eex_slurm_workers *workers)
{
    return (eex_worker_starter){.context = workers, .start = start, .tell = tell, .stop = stop};
}
