/* Workers of a search (search.workers) as an array job of a Slurm cluster: the search submits it
 * when it hands out candidates, and cancels it in the end. */
#ifndef EEX_CORE_SWEEP_SLURM_WORKERS_H
#define EEX_CORE_SWEEP_SLURM_WORKERS_H

#include "core/run/experiment.h"

/* All is borrowed, and stays while the search works. */
typedef struct eex_slurm_workers {
    const char *name;
    const eex_cluster *cluster; /* `most` counts for nothing: all are wanted at a time */
    const char *device;
    const char *const *word; /* "run", FILE, ..., "--worker", NULL: what the program is told where
                              * this process works */
} eex_slurm_workers;

/* For eex_run_options.starter. The array's files are in RUN/workers, where each task says what it
 * does in worker-N.log. */
eex_worker_starter eex_slurm_starter(const eex_slurm_workers *workers);

#endif
