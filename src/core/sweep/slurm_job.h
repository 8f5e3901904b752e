/* Array jobs of a Slurm cluster: the script, for people to read, and what the cluster is asked: to
 * run it, and to cancel. What becomes of the tasks is in folders that they write themselves.
 *
 *     FOLDER/slurm.sh           the script
 *     FOLDER/slurm.jobs         a line for each array that was submitted: number, and what it is
 *     FOLDER/cancelled.NUMBER   who of that job is told to end does not come again
 *
 * A task that is told of its time limit saves and is put back into the queue. */
#ifndef EEX_CORE_SWEEP_SLURM_JOB_H
#define EEX_CORE_SWEEP_SLURM_JOB_H

#include "core/run/cluster.h"

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

enum { EEX_SLURM_ARRAY = 1000, EEX_SLURM_NUMBER = 64 }; /* indices that every cluster takes */

/* All is borrowed. */
typedef struct eex_slurm_job {
    const char *name;
    const eex_cluster *cluster;
    const char *table;       /* what messages call the cluster: "slurm", "search.slurm" */
    const char *folder;      /* absolute */
    const char *begin;       /* where tasks begin; NULL: where sbatch was called */
    const char *log;         /* file in the folder, of what tasks say: "%a" is a task's number */
    const char *about;       /* a line of comment */
    const char *const *word; /* behind the program: its arguments, NULL-ended */
    const char *number;      /* one more, as the shell calculates it; NULL: none */
    const char *device;
} eex_slurm_job;

/* The script; `program` is run as "PROGRAM WORD... NUMBER --device DEVICE --threads N". */
void eex_slurm_job_script(eex_buffer *out, const eex_slurm_job *job, const char *program);

/* Whether a text is such a script. */
bool eex_slurm_is_script(const char *text);

/* EEX_EINVAL for lines of shell in it, which a file that may be somebody else's had in `table`. */
int eex_slurm_check_foreign(const eex_cluster *cluster, const char *table);

/* Before there is a job: EEX_EINVAL as below, EEX_ENOTFOUND where there is no sbatch. */
int eex_slurm_check(const eex_cluster *cluster, const char *table);

/* Writes the script, whose path is the caller's. EEX_EINVAL where a text that goes into one line
 * has several, or where a file of that name is there that is no such script. */
int eex_slurm_job_write(char **script, const eex_slurm_job *job);

/* Submits it with these options of sbatch, and notes it: "NUMBER WHAT". EEX_EFORMAT: sbatch has not
 * said which number it has. */
int eex_slurm_job_submit(char number[EEX_SLURM_NUMBER], const char *script, const char *folder,
                         const char *array, const char *exports, const char *what);

/* The lines of FOLDER/slurm.jobs, the caller's; "" where there are none. */
int eex_slurm_jobs(char **out, const char *folder);

/* Of these jobs of FOLDER the last one to which this task of a sweep was given, and which was not
 * cancelled; "": none. It may have ended long ago: the queue is not asked. */
int eex_slurm_job_of(char number[EEX_SLURM_NUMBER], const char *jobs, const char *folder,
                     size_t task);

/* Cancels every job of the folder with scancel; *count of them. What runs is told to end, saves,
 * and is not put back. One that the queue has forgotten is over, and does not count. Where one
 * cannot be cancelled, or its line has no number, that is warned of, the others are, and EEX_EIO
 * says so in the end. */
int eex_slurm_cancel(size_t *count, const char *folder);

#endif
