/* A run in progress: shared by the run_*.c files, one a phase, and the judges.
 *
 * Each phase leaves its files in the run's folder (phase.h) when it is complete, and does nothing
 * when they are there already; docs/store-format.md says what is in them. What a phase chooses
 * never depends on a time measured twice: latency tables are measured once, stored, and read from
 * then on. */
#ifndef EEX_CORE_RUN_RUN_H
#define EEX_CORE_RUN_RUN_H

#include "core/data/dataset.h"
#include "core/data/split.h"
#include "core/engine/engine.h"
#include "core/model/model.h"
#include "core/run/experiment.h"
#include "core/run/phase.h"
#include "core/run/run_files.h"
#include "core/run/run_training.h"
#include "core/run/structure.h"
#include "core/run/trials.h"

enum { EEX_RUN_VERSION = 1 }; /* of every file of a run */

typedef struct eex_lock eex_lock;

typedef struct eex_run {
    const eex_experiment *e;
    const eex_run_options *options;
    eex_lock *lock;
    char *made;    /* the uppermost folder that was made for it, or NULL */
    bool finished; /* when it was begun: nothing is written */
    bool works;    /* judges candidates of a search that another process leads: worker.c */
    const char
        *candidate; /* where it works: the folder of that candidate's files; NULL: the run's */
    eex_device *device;
    eex_dataset *data;
    const eex_dataset_info *facts;
    eex_split split;
    eex_input input;            /* what networks of this run read */
    eex_augment normalise;      /* the data set's mean, deviation and size, nothing else */
    eex_structures *structures; /* that are searched; NULL until the probe is done */

    eex_params *base; /* the trained backbone; NULL until first wanted: eex__run_base_params */
    char lost[EEX_PHASES][EEX_PHASE_REASON]; /* why the run is without a phase; "": it is not */
} eex_run;

/* Opens device, folder and data for a run that has its experiment and options alone, and makes sure
 * that the folder is its own. Whatever comes out of it, the run is ended. */
int eex__run_begin(eex_run *run);
void eex__run_end(eex_run *run);

/* Purposes of random numbers: each has its own stream. */
typedef enum eex__run_stream {
    EEX_STREAM_SPLIT = 1,
    EEX_STREAM_BASE,
    EEX_STREAM_PROBE,
    EEX_STREAM_SHARED,
    EEX_STREAM_CANDIDATE,
    EEX_STREAM_FINAL,
    EEX_STREAM_SEARCH,
    EEX_STREAM_RANKING,
    EEX_STREAM_PREDICTOR,
    EEX_STREAM_PARTITION,
    EEX_STREAM_RIVAL
} eex__run_stream;

uint64_t eex__run_seed(const eex_run *run, eex__run_stream stream, uint64_t index);

/* EEX_EINTERRUPTED once a signal came. */
int eex__run_poll(void);

/* ---- phases ---- */

int eex__run_identity(eex_run *run); /* run.h5 */
/* EEX_EINVAL where a folder without run.h5 has files by the names of a run's: nobody knows what
 * they are, and they would be taken for those of whatever experiment comes. */
int eex__run_check_unclaimed(const eex_run *run);
/* options->from is NULL, or another folder with a run in it. */
int eex__run_reuse_check(const eex_run *run);
/* Copies those files of options->from that this run, described by `now`, lacks and would make
 * alike, as long as what it has of these phases is that run's too. One that is going on has nothing
 * to say where it lacks none. */
int eex__run_reuse(const eex_run *run, const char *now, bool going_on);
/* Whether a table that is named will do, or what has to be measured can be. */
int eex__run_latency_known(eex_run *run);
int eex__run_limits(eex_run *run); /* whether anything can keep the search's limits */

/* The phases in front of `end` in their order; those that are done only read what is wanted of
 * them. */
int eex__run_phases(eex_run *run, eex_phase end);

/* The work of each phase: see phase.h. */
int eex__run_split(eex_run *run);
int eex__run_base(eex_run *run);
int eex__run_probe(eex_run *run); /* sets run->structures */
int eex__run_shared(eex_run *run);
int eex__run_latency(eex_run *run);
int eex__run_search(eex_run *run);
int eex__run_tau(eex_run *run);
int eex__run_final(eex_run *run);
int eex__run_predictor(eex_run *run);
int eex__run_partition(eex_run *run);
int eex__run_policies(eex_run *run);
int eex__run_front(eex_run *run);
int eex__run_rivals(eex_run *run);
int eex__run_result(eex_run *run);

/* Says, before anything is trained, when the shared network of an elastic backbone will not be
 * trained for all its networks. */
void eex__run_shared_warn(const eex_run *run);

/* The shared network as it was trained. Both are the caller's, also after a failure; a graph that
 * is there already is used. */
int eex__run_shared_network(eex_graph **graph, eex_params **params, const eex_run *run);

int eex__run_base_params(eex_run *run); /* run->base, read from its file when it is first wanted */

/* ---- candidates ---- */

/* The structures of gates at these points, into run->structures. */
int eex__run_structures(eex_run *run, const eex_points *points);

/* The same, and what their search cannot do is refused: times that nobody can measure, or that a
 * named table lacks, limits that nothing keeps. Those of an elastic backbone are measured here. */
int eex__run_space(eex_run *run, const eex_points *points);

/* Calibrates the network of a genome on a trace of its own exits, by the experiment's policy. */
int eex__run_calibrate(eex_policy **out, const eex_run *run, const int *genome,
                       eex_trace *calibration);

/* Takes batch norm's statistics anew, on search.statistics training images; where that is 0, or the
 * backbone is not elastic, they stay. What slices of a larger network know of themselves before
 * that is nothing. */
int eex__run_statistics(const eex_run *run, eex_params *params);

/* Whether the run would rather choose one trial than another, both done. A total order but for
 * equals. */
bool eex__run_prefers(const eex_run *run, const eex_trial *t, const eex_trial *than);

/* Whether the run has times of its structures: those that their score or their judge needs. */
bool eex__run_timed(const eex_run *run);

/* The candidate that the run is about, from search.h5; genome has room for EEX_MAX_GENES. */
int eex__run_chosen(int *genome, const eex_run *run, uint64_t *trial);

#endif
