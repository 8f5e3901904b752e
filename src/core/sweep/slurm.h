/* Tasks of a sweep on a Slurm cluster: an array job, one task of it a run.
 *
 * DIR/slurm.sh is the script, for people to read; DIR/slurm.jobs has a line for each array that was
 * submitted. What became of the tasks is in DIR/tasks (tasks.h), whatever the queue says or has
 * forgotten. A task that is told of its time limit saves and is put back into the queue. */
#ifndef EEX_CORE_SWEEP_SLURM_H
#define EEX_CORE_SWEEP_SLURM_H

#include "core/sweep/sweep.h"

#include "base/buffer.h"

enum { EEX_SLURM_ARRAY = 1000 }; /* indices of one array that every cluster takes */

/* The script; `program` is run as "PROGRAM sweep task DIR N". */
void eex_slurm_script(eex_buffer *out, const eex_sweep *s, const char *folder, const char *program);

/* "0-3,7" of ascending numbers, each less `offset`. */
void eex_slurm_ranges(eex_buffer *out, const size_t *task, size_t count, size_t offset);

/* Writes the script and submits these tasks, ascending, with sbatch: as many arrays as it takes. On
 * failure those that were submitted stay, and are in DIR/slurm.jobs. EEX_ENOTFOUND: there is no
 * sbatch. */
int eex_slurm_submit(const eex_sweep *s, const char *folder, const size_t *task, size_t count);

/* Cancels every array in DIR/slurm.jobs with scancel; *count of them. What runs is told to end,
 * saves, and is not put back. */
int eex_slurm_cancel(size_t *count, const char *folder);

#endif
