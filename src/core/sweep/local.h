/* Tasks of a sweep on this machine: so many processes at a time, each the program itself. */
#ifndef EEX_CORE_SWEEP_LOCAL_H
#define EEX_CORE_SWEEP_LOCAL_H

#include "core/sweep/sweep.h"

typedef struct eex_local {
    const char *program; /* NULL: this one */
    const size_t *task;  /* (tasks) which */
    size_t tasks;
    int workers; /* at a time; worker w has device DEVICE:w where that is "cuda" */
    int threads; /* of each; 0: those of the machine, shared out */
    bool trust;  /* handed on */
} eex_local;

typedef struct eex_local_result {
    size_t done, failed, stopped;
} eex_local_result;

/* Runs them, in their order as workers become free. After a signal the tasks are told to
 * end, waited for, and EEX_EINTERRUPTED is returned; what they did is saved. A task that fails is
 * counted and told of, and the others go on. */
int eex_local_run(eex_local_result *out, const eex_sweep *s, const char *folder,
                  const eex_local *how);

#endif
