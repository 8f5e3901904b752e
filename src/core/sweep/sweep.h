/* Sweeps: one experiment, run at many points and seeds, each in a folder of its own.
 *
 *     DIR/sweep.h5         what the sweep is: written before anything runs, never changed
 *     DIR/runs/0007/       the run of task 7, like any other
 *     DIR/tasks/0007/      what became of it, status, and what it said, log: see tasks.h; while it
 *                          runs, which data it is on, data.h5: see cli/sweep_data.h
 *
 * Task t is point t / seeds with seed t % seeds. */
#ifndef EEX_CORE_SWEEP_SWEEP_H
#define EEX_CORE_SWEEP_SWEEP_H

#include "core/run/cluster.h"
#include "core/sweep/axes.h"

enum { EEX_SWEEP_TEXT = 200, EEX_SWEEP_VERSION = 1, EEX_SWEEP_TASKS = 1 << 18 /* at most */ };

typedef struct eex_sweep {
    char name[EEX_SWEEP_TEXT];
    char *experiment;      /* absolute path of its file */
    char *experiment_text; /* what was in it when the sweep began */
    char *device;          /* "cpu", "cuda" */
    char **fixed;          /* (fixeds) "path=value", of all points */
    size_t fixeds;
    size_t fields;
    char **field; /* (fields) paths */
    size_t points;
    char **value; /* (points, fields) as --set takes them */
    size_t seeds;
    uint64_t *seed; /* (seeds) */
    eex_cluster cluster;
} eex_sweep;

void eex_sweep_free(eex_sweep *sweep); /* accepts NULL */

static inline size_t eex_sweep_tasks(const eex_sweep *s)
{
    return s->points * s->seeds;
}

/* EEX_EINVAL where they are more than EEX_SWEEP_TASKS: each has a row in memory, and is looked for
 * in the folder. */
int eex_sweep_check_tasks(const eex_sweep *s);

/* "path=value" of task t, for --set: its fixed ones, then its point's. Borrowed texts are made into
 * *out, which is the caller's with all of them: *count of them. */
int eex_sweep_sets(char ***out, size_t *count, const eex_sweep *s, size_t task);

/* "training.lr=0.1, seed 2": what tells a task from the others. The caller's. */
int eex_sweep_label(char **out, const eex_sweep *s, size_t task);

/* The file of a sweep's folder. Writing refuses a folder that has another sweep with EEX_EINVAL,
 * naming what differs, and leaves one that has the same. */
int eex_sweep_write(const eex_sweep *s, const char *folder);
int eex_sweep_read(eex_sweep **out, const char *folder);

/* DIR/KIND/0007TAIL, the caller's. */
int eex_sweep_path(char **out, const char *folder, const char *kind, size_t task, const char *tail);

#endif
