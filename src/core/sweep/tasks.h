/* What became of a sweep's tasks.
 *
 * DIR/tasks/0007/status is one line, written by whoever runs the task, whole or not at all:
 *
 *     running HOST PID        since it began; who is at work holds the lock of DIR/tasks/0007
 *     stopped                 told to end, and everything is saved
 *     failed MESSAGE
 *
 * A run with a result is done whatever else is there. One that says running while nobody holds its
 * lock was killed: it is lost, and goes on when it is started again, as a stopped one does. What a
 * cluster's queue says of a task does not count. */
#ifndef EEX_CORE_SWEEP_TASKS_H
#define EEX_CORE_SWEEP_TASKS_H

#include "core/sweep/sweep.h"

#include "base/fs.h"
#include "base/names.h"

typedef enum eex_task_state {
    EEX_TASK_WAITING,
    EEX_TASK_RUNNING,
    EEX_TASK_STOPPED,
    EEX_TASK_LOST,
    EEX_TASK_FAILED,
    EEX_TASK_DONE,
    EEX_TASK_STATES
} eex_task_state;

/* "waiting", "running", ... */
const eex_names *eex_task_state_names(void);
const char *eex_task_state_name(eex_task_state state);

typedef struct eex_task {
    eex_task_state state;
    char message[512]; /* of a failure; where one runs */
} eex_task;

/* Looks at one task, or at all of them: (tasks), the caller's. */
int eex_task_look(eex_task *out, const char *folder, size_t task);
int eex_tasks_look(eex_task **out, const eex_sweep *s, const char *folder);

/* Whether starting it would help: waiting, stopped and lost ones, and failed ones with `again`. */
bool eex_task_wanted(const eex_task *task, bool again);

/* Makes the task's folder, locks it and says that it runs; EEX_EBUSY: somebody else runs it. The
 * lock is the caller's to release, once the outcome is said. */
int eex_task_begins(eex_lock **lock, const char *folder, size_t task);
int eex_task_stopped(const char *folder, size_t task);
int eex_task_failed(const char *folder, size_t task, const char *message);
int eex_task_forget(const char *folder,
                    size_t task); /* no line: what the run's folder says counts */

#endif
