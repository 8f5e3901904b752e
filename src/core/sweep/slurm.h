/* Tasks of a sweep on a Slurm cluster: array jobs (slurm_job.h) of the sweep's folder, one task of
 * them a run. What became of the tasks is in DIR/tasks (tasks.h), whatever the queue says or has
 * forgotten. */
#ifndef EEX_CORE_SWEEP_SLURM_H
#define EEX_CORE_SWEEP_SLURM_H

#include "core/sweep/slurm_job.h"
#include "core/sweep/sweep.h"

/* "0-3,7" of ascending numbers, each less `offset`. */
void eex_slurm_ranges(eex_buffer *out, const size_t *task, size_t count, size_t offset);

/* Writes the script, whose tasks run "eex sweep task DIR N", and submits these, ascending, with
 * sbatch: as many arrays as it takes. On failure those that were submitted stay, and are in
 * DIR/slurm.jobs. EEX_ENOTFOUND: there is no sbatch. */
int eex_slurm_submit(const eex_sweep *s, const char *folder, const size_t *task, size_t count);

#endif
