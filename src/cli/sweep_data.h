/* The data of a sweep's tasks: all are on the same, or cannot be averaged. */
#ifndef EEX_CLI_SWEEP_DATA_H
#define EEX_CLI_SWEEP_DATA_H

#include "core/sweep/sweep.h"

#include <stddef.h>

/* Of a task that begins: EEX_EINVAL where another task of the sweep, done or begun, is on another
 * content of the data set of that name, before this one costs anything. Otherwise what it is on is
 * written down for those that begin beside it, in DIR/tasks/0007/data.h5: the run says it too, but
 * later. Of data that cannot be opened the run says so. Only for the holder of the task's lock. */
int eex__sweep_data_bind(const eex_sweep *s, const char *folder, size_t task, const char *name);

/* When the task ends: what its run is on the run says, and without one it is on nothing. Leaves the
 * thread's message alone. */
void eex__sweep_data_forget(const char *folder, size_t task);

#endif
