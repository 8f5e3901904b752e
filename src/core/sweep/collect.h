/* What the runs of a sweep have found, in one table: each task, and means over the seeds of each
 * point with their 95 % intervals (Student's t, of runs that are done). A point whose runs are on
 * different data, by their fingerprints, has none: those are figures of other images. */
#ifndef EEX_CORE_SWEEP_COLLECT_H
#define EEX_CORE_SWEEP_COLLECT_H

#include "core/report/report.h"
#include "core/sweep/tasks.h"

#include "base/buffer.h"

/* Figures of a run's result; those of the test split are told apart by their names. */
typedef enum eex_figure {
    EEX_FIGURE_ACCURACY,   /* of the network with exits, test split */
    EEX_FIGURE_MACS,       /* expected of one input, every executed gate charged */
    EEX_FIGURE_VALIDATION, /* accuracy that the search saw, validation split */
    EEX_FIGURE_BASE_ACCURACY,
    EEX_FIGURE_BASE_MACS,
    EEX_FIGURE_SPEEDUP,
    EEX_FIGURE_CUT,            /* fraction of the MACs saved against its cuts, test split */
    EEX_FIGURE_VALIDATION_CUT, /* the same, validation split */
    EEX_FIGURE_SECONDS,        /* of work */
    EEX_FIGURES
} eex_figure;

/* What tables say of EEX_FIGURE_CUT, which they show with the other sign: what is computed more. */
#define EEX_AGAINST_CUT                                                                            \
    "against cut: MACs on the test split beyond those of the network cut after one of its exits, " \
    "at the same accuracy (below 0: saved)."

/* What is said of a collection whose data have changed between its tasks. */
#define EEX_OTHER_DATA                                                                          \
    "the sweep's runs are not all on the same data, by their fingerprints: a point whose runs " \
    "are "                                                                                      \
    "on different data has no mean, and points on different data cannot be compared"

/* "test_accuracy", "macs", ...: as columns are called in files. */
const eex_names *eex_figure_names(void);
const char *eex_figure_name(eex_figure figure);

/* Those of one run; NaN where it has not come so far. */
void eex_figures_of(double figure[EEX_FIGURES], const eex_report *report);

typedef struct eex_mean {
    size_t count;
    double mean, low, high; /* NaN: nothing to say it from, or nothing that has a mean; low and high
                             * from two on */
    double deviation;       /* standard deviation of the values, from two on */
} eex_mean;

/* The data that a task's run is on. */
typedef struct eex_collected_data {
    char fingerprint[EEX_FINGERPRINT]; /* "": not done, or not known: a run of before */
    char *name;                        /* NULL: not done */
} eex_collected_data;

typedef struct eex_collection {
    const eex_sweep *sweep;   /* borrowed */
    eex_task *task;           /* (tasks) */
    double *figure;           /* (tasks, EEX_FIGURES), NaN where a task is not done */
    eex_collected_data *data; /* (tasks) */
    eex_mean *mean;           /* (points, EEX_FIGURES) */
} eex_collection;

/* Whether runs of a point are on different data, so that it has no means; and whether any two runs
 * of the sweep are on different contents of one data set, as where it was imported anew midway. */
bool eex_collection_mixed(const eex_collection *c, size_t point);
bool eex_collection_changed(const eex_collection *c);

/* Reads every run that is done; one that cannot be read is warned of and counts as failed. */
int eex_collect(eex_collection *out, const eex_sweep *s, const char *folder);
void eex_collection_free(eex_collection *c);

/* Of `count` values, NaN left out. */
eex_mean eex_mean_of(const double *value, size_t count);

/* As files: a line a task with the point's mean and interval behind it, and kind "collection". */
void eex_collection_csv(eex_buffer *out, const eex_collection *c);

/* Whether a text is such a CSV, of whatever sweep and version: its line of titles says so. */
bool eex_collection_is_csv(const char *text);
int eex_collection_write(const eex_collection *c, const char *path);

#endif
