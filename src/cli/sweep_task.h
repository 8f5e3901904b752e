/* One task of a sweep, in a process of its own: what workers and a cluster's jobs run. */
#ifndef EEX_CLI_SWEEP_TASK_H
#define EEX_CLI_SWEEP_TASK_H

#include "cli/device_options.h"
#include "core/sweep/sweep.h"

/* Whether the experiment can be read at every point: before anything runs. Names the first that it
 * cannot. `searches`: and can be searched as it says (core/run/run_search.h). */
int eex_sweep_check(const eex_sweep *s, bool trust, bool searches);

/* Runs it and writes down its outcome (core/sweep/tasks.h); what it says goes to its log. Returns
 * what the run did. */
int eex_sweep_task(const char *folder, size_t task, const eex_device_choice *device, bool trust);

#endif
